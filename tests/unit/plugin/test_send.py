"""`kubectl whatsapp send`: a text to somebody, through a scripted kubectl and a scripted runner."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import NOW, ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json

ID = "3EB0C767D097B7C7C030"
NUMBER, TEXT = "+1 (0) 555 010-0777", "Hello Ana"


def run(harness: ConsoleHarness, *arguments: str, given: str = "") -> int:
    """The command on the test's console, with something piped into it."""
    console = replace(harness.console, given=io.StringIO(given))
    return main(["send", "sales", "-n", "shop", *arguments], console=console)


def output(harness: ConsoleHarness) -> str:
    """Everything that was said; never the number, never the text."""
    both = harness.out.getvalue() + harness.err.getvalue()
    assert "0777" not in both
    assert "Ana" not in both
    return both


@pytest.mark.usefixtures("session_cluster")
def test_prints_the_id_and_follows_it_until_whatsapp_has_it(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner
) -> None:
    """With the token for messaging alone; each step is told once, and the number in the one form for all."""
    scripted_runner.progress = [{"status": status} for status in ("accepted", "accepted", "handed_over", "delivered")]

    assert 0 == run(harness, "--to", NUMBER, TEXT)
    assert f"{ID}\n" == harness.out.getvalue()
    assert [f"message {ID}: {status}" for status in ("accepted", "handed_over", "delivered")] == (
        harness.err.getvalue().splitlines()
    )
    assert {"send-token"} == {token for _, token in scripted_runner.tokens}
    assert ["/v24.0/265070092772032/messages", *[f"/v1/messages/{ID}"] * 4] == [
        path for path, _ in scripted_runner.tokens
    ]
    assert [("+15550100777", {"body": TEXT})] == [(body["to"], body["text"]) for body in scripted_runner.bodies]
    assert [1.0] * 3 == harness.sleeps
    output(harness)


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ((), f"{NUMBER}\n{TEXT}\n"),
        (("--to", NUMBER), f"{TEXT}\n"),
        ((TEXT,), f"{NUMBER}\n"),
    ],
)
def test_number_and_text_can_be_piped(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner, arguments: tuple[str, ...], given: str
) -> None:
    """Whoever can list processes sees neither then."""
    assert 0 == run(harness, *arguments, given=given)
    assert [("+15550100777", {"body": TEXT})] == [(body["to"], body["text"]) for body in scripted_runner.bodies]


@pytest.mark.usefixtures("session_cluster")
def test_who_types_sees_what_is_asked(harness: ConsoleHarness) -> None:
    """A terminal that only waits would look hung."""

    class Typed(io.StringIO):
        def isatty(self) -> bool:
            return True

    console = replace(harness.console, given=Typed(f"{NUMBER}\n{TEXT}"))

    assert 0 == main(["send", "sales", "-n", "shop"], console=console)
    assert harness.err.getvalue().startswith("Type what is missing, the number on a line of its own")


