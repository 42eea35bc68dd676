"""The plugin on a real terminal: a pseudo terminal of a given size, as a person's window is."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_stage import ScriptedKubectl, ScriptedRunner, session_json

UTF8 = {"LANG": "C.UTF-8"}
SCRIPT = Path(__file__).parents[3] / "plugin" / "kubectl-whatsapp"


def on_a_terminal(
    folder: Path, *words: str, columns: int, lines: int = 50, locale: Mapping[str, str] = UTF8
) -> tuple[int, str]:
    """Run the plugin on a terminal of that size; returns status and all that it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "TERM": "xterm", "HOME": str(folder), **locale}
    with subprocess.Popen([SCRIPT, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the terminal's other side is closed: the plugin has ended
            pass
        finally:
            os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


@pytest.mark.usefixtures("qr_stage")
def test_a_terminal_gets_colours(scripted_kubectl: ScriptedKubectl) -> None:
    """On a screen the code is black on white, whatever the person's colours are."""
    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100)

    assert 0 == status
    assert shown.startswith(f"{draw('2@code-1', columns=100, colours=True)}\nsession shop/sales, round 2: ")


@pytest.mark.usefixtures("qr_stage")
def test_a_window_that_is_too_narrow(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """The real width of the window counts."""
    scripted_runner.steps = [("QRPending", "2@" + "x" * 240)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=60)

    expected = "error: the QR code is 61 columns wide and the terminal has 60: enlarge it, choose a smaller font"
    assert (1, expected) == (status, shown[: len(expected)])


@pytest.mark.usefixtures("qr_stage")
def test_a_window_that_is_too_low(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """The code is shown, for one can scroll or enlarge; that a phone has to see all of it is said."""
    scripted_runner.steps = [("QRPending", "2@" + "x" * 240)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=80, lines=24)

    assert 0 == status
    assert "(the code is 31 lines high and the terminal has 24: " in shown
    assert "-o png FILE" in shown


@pytest.mark.usefixtures("qr_stage")
def test_the_plain_locale_is_no_obstacle(scripted_kubectl: ScriptedKubectl) -> None:
    """LANG=C, as in cron and many containers, or no locale at all: Python speaks UTF-8 there, and the code is drawn."""
    for locale in ({"LANG": "C"}, {"LC_ALL": "POSIX"}, {}):
        status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100, locale=locale)

        assert 0 == status
        assert shown.startswith(draw("2@code-1", columns=100, colours=True))


@pytest.mark.usefixtures("qr_stage")
def test_a_terminal_without_block_characters(scripted_kubectl: ScriptedKubectl) -> None:
    """A code of question marks helps nobody: the message says how to get one that can be scanned."""
    locale = {"PYTHONIOENCODING": "iso8859-1", "LANG": "C.UTF-8"}

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100, locale=locale)

    expected = (
        "error: the QR code is drawn with block characters, which iso8859-1 does not have: set LC_ALL=C.UTF-8, or write a "
        "picture with `-o png FILE`\n"
    )
    assert (1, expected) == (status, shown)


def test_foreign_words_on_an_ascii_terminal(scripted_kubectl: ScriptedKubectl) -> None:
    """A message that the terminal cannot spell is shown with question marks, and not as a traceback."""
    ready = {"type": "Ready", "status": "False", "reason": "Pending", "message": "kein Platz für ▄"}
    found = session_json(state="Pending", conditions=[ready])
    scripted_kubectl.on("get", "whatsappsessions.wasession.dev", out={"kind": "List", "items": [found]})
    scripted_kubectl.on("get", "whatsappsessionquotas.wasession.dev", out="")

    locale = {"PYTHONIOENCODING": "ascii"}
    status, shown = on_a_terminal(scripted_kubectl.folder, "status", "-n", "shop", columns=100, locale=locale)

    assert 0 == status
    assert "kein Platz f?r ?" in shown


def test_a_picture_is_nothing_for_a_terminal(scripted_kubectl: ScriptedKubectl) -> None:
    """Raw bytes do not get onto a screen, and the cluster is not even asked."""
    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-o", "png", columns=100)

    assert 2 == status
    assert "a png is nothing for a terminal: name a FILE, or redirect the output" in shown
    assert [] == scripted_kubectl.calls()


@pytest.mark.usefixtures("qr_stage")
def test_a_watch_wipes_the_screen(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """Of two codes on one screen a phone would take the wrong one."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("QRPending", "2@code-2"), ("Connected", None)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", "-w", columns=100)

    screens = shown.split("\x1b[H\x1b[2J")
    assert (0, 3) == (status, len(screens))
    assert screens[1].startswith(draw("2@code-1", columns=100, colours=True))
    assert screens[2].startswith(draw("2@code-2", columns=100, colours=True))
    assert shown.endswith("session shop/sales is linked (Connected)\n")
