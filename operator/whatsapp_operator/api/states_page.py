"""The page docs/states.md: each state, how people and programs see it, and what to do. `generate` writes it.

What a state is stands in the table of `session_protocol.states`, and how Argo CD shows it in `gitops`. The states that
are the operator's own have their words here, since no runner reports them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from session_protocol.states import STATES, OperatorState, Phase, Traits, traits_of
from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api import gitops

_HEAD: Final = """\
# States

What a session does, in one word: what it means, how it shows, and what to do.
`make generate` writes this page from `session_protocol/states.py`, by which runner, operator and plugin decide.

| Where | How to ask |
|---|---|
| kubectl | `kubectl get was NAME -n NAMESPACE`: the columns State and Ready; `-o wide` adds the message, which says what to do |
| conditions | Ready has the state as its reason while a runner answers, Linked says whether a phone is linked, Stalled that only a person may go on |
| plugin | `kubectl whatsapp status NAME`, and `kubectl whatsapp qr NAME` where a phone is to be linked |
| API of the pod | `GET /v1/state` (`state`, `reason`, `message`, `linked`, `since`), `GET /v1/qr`: [the runner's API](reference/runner-api.md) |
| metrics | `whatsapp_session_state{state="…"}` is 1, since `whatsapp_session_state_since_timestamp_seconds`: [metrics](reference/metrics.md) |
| Argo CD, Flux | [health checks](operations/gitops.md) |

Only `Connected` means that the session can send and receive now.
A state is read from the page as it is; the reason beside it, and the message, say more.
Messages and reasons may change in each release, and states may be added: a program that does not know one counts it as not connected.

**Restart** is `kubectl annotate --overwrite was NAME -n NAMESPACE wasession.dev/restart-at=$(date -u +%FT%TZ)`,
**relink** the same with `wasession.dev/relink-at`.
"""

_TITLES: Final[Mapping[Phase, str]] = {
    Phase.STARTING: "Starting: browser or page are on their way",
    Phase.LINKING: "Linking: a person is to link a phone",
    Phase.CONNECTING: "Connecting: not connected, and nobody has to do anything yet",
    Phase.CONNECTED: "Connected: all is well",
    Phase.BLOCKED: "Blocked: a person has to mend it, or to wait",
    Phase.EXITING: "Exiting: the runner is about to end",
}

_MEANING: Final[Mapping[OperatorState, str]] = {
    OperatorState.QUEUED: "waits for its place in the quota",
    OperatorState.PENDING: "its pod is created and does not run yet",
    OperatorState.UNREACHABLE: "its pod runs, and its runner does not answer the operator",
    OperatorState.RECOVERING: "its pod ended, and the next one follows",
    OperatorState.SUSPENDED: "it is to rest: no pod, and its profile is kept",
    OperatorState.STALLED: "the operator does nothing more for it until a person acts",
}
""" What the operator reports while no runner answers. """

TO_DO: Final[Mapping[str, str]] = {
    RunnerState.STARTING: "nothing; a browser that does not start ends its pod, and [causes](causes.md) says what follows",
    RunnerState.LOADING: "nothing; a page that does not come up is LoadError after half of the startup timeout",
    RunnerState.LOAD_ERROR: "see to the way from the pod to WhatsApp: names, routes, proxies, certificates; the message says where it ends",
    RunnerState.PROXY_ERROR: "see to the [proxy](operations/proxy.md#when-it-fails), or to the Secret with its login",
    RunnerState.UNSUPPORTED_BROWSER: "use a newer runner image, then ask for a restart",
    RunnerState.QR_PENDING: "scan the code that `kubectl whatsapp qr NAME` shows, on the phone under *Linked devices*",
    RunnerState.PAIRING_CODE_PENDING: "type the code that `kubectl whatsapp pair NAME` shows on the phone, under *Linked devices*",
    RunnerState.PASSKEY_REQUIRED: "confirm on the phone if it asks; else link another account, or try later",
    RunnerState.LINK_EXPIRED: "ask for a relink with the phone at hand; it is queued like a new session. One that nobody needs may stay so",
    RunnerState.SYNCING: "keep the phone online with WhatsApp open; when it is overdue, ask for a restart, and then for a relink",
    RunnerState.CONNECTED: "nothing",
    RunnerState.RECONNECTING: "nothing",
    RunnerState.OFFLINE: "see to the pod's network, and to what is between it and WhatsApp; it is connected again by itself",
    RunnerState.CONFLICT: "close the other window, or end what uses a copy of the profile, then ask for a restart; it takes the session over",
    RunnerState.LOGGED_OUT: "the message has the reason; where it waits for a person, ask for a relink",
    RunnerState.TEMPORARILY_BANNED: "wait until the time in the message is over, then ask for a restart; earlier attempts can make it longer",
    RunnerState.SERVICE_UNAVAILABLE: "nothing",
    RunnerState.RESTRICTED: "wait until the time in the message, and write to nobody new; accept the terms on the phone if it is that",
    RunnerState.ACTION_REQUIRED: "answer the notice on the phone where it shows up there, then ask for a restart",
    RunnerState.UPDATE_NEEDED: "ask for a restart",
    RunnerState.SCREEN_LOCKED: "unlink the session on the phone, and link it again: the lock belongs to the old link",
    RunnerState.DEGRADED: "the reason says more: a full volume for `StorageFailed`; else ask for a restart, and report it if it stays",
    RunnerState.UNRESPONSIVE: "nothing, once; if it comes again, see to memory and CPU",
    RunnerState.CRASHED: "nothing, once; if it comes again, [causes](causes.md) has what ends each kind",
    RunnerState.STOPPING: "nothing",
    OperatorState.QUEUED: "nothing; more room in the quota, or a session that is suspended, lets it begin earlier",
    OperatorState.PENDING: "the message has the scheduler's or the kubelet's words; [causes](causes.md) says what ends each",
    OperatorState.UNREACHABLE: "see to the network between operator and pod, and to the node; nothing is restarted for that",
    OperatorState.RECOVERING: "nothing; the condition Recovering has the cause and the time of the next attempt",
    OperatorState.SUSPENDED: "set `spec.operatingMode` to `Running`",
    OperatorState.STALLED: "the condition Stalled has the reason and what to do: a restart, a relink or an edit",
}
""" What a person does; nothing that a person has to do is left out. """

Alerts = Mapping[str, Sequence[str]]
""" The names of the alerts that tell of a state. """


def page(alerts: Alerts) -> str:
    """Return the page as Markdown."""
    groups = [
        (title, [_of_runner(state, alerts) for state, traits in STATES.items() if traits.phase is phase])
        for phase, title in _TITLES.items()
    ]
    groups.append(("While no runner answers", [_of_operator(state, alerts) for state in OperatorState]))
    index = "".join(f"| {title.partition(':')[0]} | {_links(sections)} |\n" for title, sections in groups)
    return f"{_HEAD}\n| | |\n|---|---|\n{index}" + "".join(
        f"\n## {title}\n{''.join(map(_section, sections))}" for title, sections in groups
    )


_Section = tuple[str, str, Sequence[tuple[str, str]]]
""" A state, its meaning, and the rows of its table. """


def _of_runner(state: str, alerts: Alerts) -> _Section:
    traits = STATES[state]
    linked = {None: "either, `linked` says it", True: "`true`", False: "`false`"}[traits.linked]
    code = "404" + (f": {traits.no_code}" if traits.no_code else "")
    if state in ("QRPending", "PairingCodePending"):
        code = f"the code, or {code}"
    rows = (
        ("kubectl", f"{_columns(state, ready=traits.phase is Phase.CONNECTED)}{_stalled(state, traits)}"),
        ("Metrics", _metrics(state, alerts)),
        ("API", f'`"state": "{state}"`, linked: {linked}; `/v1/qr`: {code}'),
        ("What happens", _sentence(traits.next)),
        ("What to do", _sentence(TO_DO[state])),
    )
    return state, traits.meaning, rows


def _of_operator(state: OperatorState, alerts: Alerts) -> _Section:
    rows = (
        ("kubectl", _columns(state, ready=False)),
        ("Metrics", _metrics(state, alerts)),
        ("API", "none: no runner answers"),
        ("What to do", _sentence(TO_DO[state])),
    )
    return state, _MEANING[state], rows


def _stalled(state: str, traits: Traits) -> str:
    if traits.hold is None:
        return ""
    if traits.hold.rests:
        return "; no pod, not Stalled, since `status.link.expiredTime`, and no new pod until a person asks"
    but = f", but with reason `{traits.hold.unless}`" if traits.hold.unless else ""
    return f"; Stalled `True` with reason `{state}`{but}, over new pods, too"


def _columns(state: str, *, ready: bool) -> str:
    unknown = "Unknown" if state == OperatorState.UNREACHABLE else "False"
    return f"State `{state}`, Ready `{'True' if ready else unknown}`; Argo CD: {_health(state, ready=ready)}"


def _health(state: str, *, ready: bool) -> str:
    if ready:
        return "Healthy"
    if state in gitops.waiting():
        return "Suspended"
    if state in gitops.broken():
        return "Degraded"
    return "Progressing" if traits_of(state).hold is None else "Degraded while it is Stalled, else Progressing"


def _metrics(state: str, alerts: Alerts) -> str:
    links = ", ".join(f"[{name}](runbooks/{name}.md)" for name in alerts.get(state, ()))
    return f'`whatsapp_session_state{{state="{state}"}} 1`; alert: {links or "none of its own"}'


def _sentence(text: str) -> str:
    """Return a part of a sentence as a sentence without its full stop; a name or a mark at its begin stays."""
    return text[:1].upper() + text[1:]


def _links(sections: Sequence[_Section]) -> str:
    return ", ".join(f"[{state}](#{state.lower()})" for state, _, _ in sections)


def _section(section: _Section) -> str:
    state, meaning, rows = section
    table = "".join(f"| {name} | {text} |\n" for name, text in rows if text)
    return f"\n### {state}\n\n| | |\n|---|---|\n| Meaning | {_sentence(meaning)} |\n{table}"
