"""`kubectl whatsapp pair NAME [NUMBER]`: show the pairing code that a person types into the phone, once or until it is linked.

Without a number it is the code for the number in the session's Secret, if it has one. Like the QR code it is printed and
nothing else: whoever has it, and the phone, can link it.
"""

from session_protocol.phone_numbers import read_phone_number
from session_protocol.vocabulary import RunnerState, StateReason

from kubectl_whatsapp.advice import Advice
from kubectl_whatsapp.code_output import validity
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NoPairingCode
from kubectl_whatsapp.following import Turn, newest_advice, next_advice, until_linked
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.runner import PairingCode, Runner, RunnerStatus
from kubectl_whatsapp.sessions import find_session, open_runner
from kubectl_whatsapp.views import SessionView

__all__ = ["show_pairing_code"]

POLL = 5.0
""" Seconds that one long-poll of the state takes at most: a new code of the same state is no change of it. """


def show_pairing_code(
    name: str, number: str | None, *, namespace: str | None, watch: bool, kubectl: Kubectl, console: Console
) -> None:
    """Show the code; with `watch` each further one, until a phone is linked; wait while there is none yet.

    :raises NoPairingCode: there is none; the message says why.
    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    asked = None if number is None else read_phone_number(number)
    if number is not None and asked is None:
        raise NoPairingCode("NUMBER is no telephone number with its country's code: write it like +15550100000")
    if watch:
        turn = Turn(console=console)

        def follow(runner: Runner, session: SessionView) -> None:
            _follow(runner, session, asked, turn=turn, console=console)

        until_linked(name, namespace=namespace, show=follow, error=NoPairingCode, turn=turn, kubectl=kubectl)
        return
    session = find_session(name, namespace=namespace, kubectl=kubectl)
    if not (session.pod_name and session.token_secret_name):
        raise NoPairingCode(newest_advice(session).text)
    with open_runner(session, kubectl=kubectl) as runner:
        code = _code(runner, asked)
        if code is None:
            reported = runner.status()
            raise NoPairingCode(_why(session, reported, newest_advice(session, reported), asked=asked is not None))
    _print(code, session, console=console)


def _code(runner: Runner, asked: str | None) -> PairingCode | None:
    return runner.pairing_code() if asked is None else runner.ask_for_pairing_code(asked)


def _follow(runner: Runner, session: SessionView, asked: str | None, *, turn: Turn, console: Console) -> None:
    code, shown, reported = _code(runner, asked), "", runner.status()
    while True:
        advice = next_advice(session, reported, error=NoPairingCode, console=console)
        if advice is None:
            return
        if code is None:
            turn.waits(_why(session, reported, advice, asked=asked is not None))
        elif code.text != shown:
            shown = code.text
            _print(code, session, console=console)
        reported = runner.status(after=reported.revision, wait=POLL)
        code = runner.pairing_code()


def _print(code: PairingCode, session: SessionView, *, console: Console) -> None:
    console.print(code.text)
    console.info(f"session {session.namespace}/{session.name}: {validity(code.expires, now=console.now())}")
    console.info("On the phone: Settings > Linked devices > Link a device > Link with phone number instead")


def _why(session: SessionView, reported: RunnerStatus, advice: Advice, *, asked: bool) -> str:
    """Return why there is no pairing code: the QR code's reason, where that is pending; else the advice for any code."""
    if reported.state != RunnerState.QR_PENDING:
        return advice.text
    whose = f"session {session.namespace}/{session.name}"
    if reported.reason == StateReason.WAITING_FOR_SCAN and not asked:
        ask = f"kubectl whatsapp pair {session.name} --namespace {session.namespace} NUMBER"
        return f"{whose} shows no pairing code. To ask for one, by the phone's number:\n  {ask}"
    return f"{whose} shows no pairing code yet: {reported.message or reported.reason}"
