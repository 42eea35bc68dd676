"""`kubectl whatsapp qr --all`: walk through the unlinked sessions of a namespace, one code at a time.

One code is on the screen until its phone is linked, then comes the next session's, so that nobody scans the wrong one. A
session that has no code yet waits for its turn at the end; one that needs a person first is told of and passed over.
"""

from collections.abc import Mapping
from dataclasses import replace

from session_protocol.states import OperatorState, Phase, traits_of

from kubectl_whatsapp.advice import Outlook, advise
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NoQrCode
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.qr import RETRY_INTERVAL, QrRequest, watch_codes
from kubectl_whatsapp.views import SESSIONS, SessionView

__all__ = ["walk_through"]


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
    last_message = ""
    while True:
        waiting = _waiting(request, kubectl=kubectl, without={*linked, *passed})
        passed |= {name: advice.text for name, advice in waiting.items() if advice.outlook is Outlook.NEVER}
        ready = [name for name, advice in waiting.items() if name not in passed and advice.has_code]
        later = [name for name, advice in waiting.items() if name not in passed and not advice.has_code]
        if ready:
            name = ready[0]
            console.info(f"session {name} is next; sessions that wait after it: {len(ready) + len(later) - 1}")
            try:
                watch_codes(replace(request, name=name), kubectl=kubectl, console=console)
                linked.append(name)
            except NoQrCode as error:
                passed[name] = str(error)
        elif later:
            message = f"no code yet: {', '.join(later)}"
            if message != last_message:
                last_message = message
                console.info(message)
            console.sleep(RETRY_INTERVAL)
        else:
            break
    console.info(f"linked: {', '.join(linked)}" if linked else "no session was linked")
    if passed:
        raise NoQrCode("\n".join(["these sessions need a person first", *passed.values()]))


class _Wait:
    """How long a session waits for its turn."""

    def __init__(self, session: SessionView) -> None:
        advice = advise(
            namespace=session.namespace,
            name=session.name,
            state=session.state,
            reason=session.reason,
            message=session.message,
            linked=session.linked,
        )
        self.outlook, self.text = advice.outlook, advice.text
        self.has_code = traits_of(session.state).phase is Phase.LINKING


def _waiting(request: QrRequest, *, kubectl: Kubectl, without: set[str]) -> Mapping[str, _Wait]:
    """Return the sessions that are not linked, by name; one that is suspended is not meant to be."""
    found = sorted(
        (SessionView.read(item) for item in kubectl.get(SESSIONS, namespace=request.namespace)),
        key=lambda session: session.name,
    )
    waits = {session.name: _Wait(session) for session in found if session.state != OperatorState.SUSPENDED}
    return {name: wait for name, wait in waits.items() if wait.outlook is not Outlook.LINKED and name not in without}
