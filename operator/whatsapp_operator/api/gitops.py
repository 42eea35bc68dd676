"""How Argo CD and Flux are told what a session's status means to them: written from the table of states.

Both ask the same questions in the same order, so that they never disagree: has the operator seen this generation, has
somebody asked it to go on, is a person needed to mend something, is a person expected by intention, is it connected.
What is left is on its way. Argo CD asks in Lua (`health_check`), Flux in CEL (`health_expressions`); neither finds a
fault in a field that is absent. `generate` writes both into manifests/gitops, and `state_pages` into the docs.
"""

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from session_protocol.states import STATES, OperatorState, Phase, needs_person

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, Reason
from whatsapp_operator.api.constants import API_VERSION, GROUP, SESSION_KIND

HEALTH_CHECK: Final = Path("manifests/gitops/health.lua")
HEALTH_EXPRESSIONS: Final = Path("manifests/gitops/health-expressions.yaml")
ACTIONS: Final = Path("manifests/gitops/actions")
""" The folder of Argo CD's actions, written by people; `ACTIONS_FILE` is made of them. """
ACTIONS_FILE: Final = Path("manifests/gitops/actions.yaml")
REQUESTS: Final = ("restart-at", "relink-at")
""" What a person asks for to go on; the annotation without its group, and its field in `status.handledRequests`. """

_WRITTEN: Final = (
    "Written by `make generate` from session_protocol.states and whatsapp_operator.api.gitops; change those."
)


def waiting() -> tuple[str, ...]:
    """Return the states in which a person is expected by intention, or nothing at all: as good as done."""
    return (*_in_phase(Phase.LINKING), OperatorState.SUSPENDED)


def broken() -> tuple[str, ...]:
    """Return the states that only a person can mend; a logout is one while the session is Stalled for it."""
    return (OperatorState.STALLED, *_in_phase(Phase.BLOCKED))


def resumable() -> tuple[str, ...]:
    """Return the states, and reasons of Stalled, in which a request is carried out: once it is made, it is the operator's turn."""
    states = (state for state, traits in STATES.items() if traits.phase is Phase.BLOCKED or traits.request is not None)
    return (*states, Reason.RECOVERY_EXHAUSTED)


def _in_phase(phase: Phase) -> tuple[str, ...]:
    return tuple(state for state, traits in STATES.items() if traits.phase is phase and needs_person(state))


_HEALTH_CHECK: Final = """\
-- Argo CD's view of a WhatsAppSession. Without it an unknown kind counts as Healthy at once.
-- Goes into ConfigMap argocd-cm as resource.customizations.health.{group}_{kind}: see docs/operations/gitops.md.
-- {written}
-- Argo CD opens no library of Lua for it but the basic functions, table and a part of os.
local function map(value)
  if type(value) == "table" then return value end
  return {{}}
end
local function text(value)
  if type(value) == "string" then return value end
  return ""
end

local metadata, status = map(obj.metadata), map(obj.status)
local state = text(status.state)
local conditions = {{}}
for _, condition in pairs(map(status.conditions)) do
  conditions[text(map(condition).type)] = map(condition)
end
local ready, stalled, suspended = map(conditions.{ready}), map(conditions.{stalled}), map(conditions.{suspended})

local function asks_for(request)
  local wanted = text(map(metadata.annotations)["{group}/" .. request])
  return wanted ~= "" and wanted ~= map(status.handledRequests)[request]
end
local function health(word, message, otherwise)
  if message == "" then message = otherwise end
  return {{ status = word, message = message }}
end

-- A person is expected by intention: an application is not broken because somebody has yet to take out a phone.
local waiting = {{
{waiting}
}}
-- Only a person can mend these.
local broken = {{
{broken}
}}
-- A request is carried out in these states, and with these reasons of {stalled}; what is then is a new pod's.
local resumable = {{
{resumable}
}}

local message = state
if text(ready.message) ~= "" then message = state .. ": " .. ready.message end
local is_stalled = stalled.status == "True"
local observed, generation = tonumber(status.observedGeneration), tonumber(metadata.generation)
if observed == nil or observed < 0 then
  return health("Progressing", "the operator has not seen it yet")
elseif generation ~= nil and observed ~= generation then
  return health("Progressing", "the operator has not seen the last change yet")
elseif suspended.reason == "{suspending}" then
  return health("Progressing", text(suspended.message), message)
elseif (resumable[state] or (is_stalled and resumable[text(stalled.reason)]))
    and ({requests}) then
  return health("Progressing", "the operator has not done yet what was asked for")
elseif is_stalled then
  return health("Degraded", text(stalled.message), message)
elseif broken[state] then
  return health("Degraded", message)
elseif waiting[state] then
  return health("Suspended", message)
elseif ready.status == "True" then
  return health("Healthy", message)
end
return health("Progressing", message)
"""


