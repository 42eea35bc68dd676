"""`kubectl whatsapp qr --all`: one code after the other, through a scripted kubectl and a scripted runner."""

import re
from datetime import timedelta
from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import NOW, ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json

ALL = ("get", "whatsappsessions.wasession.dev")


def run(harness: ConsoleHarness, *arguments: str) -> int:
    """The command on the test's console."""
    return main(["qr", "--all", "-n", "shop", "-o", "text", *arguments], console=harness.console)


def listed(cluster: ScriptedKubectl, *sessions: dict[str, Any]) -> None:
    """The namespace has these sessions; each of them can be read by its name, too."""
    cluster.answer_to(*ALL, out={"kind": "List", "items": list(sessions)})
    for session in sessions:
        cluster.answer_to(*ALL, session["metadata"]["name"], out=session)


RUNNING: dict[str, Any] = {"tokenSecrets": {"linking": "was-sales-linking-0123abcd"}, "podName": "sales"}
""" Of a session whose runner is the scripted one, whatever it is called. """


def in_turns(runner: ScriptedRunner, *turns: list[tuple[str, str | None]]) -> None:
    """Play one list of steps after the other, the next one whenever somebody begins to follow."""
    left = list(turns)
    status = runner.answer

    def answer(path: str, token: str) -> tuple[int, dict[str, Any]]:
        if path == "/v1/state":
            runner.steps, runner.step = left.pop(0), 0
        return status(path, token)

    runner.answer = answer  # type: ignore[method-assign]


def test_the_sessions_are_linked_one_after_the_other(
    session_cluster: ScriptedKubectl, scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """By name, each with its code until its phone is linked; what is linked or suspended is left out."""
    listed(
        session_cluster,
        session_json("zoo", **RUNNING),
        session_json("art", **RUNNING),
        session_json("bank", state="Connected", **RUNNING),
        session_json("cafe", state="Suspended", **RUNNING),
    )
    in_turns(
        scripted_runner, [("QRPending", "2@art"), ("Connected", None)], [("QRPending", "2@zoo"), ("Connected", None)]
    )

    assert 0 == run(harness)
    output = harness.err.getvalue()
    assert "2@art2@zoo" == harness.raw.getvalue().decode().replace("\n", "")
    assert output.index("session art is next; sessions that wait after it: 1") < output.index("session zoo is next")
    assert "linked: art, zoo" in output


def test_one_that_needs_a_person_is_passed_over_and_named(
    session_cluster: ScriptedKubectl, scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """The others are linked all the same."""
    listed(session_cluster, session_json("art", state="LinkExpired"), session_json())
    scripted_runner.steps = [("QRPending", "2@code-1"), ("Connected", None)]

    assert 1 == run(harness)
    output = harness.err.getvalue()
    assert "linked: sales" in output
    assert "these sessions need a person first" in output
    assert "wasession.dev/relink-at" in output


def test_one_without_a_code_yet_is_waited_for(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """It is told once; here it is linked by somebody else meanwhile."""
    listed(session_cluster, session_json(state="Queued"))

    def sleep(seconds: float) -> None:
        harness.sleeps.append(seconds)
        if len(harness.sleeps) == 3:
            listed(session_cluster, session_json(state="Connected"))

    object.__setattr__(harness.console, "sleep", sleep)

    assert 0 == run(harness)
    assert [2.0] * 3 == harness.sleeps
    assert 1 == harness.err.getvalue().count("no code yet: sales")
    assert "no session was linked" in harness.err.getvalue()


def test_one_that_shows_no_code_any_more_loses_its_turn(
    session_cluster: ScriptedKubectl, scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """Its page went offline, say; the others are not kept waiting, and it has its turn again after them."""
    listed(session_cluster, session_json("art", **RUNNING), session_json("zoo", **RUNNING))
    in_turns(
        scripted_runner,
        [("QRPending", "2@art"), ("Offline", None)],
        [("QRPending", "2@zoo"), ("Connected", None)],
        [("QRPending", "2@art-2"), ("Connected", None)],
    )
    clock = iter(range(0, 10_000, 20))
    object.__setattr__(harness.console, "now", lambda: NOW + timedelta(seconds=next(clock)))

    assert 0 == run(harness)
    output = harness.err.getvalue()
    assert ["art", "zoo", "art"] == re.findall(r"session (\w+) is next", output)
    assert "linked: zoo, art" in output


@pytest.mark.parametrize("arguments", [["qr"], ["qr", "sales", "--all"]])
def test_it_is_one_session_or_all(harness: ConsoleHarness, arguments: list[str]) -> None:
    """Said as a wrong command line."""
    assert 2 == main(arguments, console=harness.console)
    assert "name one session, or walk through all with --all" in harness.err.getvalue()
