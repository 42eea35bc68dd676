"""`kubectl whatsapp pair`: a session's pairing code, through a scripted kubectl and a scripted runner."""

from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json


def run(harness: ConsoleHarness, *arguments: str) -> int:
    """The command on the test's console."""
    return main(["pair", "sales", *arguments, "-n", "shop"], console=harness.console)


def code(text: str = "ABCD-1EFG") -> dict[str, Any]:
    """What the runner answers."""
    return {"text": text, "issuedTime": "2026-11-22T14:00:00Z", "expiryTime": "2026-11-22T14:03:00Z", "round": 1}


@pytest.mark.usefixtures("session_cluster")
def test_prints_the_code_and_nothing_else(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """With the token for linking; what to do with it is said beside it."""
    scripted_runner.pairing = [code()]

    assert 0 == run(harness)
    assert "ABCD-1EFG\n" == harness.out.getvalue()
    assert "(180 s left)" in harness.err.getvalue()
    assert "Link with phone number instead" in harness.err.getvalue()
    assert [("/v1/pairing-code", "link-token")] == scripted_runner.tokens


@pytest.mark.usefixtures("session_cluster")
def test_a_number_asks_for_a_code(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """It is sent in the body, where no log of requests has it."""
    scripted_runner.pairing = [code()]

    assert 0 == run(harness, "+1 (555) 010-0000")
    assert [{"phoneNumber": "+15550100000"}] == scripted_runner.bodies
    assert "ABCD-1EFG\n" == harness.out.getvalue()


def test_a_number_without_its_country_is_refused(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Before anything is asked, and without repeating it."""
    assert 1 == run(harness, "0171 1234567")
    assert "write it like +15550100000" in harness.err.getvalue()
    assert "171" not in harness.err.getvalue()
    assert [] == session_cluster.calls()


@pytest.mark.usefixtures("session_cluster")
def test_without_a_code_it_says_why(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """In the runner's own words."""
    scripted_runner.more = {"reason": "PairingCodeRefused", "message": "WhatsApp gives no pairing code now."}

    assert 1 == run(harness)
    assert "shows no pairing code yet: WhatsApp gives no pairing code now." in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_where_nobody_has_asked_for_one_it_says_how(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """A session that shows its QR code alone."""
    scripted_runner.more = {"reason": "WaitingForScan", "message": "Scan the QR code with the phone."}

    assert 1 == run(harness)
    assert "kubectl whatsapp pair sales --namespace shop NUMBER" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_a_code_that_takes_longer_is_waited_for(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """The number is known from then on; without --watch it says what the session does meanwhile."""
    answers = scripted_runner.answer
    scripted_runner.more = {"reason": "PairingCodeRefused", "message": "It is asked again after a pause."}
    scripted_runner.pairing = [code()]

    def late(path: str, token: str) -> tuple[int, dict[str, Any]]:
        is_first = path == "/v1/pairing-code" and not any(asked == path for asked, _ in scripted_runner.tokens)
        status, answer = answers(path, token)
        return (504, {}) if is_first else (status, answer)

    scripted_runner.answer = late  # type: ignore[method-assign]
    assert 1 == run(harness, "+15550100000")
    assert "asked again after a pause" in harness.err.getvalue()

    scripted_runner.tokens.clear()
    scripted_runner.steps = [("QRPending", None), ("PairingCodePending", None), ("Connected", None)]
    assert 0 == run(harness, "+15550100000", "--watch")
    assert "ABCD-1EFG\n" == harness.out.getvalue()


def test_watch_waits_for_the_pod(
    session_cluster: ScriptedKubectl, harness: ConsoleHarness, scripted_runner: ScriptedRunner
) -> None:
    """As the QR code's does."""
    running = session_json()
    session_cluster.answer_to(
        "get", "whatsappsessions.wasession.dev", "sales", out=session_json(state="Queued", podName=None)
    )
    scripted_runner.pairing = [code()]
    scripted_runner.steps = [("PairingCodePending", None), ("Connected", None)]

    def sleep(seconds: float) -> None:
        harness.sleeps.append(seconds)
        session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=running)

    object.__setattr__(harness.console, "sleep", sleep)

    assert 0 == run(harness, "--watch")
    assert [2.0] == harness.sleeps
    assert "it waits to be admitted by its quota" in harness.err.getvalue()
    assert "ABCD-1EFG\n" == harness.out.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_a_refusal_is_shown_with_its_reason(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """Such as another number in the session's Secret."""
    scripted_runner.fault = 409
    scripted_runner.refusal = {"error": {"code": "CannotPair", "message": "The session's Secret names another number."}}

    assert 1 == run(harness, "+15550100000")
    assert "names another number" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_watch_shows_each_new_code_until_a_phone_is_linked(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner
) -> None:
    """The same one once."""
    scripted_runner.steps = [*[("PairingCodePending", None)] * 3, ("Connected", None)]
    scripted_runner.pairing = [code(), code(), code("ZZZZ-9999"), None]

    assert 0 == run(harness, "--watch")
    assert "ABCD-1EFG\nZZZZ-9999\n" == harness.out.getvalue()
    assert "session shop/sales is linked (Connected)" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("text", [None, 12345678, "ABCD1EFG", "\x1b[2J", "ABCD-1EFG\n", "abcd-1efg"])
def test_what_is_no_code_is_not_shown(harness: ConsoleHarness, scripted_runner: ScriptedRunner, text: Any) -> None:
    """A runner is not trusted with the terminal."""
    scripted_runner.pairing = [{"text": text}]

    assert 1 == run(harness)
    assert "" == harness.out.getvalue()


def test_a_session_without_a_pod_has_none(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """And what to do about it is said."""
    stored = session_json(state="Suspended", replicas=0)
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness)
    assert "is suspended" in harness.err.getvalue()
