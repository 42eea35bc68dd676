"""Why a session shows no QR code, and what to do about it. Pure: from the words of a state to a sentence.

`qr.py` asks here with the runner's words while it answers, and with the session's status otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kubectl_whatsapp.text import one_line
from kubectl_whatsapp.views import RELINK_AT, RESTART_AT

__all__ = ["Advice", "Outlook", "advise"]


class Outlook(Enum):
    """What a person who waits for a QR code can expect."""

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


LINKED = frozenset({"Connected", "Syncing", "Reconnecting", "Restricted", "ActionRequired", "ScreenLocked", "Degraded"})
NEEDS_RELINK: Mapping[str, str] = {
    "LinkExpired": "all rounds of QR codes passed unused",
    "LoggedOut": "it was logged out and waits for a person",
}
NEEDS_RESTART: Mapping[str, str] = {
    "Conflict": "its account is open somewhere else, and going on here takes it over",
    "TemporarilyBanned": "WhatsApp refuses the account for some time",
    "RecoveryExhausted": "the operator gave up and waits for a person",
    "UnsupportedBrowser": "the page refuses the browser of this image; a newer image is needed",
}
OBSTACLES = frozenset({"NameTaken", "MultiplePods", "InvalidObject"})
""" Reasons of Stalled that go away with their cause, and with nothing else. """
NOT_YET: Mapping[str, str] = {
    "": "the operator has not seen it yet; is it running?",
    "Queued": "it waits for a place in its quota (`kubectl whatsapp status -A` shows who has them)",
    "Pending": "its pod does not run yet",
    "Recovering": "its pod failed and is made again soon",
    "Unreachable": "its runner does not answer the operator",
    "QRPending": "the page is fetching a new code",
    "PasskeyRequired": "the phone asks for a passkey",
}


def advise(*, namespace: str, name: str, state: str, reason: str = "", message: str = "") -> Advice:
    """Say why there is no QR code in this state, and how to go on."""
    namespace, name, state, reason, message = map(one_line, (namespace, name, state, reason, message))
    # Why a session stands still is in the reason: what ends a conflict would not end a logout.
    matter = reason if state == "Stalled" else state
    session = f"session {namespace}/{name}"
    detail = f": {message.rstrip('.')}" if message else ""
    if state in LINKED:
        text = (
            f"{session} is linked ({state}), so it shows no QR code. To link it anew, log the device out on the phone"
        )
        return Advice(outlook=Outlook.LINKED, text=f"{text}, or ask for it:\n  {_ask(namespace, name, RELINK_AT)}")
    if state == "Suspended":
        patch = """--type=merge --patch '{"spec": {"operatingMode": "Running"}}'"""
        resume = f"kubectl patch whatsappsession {name} --namespace {namespace} {patch}"
        return Advice(outlook=Outlook.NEVER, text=f"{session} is suspended. To let it run again:\n  {resume}")
    if state == "Stalled" and matter in OBSTACLES:
        text = f"{session} stands still ({matter}){detail}. It goes on by itself once that is out of the way"
        return Advice(outlook=Outlook.NEVER, text=text)
    if matter in NEEDS_RELINK and reason != "Relinking":
        ask = _ask(namespace, name, RELINK_AT)
        return Advice(outlook=Outlook.NEVER, text=f"{session}: {NEEDS_RELINK[matter]}{detail}. To link again:\n  {ask}")
    if matter in NEEDS_RESTART or state == "Stalled":
        ask, why = _ask(namespace, name, RESTART_AT), NEEDS_RESTART.get(matter, NEEDS_RESTART["RecoveryExhausted"])
        return Advice(outlook=Outlook.NEVER, text=f"{session}: {why}{detail}. To go on:\n  {ask}")
    why = NOT_YET.get(state, f"it is {state}")
    return Advice(
        outlook=Outlook.SOON, text=f"{session} shows no QR code yet: {why}{f': {message}' if message else ''}"
    )


def _ask(namespace: str, name: str, request: str) -> str:
    """The command by which a person asks for something once."""
    where = f"whatsappsession {name} --namespace {namespace}"
    return f"kubectl annotate --overwrite {where} {request}=$(date -u +%FT%TZ)"
