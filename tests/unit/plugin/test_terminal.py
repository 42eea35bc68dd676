"""The plugin on a real terminal: a pseudo terminal of a given size, as a person's window is."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_stage import ScriptedKubectl, ScriptedRunner

SCRIPT = Path(__file__).parents[3] / "plugin" / "kubectl-whatsapp"


def on_a_terminal(folder: Path, *words: str, columns: int) -> tuple[int, str]:
    """Run the plugin on a terminal with that many columns; returns status and all that it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8", "HOME": str(folder)}
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
