"""Why a session shows no QR code, and what to do about it. Pure: from a state to a sentence.

`qr.py` calls this with the runner's report while the runner answers, and with the session's status otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from session_protocol.states import OperatorState, Phase, Request, goes_on_by_itself, is_linked, traits_of

from kubectl_whatsapp.text import one_line
from kubectl_whatsapp.views import RELINK_AT, RESTART_AT

__all__ = ["Advice", "Outlook", "advise"]


class Outlook(Enum):
    """Whether a QR code can be expected."""

    LINKED = "linked"
    """ None will come: the session has its phone. """
    SOON = "soon"
    """ It may come by itself. """
    NEVER = "never"
    """ Somebody has to do something first. """


@dataclass(frozen=True, kw_only=True)
class Advice:
    """An outlook and the sentence that goes with it."""

    outlook: Outlook
    text: str


OBSTACLES = frozenset({"NameTaken", "MultiplePods", "InvalidObject", "NotAllowed"})
""" Reasons of Stalled that end when their cause is removed; no request helps. """
NOT_YET: Mapping[str, str] = {
    "": "the operator has not seen it yet; is it running?",
    OperatorState.QUEUED: "it waits to be admitted by its quota (`kubectl whatsapp status -A` shows which sessions are)",
    OperatorState.PENDING: "its pod does not run yet",
    OperatorState.RECOVERING: "its pod failed and is created again soon",
    OperatorState.UNREACHABLE: "its runner does not answer the operator",
}
GAVE_UP = "the operator has stopped retrying and waits for a person"


def advise(
    *,
    namespace: str,
    name: str,
    state: str,
    reason: str = "",
    message: str = "",
    linked: bool | None = None,
    pending: bool = False,
) -> Advice:
    """Return why there is no QR code in this state, and what to do.

    :param linked: counts where the state does not tell.
    :param pending: somebody has asked to go on, and the operator has not done so yet.
    """
    namespace, name, state, reason, message = map(one_line, (namespace, name, state, reason, message))
    # The reason of Stalled names the cause: what ends a conflict would not end a logout.
    stalled = state == OperatorState.STALLED
    traits = traits_of(reason if stalled else state)
    session = f"session {namespace}/{name}"
    # The operator's own advice has the command, which is told below.
    detail = f": {message.rstrip('.')}" if message and RELINK_AT not in message and RESTART_AT not in message else ""
    if state == OperatorState.SUSPENDED:
        patch = """--type=merge --patch '{"spec": {"operatingMode": "Running"}}'"""
        resume = f"kubectl patch whatsappsession {name} --namespace {namespace} {patch}"
        return Advice(outlook=Outlook.NEVER, text=f"{session} is suspended. To resume it:\n  {resume}")
    if stalled and reason in OBSTACLES:
        text = f"{session} is stalled ({reason}){detail}. It continues by itself once that is resolved"
        return Advice(outlook=Outlook.NEVER, text=text)
    if stalled or (traits.request is not None and not goes_on_by_itself(state=state, reason=reason)):
        if pending:
            return Advice(
                outlook=Outlook.SOON, text=f"{session} is {state}; what was asked for is about to be carried out"
            )
        relinks = traits.request is Request.RELINK
        ask = _ask(namespace, name, RELINK_AT if relinks else RESTART_AT)
        why, how = traits.no_code or GAVE_UP, "To link again" if relinks else "To go on"
        return Advice(outlook=Outlook.NEVER, text=f"{session}: {why}{detail}. {how}:\n  {ask}")
    if _shows_none(state, linked=linked):
        text = f"{session} is linked ({state}), so it shows no QR code. To link it again, first log the device out on the phone"
        return Advice(outlook=Outlook.LINKED, text=f"{text}, or ask for it:\n  {_ask(namespace, name, RELINK_AT)}")
    why = NOT_YET.get(state) or (not traits.request and traits.no_code) or f"it is {state}"
    return Advice(
        outlook=Outlook.SOON, text=f"{session} shows no QR code yet: {why}{f': {message}' if message else ''}"
    )


def _shows_none(state: str, *, linked: bool | None) -> bool:
    """Whether no code will come because a phone is linked.

    Without an answer of the runner, and while browser and page start or end, `linked` is an old value: the session may
    have been logged out since.
    """
    if state in NOT_YET or traits_of(state).phase in (Phase.STARTING, Phase.EXITING):
        return False
    return is_linked(state, answer=linked) is True


def _ask(namespace: str, name: str, request: str) -> str:
    """Return the command that makes a request, by an annotation with the current time."""
    where = f"whatsappsession {name} --namespace {namespace}"
    return f"kubectl annotate --overwrite {where} {request}=$(date -u +%FT%TZ)"
