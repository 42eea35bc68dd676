"""`kubectl whatsapp qr NAME`: show a session's QR code, once or until a phone is linked.

It uses only the person's own rights: kubectl reads the session and the Secret for linking it, and forwards the
runner's port to this machine. Nothing is stored and only the code is printed, because whoever sees it can link a phone.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from session_protocol.vocabulary import RunnerState

from kubectl_whatsapp.code_output import show
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.drawing import CodeFormat
from kubectl_whatsapp.errors import NoQrCode, RunnerUnreachable
from kubectl_whatsapp.following import Turn, is_connected, newest_advice, next_advice, until_linked
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.kubectl_errors import ForwardFailed
from kubectl_whatsapp.runner import QrCode, Runner
from kubectl_whatsapp.sessions import find_session, open_runner
from kubectl_whatsapp.views import SessionView

__all__ = ["QrRequest", "show_code", "watch_codes"]

MAX_POLL = 10.0
""" Seconds that one long-poll of the state may take. A new code within a round is no change of the state. """


@dataclass(frozen=True, kw_only=True)
class QrRequest:
    """The arguments of `qr`."""

    name: str
    namespace: str | None
    form: CodeFormat
    file: Path | None
    """ None: standard output. """


def show_code(request: QrRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Show the code once.

    :raises NoQrCode: there is none; the message says why.
    :raises PluginError: the runner cannot be reached or rejects the request, or the code cannot be shown.
    :raises KubectlError: kubectl failed.
    """
    session = find_session(request.name, namespace=request.namespace, kubectl=kubectl)
    if is_connected(session) or not (session.pod_name and session.token_secret_name):
        raise NoQrCode(newest_advice(session).text)
    try:
        with open_runner(session, kubectl=kubectl) as runner:
            code = runner.code()
            reported = runner.status() if code is None else None
    except (ForwardFailed, RunnerUnreachable) as error:
        if session.state == RunnerState.QR_PENDING:  # the session's status only says that there is a code
            raise
        # The session's status may say why, such as an image that cannot be pulled or a full node.
        raise NoQrCode(f"{newest_advice(session).text}\n({error})") from error
    if code is None:
        raise NoQrCode(newest_advice(session, reported).text)
    _show(code, request, session, console=console)


def watch_codes(request: QrRequest, *, kubectl: Kubectl, console: Console, patience: float | None = None) -> None:
    """Show each new code until a phone is linked; wait while there is none yet, for so many seconds.

    :raises NoQrCode: none will come before a person does something.
    :raises TurnOver: there was none for too long.
    :raises PluginError: the runner rejects the request, or the code cannot be shown.
    :raises KubectlError: kubectl failed.
    """
    turn = Turn(console=console, seconds=patience)

    def follow(runner: Runner, session: SessionView) -> None:
        _follow(runner, request, session, turn=turn, console=console)

    until_linked(request.name, namespace=request.namespace, show=follow, error=NoQrCode, turn=turn, kubectl=kubectl)


def _follow(runner: Runner, request: QrRequest, session: SessionView, *, turn: Turn, console: Console) -> None:
    """Show each new code, until the runner reports that the session is linked or no code will come."""
    shown = ""
    reported = runner.status()
    while True:
        advice = next_advice(session, reported, error=NoQrCode, console=console)
        if advice is None:
            return
        code = runner.code()
        if code is None:
            turn.waits(advice.text)
        else:
            turn.has_code()
            if code.text != shown:  # the same code may get a later expiry
                shown = code.text
                _show(code, request, session, console=console, clear=True)
        reported = runner.status(after=reported.revision, wait=_until_next(code, now=console.now()))


def _until_next(code: QrCode | None, *, now: datetime) -> float:
    """Return the seconds for the next long-poll: until the code expires, but at least 1 and at most MAX_POLL."""
    if code is None or code.expires is None:
        return 1
    return min(max((code.expires - now).total_seconds(), 1), MAX_POLL)


def _show(code: QrCode, request: QrRequest, session: SessionView, *, console: Console, clear: bool = False) -> None:
    whose = f"session {session.namespace}/{session.name}"
    show(code, whose=whose, form=request.form, file=request.file, console=console, clear=clear)
