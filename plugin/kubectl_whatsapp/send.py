"""`kubectl whatsapp send NAME --to NUMBER TEXT`: send a text, and follow it until WhatsApp has it.

For a test message, and for scripts of people; programs send by the runner's API. Number and text are in no output and no
error, and can come by standard input, because a command line can be seen by others on the machine.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from session_protocol.messages_client import FAILED, MessageRefusedError, MessagesClient, Progress
from session_protocol.phone_numbers import read_phone_number

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NotSent, RunnerUnreachable
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.sessions import find_session, open_messages
from kubectl_whatsapp.text import one_line

__all__ = ["SendRequest", "send_message"]

POLL: Final = 1.0
""" Seconds between two questions how far it has come. """
LONGEST: Final = 5000
""" Characters of standard input that are read; a runner refuses a text of so many. """
_LONGEST_NUMBER: Final = 64
_TURN_TOO_LATE: Final = "it waited for its turn for too long"
WHY: Final = {
    130429: _TURN_TOO_LATE,
    131000: "WhatsApp refused it",
    131016: "the page did not take it",
    131048: "WhatsApp lets the account write to nobody new",
    131056: _TURN_TOO_LATE,
    133010: "no phone is linked any more",
}
""" What the codes mean with which a text fails; docs/http-api.md has all. """


@dataclass(frozen=True, kw_only=True)
class SendRequest:
    """What a person wants sent."""

    name: str
    namespace: str | None
    to: str | None = field(repr=False)
    """ None: the first line of standard input. """
    text: str | None = field(repr=False)
    """ None: standard input, behind that line. """
    wait: float
    """ Seconds; 0: not at all. """


def send_message(request: SendRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Send it and print its id, and with a wait return when WhatsApp has it.

    :raises NotSent: it was not taken, has failed, or is still on its way.
    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    if None in (request.to, request.text) and console.given.isatty():
        console.info("Type what is missing, the number on a line of its own, and Ctrl-D at the end:")
    number = read_phone_number(console.given.readline(_LONGEST_NUMBER) if request.to is None else request.to)
    if number is None:
        what, else_ = (
            ("NUMBER", "") if request.to is not None else ("standard input's first line", ", or give --to NUMBER")
        )
        raise NotSent(f"{what} is no telephone number with its country's code: write it like +15550100000{else_}")
    text = console.given.read(LONGEST).strip("\n") if request.text is None else request.text
    session = find_session(request.name, namespace=request.namespace, kubectl=kubectl)
    if not session.pod_name:
        raise NotSent(
            f"session {session.namespace}/{session.name} has no pod that could send; "
            f"it is {session.state or 'not seen by the operator yet'}"
        )
    with open_messages(session, kubectl=kubectl) as messages:
        try:
            identifier = _send(messages, number, text, key=secrets.token_hex(16))
            console.print(identifier)
            if request.wait:
                _follow(messages, identifier, seconds=request.wait, console=console)
        except MessageRefusedError as error:
            raise NotSent(one_line(str(error))) from error


def _send(messages: MessagesClient, number: str, text: str, *, key: str) -> str:
    """Send it. Without an answer it is asked again, once: by the same key it is not sent twice."""
    with suppress(RunnerUnreachable):
        return messages.send_text(to=number, text=text, key=key)
    try:
        return messages.send_text(to=number, text=text, key=key)
    except RunnerUnreachable as error:
        raise NotSent(
            f"{error}. Whether it took the message is not known: look at the phone before you send it again"
        ) from error


def _follow(messages: MessagesClient, identifier: str, *, seconds: float, console: Console) -> None:
    """Tell how far it has come, until WhatsApp has it."""
    end, before = console.now() + timedelta(seconds=seconds), ""
    while True:
        progress = _progress(messages, identifier)
        now = progress.status if progress.turn is None else f"{progress.status}, its turn is at {progress.turn}"
        if now != before:
            before = now
            console.info(f"message {identifier}: {before}")
        if progress.status == FAILED:
            why = WHY.get(progress.error_code or 0, "the runner does not say why")
            raise NotSent(f"message {identifier} failed: {why} (code {progress.error_code})")
        if progress.is_final:
            return
        if console.now() >= end:
            raise NotSent(
                f"message {identifier} is still {before} after {seconds:.0f} s, which is no failure: it is sent as soon "
                "as it can be, so do not send it again. `kubectl whatsapp status` shows whether its session is connected"
            )
        console.sleep(POLL)


def _progress(messages: MessagesClient, identifier: str) -> Progress:
    try:
        return messages.progress(identifier)
    except RunnerUnreachable as error:
        raise NotSent(
            f"message {identifier} was taken and is on the session's volume, so do not send it again; {error}"
        ) from error