def health_check() -> str:
    """Return Argo CD's health check."""
    return _HEALTH_CHECK.format(
        group=GROUP,
        kind=SESSION_KIND,
        written=_WRITTEN,
        ready=ConditionType.READY,
        stalled=ConditionType.STALLED,
        suspended=ConditionType.SUSPENDED,
        suspending=Reason.SUSPENDING,
        waiting=_lua_set(waiting()),
        broken=_lua_set(broken()),
        resumable=_lua_set(resumable()),
        requests=" or ".join(f'asks_for("{request}")' for request in REQUESTS),
    )


def _lua_set(states: Iterable[str]) -> str:
    items = " ".join(f"{state}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}true," for state in states)
    return textwrap.indent(textwrap.fill(items, width=110), "  ").replace("\N{NO-BREAK SPACE}", " ")


def health_expressions() -> Mapping[str, str]:
    """Return Flux's expressions, in the order in which it asks them; a session that none fits is in progress.

    It compares the generations itself, when status has one: that it is absent is asked here.
    """
    suspending = f"{_type_is(ConditionType.SUSPENDED)} && c.?reason.orValue('') == '{Reason.SUSPENDING}'"
    stalled, ready = _is_true(ConditionType.STALLED), _is_true(ConditionType.READY)
    requested = (
        f"{_list(REQUESTS)}.exists(r, !(metadata.?annotations[?'{GROUP}/' + r].orValue('')\n"
        "  in ['', status.?handledRequests[?r].orValue('')]))"
    )
    reasons = f"{_CONDITIONS}.filter(c, {stalled})\n  .map(c, c.?reason.orValue(''))"
    return {
        "inProgress": f"!has(status.observedGeneration) ||\n{_any(suspending)} ||\n{requested} &&\n"
        f"({reasons} + [{_STATE}]).exists(w, w in\n  {_list(resumable())})",
        "failed": f"{_any(stalled)} ||\n{_STATE} in\n  {_list(broken())}",
        "current": f"{_any(ready)} ||\n{_STATE} in\n  {_list(waiting())}",
    }


_STATE: Final = "status.?state.orValue('')"
_CONDITIONS: Final = "status.?conditions.orValue([])"


def _any(condition: str) -> str:
    return f"{_CONDITIONS}.exists(c,\n  {condition})"


def _type_is(kind: str) -> str:
    return f"c.?type.orValue('') == '{kind}'"


def _is_true(kind: str) -> str:
    return f"{_type_is(kind)} && c.?status.orValue('') == '{ConditionStatus.TRUE}'"


def _list(names: Iterable[str]) -> str:
    return textwrap.fill("[" + ", ".join(f"'{name}'" for name in names) + "]", width=110, subsequent_indent="   ")


def health_check_exprs() -> str:
    """Return the field of a Kustomization that has them, in YAML."""
    fields = [
        f"    {name}: >-\n{textwrap.indent(expression, ' ' * 6)}\n" for name, expression in health_expressions().items()
    ]
    return f"healthCheckExprs:\n  - apiVersion: {API_VERSION}\n    kind: {SESSION_KIND}\n{''.join(fields)}"


def health_expressions_file() -> str:
    """Return a patch for Flux's Kustomizations that have sessions."""
    return (
        "# How Flux judges a WhatsAppSession: a patch for a Kustomization with sessions, see docs/operations/gitops.md.\n"
        f"# {_WRITTEN}\n"
        f"spec:\n{textwrap.indent(health_check_exprs(), '  ')}"
    )


def actions_file(folder: Path) -> str:
    """Return the value that Argo CD takes actions from: the Lua files of a folder, one of which says which are possible."""
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.lua"))}
    discovery = textwrap.indent(scripts.pop("discovery"), "  ")
    definitions = [
        f"  - name: {name}\n    action.lua: |\n{textwrap.indent(script, '      ')}" for name, script in scripts.items()
    ]
    return (
        "# What a person can do to a WhatsAppSession in Argo CD: see docs/operations/gitops.md.\n"
        f"# Written by `make generate` from {ACTIONS}; change the files there.\n"
        f"discovery.lua: |\n{discovery}definitions:\n{''.join(definitions)}"
    )
