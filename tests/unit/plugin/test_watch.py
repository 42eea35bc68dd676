"""`kubectl whatsapp qr --watch`: every new code until a phone is linked."""

import dataclasses
from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json


def watch(harness: ConsoleHarness, *arguments: str) -> int:
    """Watch session shop/sales."""
    return main(["qr", "sales", "-n", "shop", "--watch", *arguments], console=harness.console)


@pytest.mark.usefixtures("session_cluster")
def test_follows_the_codes_until_linked(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """Each code is drawn once, in its order; the end is success."""
    scripted_runner.steps = [
        ("QRPending", "2@code-1"),
        ("QRPending", "2@code-1"),
        ("QRPending", "2@code-2"),
        ("Syncing", None),
    ]

    status = watch(harness, "-o", "text")

    assert (0, b"2@code-1\n2@code-2\n") == (status, harness.raw.getvalue())
    assert "session shop/sales is linked (Syncing)\n" == harness.err.getvalue().splitlines(keepends=True)[-1]


@pytest.mark.usefixtures("session_cluster")
def test_waits_no_longer_than_the_next_code(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """The question about the state waits ten seconds while a code is fresh, and one while there is none."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("QRPending", None), ("Connected", None)]

    watch(harness)

    assert ["10", "1"] == scripted_runner.waits


@pytest.mark.usefixtures("session_cluster")
def test_a_terminal_shows_one_code_at_a_time(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """On a screen the old code is wiped: two codes to choose from are one too many."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("Connected", None)]
    harness = dataclasses.replace(harness, console=dataclasses.replace(harness.console, terminal=True))

    watch(harness)

    assert f"\x1b[H\x1b[2J{draw('2@code-1', columns=120, colours=True)}\n" == harness.out.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_all_rounds_unused(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """When no code comes by itself any more the watch ends with what to do."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("LinkExpired", None)]

    status = watch(harness)

    assert 1 == status
    assert "error: session shop/sales: all rounds of QR codes passed unused. To link again:" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("answer", [{"linked": False}, {"linkedTime": None}, {}])
def test_a_page_without_phone_and_code_is_not_linked(
    scripted_runner: ScriptedRunner, harness: ConsoleHarness, answer: dict[str, Any]
) -> None:
    """Degraded is said of a page that asks to be linked and shows no code, too: the watch goes on until there is one."""
    scripted_runner.more = answer
    scripted_runner.steps = [("Degraded", None), ("Degraded", None), ("QRPending", "2@code-1"), ("LinkExpired", None)]

    status = watch(harness, "-o", "text")

    assert (1, b"2@code-1\n") == (status, harness.raw.getvalue())
    assert "is linked" not in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    "state", ["Degraded", "Offline", "ServiceUnavailable", "UpdateNeeded", "PasskeyRequired", "New"]
)
@pytest.mark.parametrize("answer", [{"linked": True}, {"linkedTime": "2026-11-22T13:42:00Z"}])
def test_where_a_state_says_nothing_of_the_link_the_answer_does(
    scripted_runner: ScriptedRunner, harness: ConsoleHarness, state: str, answer: dict[str, Any]
) -> None:
    """A linked session shows no code, whatever ails it; an older runner tells by the time of linking."""
    scripted_runner.more = answer
    scripted_runner.steps = [(state, None)]

    assert 0 == watch(harness)
    assert f"session shop/sales is linked ({state})\n" == harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_a_page_that_was_linked_may_have_been_logged_out_since(
    scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """While it loads, the link is what the profile remembers: the next word tells."""
    scripted_runner.more = {"linked": True}
    scripted_runner.steps = [("Loading", None), ("QRPending", "2@code-1"), ("Connected", None)]

    assert (0, b"2@code-1\n") == (watch(harness, "-o", "text"), harness.raw.getvalue())


def test_already_linked(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Watching a connected session ends at once, with success."""
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Connected"))

    status = watch(harness)

    assert (0, "session shop/sales is linked\n") == (status, harness.err.getvalue())


def test_waits_for_the_pod(
    session_cluster: ScriptedKubectl, scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """A session without a pod is looked at again, and its reason is told once."""
    scripted_runner.steps = [("Connected", None)]
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Pending", replicas=0))

    def look_again(seconds: float) -> None:
        harness.sleeps.append(seconds)
        if len(harness.sleeps) == 2:
            session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Starting"))

    harness = dataclasses.replace(harness, console=dataclasses.replace(harness.console, sleep=look_again))
    status = watch(harness)

    assert (0, [2.0, 2.0]) == (status, harness.sleeps)
    assert [
        "session shop/sales shows no QR code yet: its pod does not run yet",
        "session shop/sales is linked (Connected)",
    ] == harness.err.getvalue().splitlines()


def test_survives_a_replaced_pod(
    session_cluster: ScriptedKubectl, scripted_runner: ScriptedRunner, harness: ConsoleHarness
) -> None:
    """A way to the runner that breaks is opened anew."""
    scripted_runner.steps = [("Connected", None)]
    session_cluster.answer_to(
        "port-forward", err="error: unable to forward port because pod is not running\n", status=1
    )

    def mend(seconds: float) -> None:
        harness.sleeps.append(seconds)
        port = scripted_runner.port
        session_cluster.answer_to("port-forward", out=f"Forwarding from 127.0.0.1:{port} -> 8080\n", keeps_running=True)

    harness = dataclasses.replace(harness, console=dataclasses.replace(harness.console, sleep=mend))
    status = watch(harness)

    assert (0, [2.0]) == (status, harness.sleeps)


def test_a_suspended_session_is_not_waited_for(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Nothing happens by itself, so the watch says what to do and ends."""
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Suspended", replicas=0))

    status = watch(harness)

    assert 1 == status
    assert "error: session shop/sales is suspended. To resume it:" in harness.err.getvalue()