@pytest.mark.usefixtures("session_cluster")
def test_who_waits_not_at_all_gets_the_id(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """It is on the session's volume then."""
    assert 0 == run(harness, "--to", NUMBER, TEXT, "--wait", "0")
    assert (f"{ID}\n", "") == (harness.out.getvalue(), harness.err.getvalue())
    assert 1 == len(scripted_runner.tokens)


@pytest.mark.usefixtures("session_cluster")
def test_one_that_fails_says_why(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """Which is final."""
    scripted_runner.progress = [{"status": "failed", "errorCode": 131000}]

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert f"error: message {ID} failed: WhatsApp refused it (code 131000)\n" in output(harness)


@pytest.mark.usefixtures("session_cluster")
def test_one_that_waits_for_its_turn_says_so(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """With the time: who tries a new number may wait for a minute."""
    waiting = {"status": "accepted", "waiting": {"reason": "FirstContacts", "until": "2026-11-30T00:01:00Z"}}
    scripted_runner.progress = [waiting, waiting, {"status": "sent"}]

    assert 0 == run(harness, "--to", NUMBER, TEXT)
    assert [f"message {ID}: accepted, its turn is at 2026-11-30T00:01:00Z", f"message {ID}: sent"] == (
        harness.err.getvalue().splitlines()
    )


@pytest.mark.usefixtures("session_cluster")
def test_one_that_takes_longer_is_no_failure(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """It must not be sent again, and the message says so."""
    scripted_runner.progress = [{"status": "accepted"}]
    times = iter(NOW + timedelta(seconds=seconds) for seconds in (0, 1, 5))
    console = replace(harness.console, now=lambda: next(times))

    assert 1 == main(["send", "sales", "--to", NUMBER, TEXT, "--wait", "5"], console=console)
    assert f"message {ID} is still accepted after 5 s, which is no failure" in output(harness)
    assert "do not send it again" in output(harness)


@pytest.mark.usefixtures("session_cluster")
def test_without_an_answer_it_is_asked_again_by_the_same_key(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner
) -> None:
    """So that nothing is sent twice."""
    scripted_runner.lost = 1

    assert 0 == run(harness, "--to", NUMBER, TEXT)
    assert (2, 1) == (len(scripted_runner.keys), len({*scripted_runner.keys}))


@pytest.mark.usefixtures("session_cluster")
def test_without_any_answer_nobody_knows(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """Whether it was taken."""
    scripted_runner.lost = 9

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert "Whether it took the message is not known" in output(harness)
    assert 2 == len(scripted_runner.keys)


@pytest.mark.usefixtures("session_cluster")
def test_a_runner_that_goes_away_has_it_on_its_volume(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """The next pod sends it."""
    scripted_runner.progress = [{"status": "accepted"}]

    def lose(_seconds: float) -> None:
        scripted_runner.lost = 9

    console = replace(harness.console, sleep=lose)

    assert 1 == main(["send", "sales", "--to", NUMBER, TEXT], console=console)
    assert f"message {ID} was taken and is on the session's volume, so do not send it again" in output(harness)


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (
            400,
            {
                "error": {
                    "message": "(#131026) Message undeliverable",
                    "code": 131026,
                    "error_data": {"details": "Why."},
                }
            },
            "status 400: (#131026) Message undeliverable: Why.",
        ),
        (403, {}, "does not accept the token"),
        (200, {"messages": [{"id": "\x1b[2J"}]}, "without a message's id"),
        (500, {"error": {"message": "\x1b]0;x"}}, "\\x1b]0;x"),
    ],
)
def test_a_refusal_is_shown(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner, status: int, answer: dict[str, Any], expected: str
) -> None:
    """With the runner's own expected, made safe for a terminal."""
    scripted_runner.taken = status, answer

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert expected in output(harness)
    assert "" == harness.out.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("number", ["0171 0777", "", "Ana 0777", "+" * 9000])
def test_what_is_no_number_is_refused_without_showing_it(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner, number: str
) -> None:
    """A mistyped one is one too."""
    assert 1 == run(harness, "--to", number, TEXT)
    assert "NUMBER is no telephone number with its country's code" in output(harness)
    assert 1 == run(harness, TEXT, given=f"{number}\n")
    assert "standard input's first line is no telephone number" in output(harness)
    assert [] == scripted_runner.bodies


@pytest.mark.parametrize("wait", ["-1", "soon", "1.5", "999999", "\u0663"])
def test_a_wait_is_whole_seconds(harness: ConsoleHarness, wait: str) -> None:
    """Anything else is a wrong command line."""
    assert 2 == run(harness, "--to", NUMBER, TEXT, "--wait", wait)
    assert "--wait takes seconds" in output(harness)


def test_a_session_without_a_pod_cannot_send(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """It is not kept for later: its volume is nowhere."""
    stored = session_json(state="Suspended", replicas=0)
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert "shop/sales has no pod that could send; it is Suspended" in output(harness)


def test_a_pod_of_before_there_were_tokens_for_messaging(
    session_cluster: ScriptedKubectl, harness: ConsoleHarness
) -> None:
    """The message says when there are some."""
    stored = session_json(tokenSecrets={"linking": "was-sales-linking-0123abcd"})
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert "shop/sales has no token for messaging: its next pod has one" in output(harness)


def test_who_may_not_read_the_secret_learns_what_it_is_worth(
    session_cluster: ScriptedKubectl, harness: ConsoleHarness
) -> None:
    """The token for linking is no help."""
    session_cluster.answer_to(
        "get", "secrets", "was-sales-messaging-0123abcd", err="Error from server (Forbidden): no", status=1
    )

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert "which holds the token for messaging: who has it sends in the account's name" in output(harness)


def test_a_secret_without_its_token(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Somebody has changed it."""
    session_cluster.answer_to("get", "secrets", "was-sales-messaging-0123abcd", out={"kind": "Secret", "data": {}})

    assert 1 == run(harness, "--to", NUMBER, TEXT)
    assert "holds no token of the scope send" in output(harness)
