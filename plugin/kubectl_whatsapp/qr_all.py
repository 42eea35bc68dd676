"""`kubectl whatsapp qr --all`: walk through the unlinked sessions of a namespace, one code at a time.

One code is on the screen until its phone is linked, then comes the next session's, so that nobody scans the wrong one. A
session that has no code, or none any more, waits for its turn at the end; one that needs a person first is named at the end
and passed over.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from session_protocol.states import OperatorState, Phase, traits_of

from kubectl_whatsapp.advice import Advice, Outlook
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NoQrCode, TurnOver
from kubectl_whatsapp.following import RETRY_INTERVAL, newest_advice
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.qr import QrRequest, watch_codes
from kubectl_whatsapp.views import SESSIONS, SessionView

__all__ = ["walk_through"]

PATIENCE = 30.0
""" Seconds without a code after which a session's turn is over, where others wait. """


def walk_through(request: QrRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Show the codes of all sessions that are to be linked, one after the other, until none of them is left.

    :param request: its name does not count.
    :raises NoQrCode: some could not be linked; the message names them.
    :raises PluginError: a runner rejects the request, or a code cannot be shown.
    :raises KubectlError: kubectl failed.
    """
    linked: list[str] = []
    passed: dict[str, str] = {}
    """ The sessions that need a person first, each with what that person has to do. """
    turns: Counter[str] = Counter()
    """ How often a session had its turn and lost it, because it showed no code any more. """
    last_message = ""
    while True:
        waiting = _waiting(request, kubectl=kubectl, without={*linked, *passed})
        passed |= {name: wait.advice.text for name, wait in waiting.items() if wait.advice.outlook is Outlook.NEVER}
        left = sorted(waiting.keys() - passed.keys(), key=lambda name: (not waiting[name].has_code, turns[name], name))
        if left and waiting[left[0]].has_code:
            name = left[0]
            console.info(f"session {name} is next; sessions that wait after it: {len(left) - 1}")
            patience = PATIENCE if len(left) > 1 else None
            try:
                watch_codes(replace(request, name=name), kubectl=kubectl, console=console, patience=patience)
                linked.append(name)
            except NoQrCode as error:
                passed[name] = str(error)
            except TurnOver:
                turns[name] += 1
        elif left:
            message = f"no code yet: {', '.join(left)}"
            if message != last_message:
                last_message = message
                console.info(message)
            console.sleep(RETRY_INTERVAL)
        else:
            break
    console.info(f"linked: {', '.join(linked)}" if linked else "no session was linked")
    if passed:
        raise NoQrCode("\n".join(["these sessions need a person first", *passed.values()]))


class _Wait(NamedTuple):
    advice: Advice
    has_code: bool
    """ As far as its status tells. """


def _waiting(request: QrRequest, *, kubectl: Kubectl, without: set[str]) -> Mapping[str, _Wait]:
    """Return the sessions that are not linked, by name; one that is suspended is not meant to be."""
    found = [SessionView.read(item) for item in kubectl.get(SESSIONS, namespace=request.namespace)]
    waits = {
        session.name: _Wait(newest_advice(session), traits_of(session.state).phase is Phase.LINKING)
        for session in found
        if session.state != OperatorState.SUSPENDED and session.name not in without
    }
    return {name: wait for name, wait in waits.items() if wait.advice.outlook is not Outlook.LINKED}
