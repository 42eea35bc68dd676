"""`kubectl whatsapp dead-letters`: what webhooks did not take, through a scripted kubectl and a scripted runner."""

from datetime import timedelta
from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import NOW, ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json

LETTER = {
    "id": "EV9F86D081884C7D659A2FEAA0",
    "webhook": "bot",
    "type": "message",
    "storedTime": (NOW - timedelta(hours=2)).isoformat(),
    "deadTime": (NOW - timedelta(minutes=12)).isoformat(),
    "tries": 1,
    "problem": "The receiver answered 404.",
}


def run(harness: ConsoleHarness, *arguments: str) -> int:
    """The command on the test's console."""
    return main(["dead-letters", "sales", "-n", "shop", *arguments], console=harness.console)


@pytest.mark.usefixtures("session_cluster")
def test_shows_dead_letters_and_why_they_died(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """With the token for administering, and without their bodies."""
    scripted_runner.dead_letters = {"deadLetters": [LETTER]}

    assert 0 == run(harness)
    assert [
        "ID                           WEBHOOK   TYPE      TRIES   DEAD   PROBLEM",
        "EV9F86D081884C7D659A2FEAA0   bot       message   1       12m    The receiver answered 404.",
    ] == harness.out.getvalue().splitlines()
    assert "" == harness.err.getvalue()
    assert [("/v1/dead-letters", "admin-token")] == scripted_runner.tokens
    assert [""] == scripted_runner.queries


@pytest.mark.usefixtures("session_cluster")
def test_a_session_without_any(harness: ConsoleHarness) -> None:
    """It is said, and nothing is printed that a script would take for one."""
    assert 0 == run(harness)
    assert ("", "no dead letters\n") == (harness.out.getvalue(), harness.err.getvalue())


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("more", [99, 100, 150])
def test_says_when_there_may_be_more(harness: ConsoleHarness, scripted_runner: ScriptedRunner, more: int) -> None:
    """A runner lists a hundred, and no more than that is shown of one that lists more."""
    scripted_runner.dead_letters = {"deadLetters": [LETTER] * more}

    assert 0 == run(harness)
    assert min(more, 100) + 1 == len(harness.out.getvalue().splitlines())
    assert (more >= 100) == ("these are the newest 100; there may be more" in harness.err.getvalue())


@pytest.mark.usefixtures("session_cluster")
def test_shows_those_of_one_webhook(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """Its name is a part of the address, whatever is in it."""
    assert 0 == run(harness, "--webhook", "a&b/c")
    assert ["webhook=a%26b%2Fc"] == scripted_runner.queries


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(("arguments", "body"), [((), {}), (("--webhook", "bot"), {"webhook": "bot"})])
def test_sends_them_again(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner, arguments: tuple[str, ...], body: dict[str, str]
) -> None:
    """All, or those of one webhook; how many there are goes to standard output."""
    scripted_runner.redriven = {"redriven": 3}

    assert 0 == run(harness, "--redrive", *arguments)
    assert "sent again: 3\n" == harness.out.getvalue()
    assert [("/v1/dead-letters/redrive", "admin-token")] == scripted_runner.tokens
    assert [body] == scripted_runner.bodies


def test_a_session_without_a_pod_has_nobody_to_ask(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """They are on its volume."""
    stored = session_json(state="Suspended", replicas=0)
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness)
    assert "shop/sales has no pod that could be asked; it is Suspended" in harness.err.getvalue()


def test_a_session_may_have_no_such_token(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """One whose pod an older operator made."""
    stored = session_json(tokenSecrets={})
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness)
    assert "session shop/sales has no token for administering: its next pod has one" in harness.err.getvalue()


def test_names_the_right_that_is_missing(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Its right is another one than the one to link or to send."""
    refused = 'Error from server (Forbidden): secrets "was-sales-administering-0123abcd" is forbidden: User "jo" cannot'
    session_cluster.answer_to("get", "secrets", "was-sales-administering-0123abcd", err=refused, status=1)

    assert 1 == run(harness)
    assert "you may not read Secret was-sales-administering-0123abcd" in harness.err.getvalue()
    assert "who has it may do all that its runner's API can" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "the runner knows no webhooks: it is of an older version"),
        ({}, "the runner answered without dead letters"),
        ({"deadLetters": {}}, "the runner answered without dead letters"),
        ({"deadLetters": [LETTER, 1]}, "the runner answered without dead letters"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    harness: ConsoleHarness, scripted_runner: ScriptedRunner, answer: dict[str, Any] | None, expected: str
) -> None:
    """A runner is of any version, and is not trusted."""
    scripted_runner.dead_letters = answer

    assert 1 == run(harness)
    assert "" == harness.out.getvalue()
    assert expected in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("count", [None, "3", True, -1, 1.5])
def test_a_count_that_is_none_is_an_error(harness: ConsoleHarness, scripted_runner: ScriptedRunner, count: Any) -> None:
    """Whether they are sent again is not known then."""
    scripted_runner.redriven = {"redriven": count}

    assert 1 == run(harness, "--redrive")
    assert "the runner did not say how many are sent again" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_foreign_text_does_nothing_to_the_terminal(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """Whatever a runner says of a letter is one line of plain characters."""
    scripted_runner.dead_letters = {"deadLetters": [{"id": "\x1b[2J", "problem": "a\nb", "deadTime": 7}]}

    assert 0 == run(harness)
    assert ["\\x1b[2J", "-", "a", "b"] == harness.out.getvalue().splitlines()[1].split()
