"""`kubectl whatsapp qr --watch`: every new code until a phone is linked."""

import dataclasses
from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_stage import Heard, ScriptedKubectl, ScriptedRunner, session_json


def watch(heard: Heard, *arguments: str) -> int:
    """Watch session shop/sales."""
    return main(["qr", "sales", "-n", "shop", "--watch", *arguments], console=heard.console)


@pytest.mark.usefixtures("qr_stage")
def test_follows_the_codes_until_linked(scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """Each code is drawn once, in its order; the end is success."""
    scripted_runner.steps = [
        ("QRPending", "2@code-1"),
        ("QRPending", "2@code-1"),
        ("QRPending", "2@code-2"),
        ("Syncing", None),
    ]

    status = watch(heard, "-o", "text")

    assert (0, b"2@code-1\n2@code-2\n") == (status, heard.raw.getvalue())
    assert "session shop/sales is linked (Syncing)\n" == heard.notes.getvalue().splitlines(keepends=True)[-1]


@pytest.mark.usefixtures("qr_stage")
def test_waits_no_longer_than_the_next_code(scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """The question about the state waits ten seconds while a code is fresh, and one while there is none."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("QRPending", None), ("Connected", None)]

    watch(heard)

    assert ["10", "1"] == scripted_runner.waits


@pytest.mark.usefixtures("qr_stage")
def test_a_terminal_shows_one_code_at_a_time(scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """On a screen the old code is wiped: two codes to choose from are one too many."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("Connected", None)]
    heard = dataclasses.replace(heard, console=dataclasses.replace(heard.console, terminal=True))

    watch(heard)

    assert f"\x1b[H\x1b[2J{draw('2@code-1', columns=120, colours=True)}\n" == heard.out.getvalue()


@pytest.mark.usefixtures("qr_stage")
def test_all_rounds_unused(scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """When no code comes by itself any more the watch ends with what to do."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("LinkExpired", None)]

    status = watch(heard)

    assert 1 == status
    assert "error: session shop/sales: all rounds of QR codes passed unused. To link again:" in heard.notes.getvalue()


@pytest.mark.usefixtures("qr_stage")
@pytest.mark.parametrize("answer", [{"linked": False}, {"linkedTime": None}, {}])
def test_a_page_without_phone_and_code_is_not_linked(
    scripted_runner: ScriptedRunner, heard: Heard, answer: dict[str, Any]
) -> None:
    """Degraded is said of a page that asks to be linked and shows no code, too: the watch goes on until there is one."""
    scripted_runner.more = answer
    scripted_runner.steps = [("Degraded", None), ("Degraded", None), ("QRPending", "2@code-1"), ("LinkExpired", None)]

    status = watch(heard, "-o", "text")

    assert (1, b"2@code-1\n") == (status, heard.raw.getvalue())
    assert "is linked" not in heard.notes.getvalue()


@pytest.mark.usefixtures("qr_stage")
@pytest.mark.parametrize(
    "state", ["Degraded", "Offline", "ServiceUnavailable", "UpdateNeeded", "PasskeyRequired", "New"]
)
@pytest.mark.parametrize("answer", [{"linked": True}, {"linkedTime": "2026-11-22T13:42:00Z"}])
def test_where_a_state_says_nothing_of_the_link_the_answer_does(
    scripted_runner: ScriptedRunner, heard: Heard, state: str, answer: dict[str, Any]
) -> None:
    """A linked session shows no code, whatever ails it; an older runner tells by the time of linking."""
    scripted_runner.more = answer
    scripted_runner.steps = [(state, None)]

    assert 0 == watch(heard)
    assert f"session shop/sales is linked ({state})\n" == heard.notes.getvalue()


@pytest.mark.usefixtures("qr_stage")
def test_a_page_that_was_linked_may_have_been_logged_out_since(scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """While it loads, the link is what the profile remembers: the next word tells."""
    scripted_runner.more = {"linked": True}
    scripted_runner.steps = [("Loading", None), ("QRPending", "2@code-1"), ("Connected", None)]

    assert (0, b"2@code-1\n") == (watch(heard, "-o", "text"), heard.raw.getvalue())


def test_already_linked(qr_stage: ScriptedKubectl, heard: Heard) -> None:
    """Watching a connected session ends at once, with success."""
    qr_stage.on("get", "whatsappsessions.wasession.dev", out=session_json(state="Connected"))

    status = watch(heard)

    assert (0, "session shop/sales is linked\n") == (status, heard.notes.getvalue())


def test_waits_for_the_pod(qr_stage: ScriptedKubectl, scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """A session without a pod is looked at again, and its reason is told once."""
    scripted_runner.steps = [("Connected", None)]
    qr_stage.on("get", "whatsappsessions.wasession.dev", out=session_json(state="Pending", replicas=0))

    def look_again(seconds: float) -> None:
        heard.pauses.append(seconds)
        if len(heard.pauses) == 2:
            qr_stage.on("get", "whatsappsessions.wasession.dev", out=session_json(state="Starting"))

    heard = dataclasses.replace(heard, console=dataclasses.replace(heard.console, pause=look_again))
    status = watch(heard)

    assert (0, [2.0, 2.0]) == (status, heard.pauses)
    assert [
        "session shop/sales shows no QR code yet: its pod does not run yet",
        "session shop/sales is linked (Connected)",
    ] == heard.notes.getvalue().splitlines()


def test_survives_a_replaced_pod(qr_stage: ScriptedKubectl, scripted_runner: ScriptedRunner, heard: Heard) -> None:
    """A way to the runner that breaks is opened anew."""
    scripted_runner.steps = [("Connected", None)]
    qr_stage.on("port-forward", err="error: unable to forward port because pod is not running\n", status=1)

    def mend(seconds: float) -> None:
        heard.pauses.append(seconds)
        port = scripted_runner.port
        qr_stage.on("port-forward", out=f"Forwarding from 127.0.0.1:{port} -> 8080\n", stays=True)

    heard = dataclasses.replace(heard, console=dataclasses.replace(heard.console, pause=mend))
    status = watch(heard)

    assert (0, [2.0]) == (status, heard.pauses)


def test_a_suspended_session_is_not_waited_for(qr_stage: ScriptedKubectl, heard: Heard) -> None:
    """Nothing happens by itself, so the watch says what to do and ends."""
    qr_stage.on("get", "whatsappsessions.wasession.dev", out=session_json(state="Suspended", replicas=0))

    status = watch(heard)

    assert 1 == status
    assert "error: session shop/sales is suspended. To let it run again:" in heard.notes.getvalue()
