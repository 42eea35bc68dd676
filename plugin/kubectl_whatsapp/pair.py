"""`kubectl whatsapp pair NAME [NUMBER]`: show the pairing code that a person types into the phone, once or until it is linked.

Without a number it is the code for the number in the session's Secret, if it has one. Like the QR code it is printed and
nothing else: whoever has it, and the phone, can link it.
"""

from session_protocol.phone_numbers import read_phone_number

from kubectl_whatsapp.advice import Outlook, advise
from kubectl_whatsapp.code_output import validity
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NoPairingCode
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.runner import PairingCode, Runner
from kubectl_whatsapp.sessions import find_session, open_runner
from kubectl_whatsapp.views import SessionView

__all__ = ["show_pairing_code"]

POLL = 5.0
""" Seconds that one long-poll of the state takes at most: a new code of the same state is no change of it. """


def show_pairing_code(
    name: str, number: str | None, *, namespace: str | None, watch: bool, kubectl: Kubectl, console: Console
) -> None:
    """Show the code; with `watch` each further one, until a phone is linked.

    :raises NoPairingCode: there is none; the message says why.
    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    asked = None if number is None else read_phone_number(number)
    if number is not None and asked is None:
        raise NoPairingCode("NUMBER is no telephone number with its country's code: write it like +15550100000")
    session = find_session(name, namespace=namespace, kubectl=kubectl)
    if not (session.pod_name and session.token_secret_name):
        raise NoPairingCode(_advice(session, session.state, session.reason, session.message))
    with open_runner(session, kubectl=kubectl) as runner:
        code = runner.pairing_code() if asked is None else runner.ask_for_pairing_code(asked)
        if code is not None:
            _print(code, session, console=console)
        elif not watch:
            reported = runner.status()
            raise NoPairingCode(_advice(session, reported.state, reported.reason, reported.message))
        if watch:
            _follow(runner, session, code, console=console)


def _follow(runner: Runner, session: SessionView, shown: PairingCode | None, *, console: Console) -> None:
    said, reported = "", runner.status()
    while True:
        given = (reported.state, reported.reason, reported.message)
        advice = advise(
            namespace=session.namespace,
            name=session.name,
            state=reported.state,
            reason=reported.reason,
            message=reported.message,
            linked=reported.linked,
        )
        if advice.outlook is Outlook.LINKED:
            console.info(f"session {session.namespace}/{session.name} is linked ({reported.state})")
            return
        if advice.outlook is Outlook.NEVER:
            raise NoPairingCode(advice.text)
        code = runner.pairing_code()
        if code is not None and (shown is None or code.text != shown.text):
            shown = code
            _print(code, session, console=console)
        elif code is None and (text := _advice(session, *given)) != said:
            said = text
            console.info(text)
        reported = runner.status(after=reported.revision, wait=POLL)


def _print(code: PairingCode, session: SessionView, *, console: Console) -> None:
    console.print(code.text)
    console.info(f"session {session.namespace}/{session.name}: {validity(code.expires, now=console.now())}")
    console.info("On the phone: Settings > Linked devices > Link a device > Link with phone number instead")


def _advice(session: SessionView, state: str, reason: str, message: str) -> str:
    """Return why there is no pairing code: the QR code's reason, where that is pending; else the advice for any code."""
    if state != "QRPending":
        return advise(namespace=session.namespace, name=session.name, state=state, reason=reason, message=message).text
    return f"session {session.namespace}/{session.name} shows no pairing code: {message or reason}"
