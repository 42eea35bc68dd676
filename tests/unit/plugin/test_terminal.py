"""The plugin on a real terminal: a pseudo terminal of a given size, as a person's window is."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_harness import ScriptedKubectl, ScriptedRunner, session_json

pytestmark = pytest.mark.slow

UTF8 = {"LANG": "C.UTF-8"}
SCRIPT = Path(__file__).parents[3] / "plugin" / "kubectl-whatsapp"


def on_a_terminal(
    folder: Path, *arguments: str, columns: int, lines: int = 50, locale: Mapping[str, str] = UTF8
) -> tuple[int, str]:
    """Run the plugin on a terminal of that size; returns status and all that it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "TERM": "xterm", "HOME": str(folder), **locale}
    with subprocess.Popen([SCRIPT, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
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


@pytest.mark.usefixtures("session_cluster")
def test_a_terminal_gets_colours(scripted_kubectl: ScriptedKubectl) -> None:
    """On a screen the code is black on white, whatever the person's colours are."""
    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100)

    assert 0 == status
    assert shown.startswith(f"{draw('2@code-1', columns=100, colours=True)}\nsession shop/sales, round 2: ")


@pytest.mark.usefixtures("session_cluster")
def test_a_window_that_is_too_narrow(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """The real width of the window counts."""
    scripted_runner.steps = [("QRPending", "2@" + "x" * 240)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=60)

    expected = "error: the QR code is 61 columns wide and the terminal has 60: enlarge it, choose a smaller font"
    assert (1, expected) == (status, shown[: len(expected)])


@pytest.mark.usefixtures("session_cluster")
def test_a_window_that_is_too_low(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """The code is shown, for one can scroll or enlarge; that a phone has to see all of it is said."""
    scripted_runner.steps = [("QRPending", "2@" + "x" * 240)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=80, lines=24)

    assert 0 == status
    assert "(the code is 31 lines high and the terminal has 24: " in shown
    assert "-o png FILE" in shown


@pytest.mark.usefixtures("session_cluster")
def test_the_plain_locale_is_no_obstacle(scripted_kubectl: ScriptedKubectl) -> None:
    """LANG=C, as in cron and many containers, or no locale at all: Python speaks UTF-8 there, and the code is drawn."""
    for locale in ({"LANG": "C"}, {"LC_ALL": "POSIX"}, {}):
        status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100, locale=locale)

        assert 0 == status
        assert shown.startswith(draw("2@code-1", columns=100, colours=True))


@pytest.mark.usefixtures("session_cluster")
def test_a_terminal_without_block_characters(scripted_kubectl: ScriptedKubectl) -> None:
    """A code of question marks helps nobody: the message says how to get one that can be scanned."""
    locale = {"PYTHONIOENCODING": "iso8859-1", "LANG": "C.UTF-8"}

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100, locale=locale)

    expected = (
        "error: the QR code is drawn with block characters, which iso8859-1 does not have: set LC_ALL=C.UTF-8, or write a "
        "picture with `-o png FILE`\n"
    )
    assert (1, expected) == (status, shown)


def test_other_scripts_on_an_ascii_terminal(scripted_kubectl: ScriptedKubectl) -> None:
    """A message that the terminal cannot spell is shown with question marks, and not as a traceback."""
    ready = {"type": "Ready", "status": "False", "reason": "Pending", "message": "kein Platz für ▄"}
    found = session_json(state="Pending", conditions=[ready])
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out={"kind": "List", "items": [found]})
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")

    locale = {"PYTHONIOENCODING": "ascii"}
    status, shown = on_a_terminal(scripted_kubectl.folder, "status", "-n", "shop", columns=100, locale=locale)

    assert 0 == status
    assert "kein Platz f?r ?" in shown


def test_a_picture_is_nothing_for_a_terminal(scripted_kubectl: ScriptedKubectl) -> None:
    """Raw bytes do not get onto a screen, and the cluster is not even asked."""
    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-o", "png", columns=100)

    assert 2 == status
    assert "a png cannot be shown in a terminal: name a FILE, or redirect the output" in shown
    assert [] == scripted_kubectl.calls()


@pytest.mark.usefixtures("session_cluster")
def test_a_watch_wipes_the_screen(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """Of two codes on one screen a phone would take the wrong one."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("QRPending", "2@code-2"), ("Connected", None)]

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", "-w", columns=100)

    screens = shown.split("\x1b[H\x1b[2J")
    assert (0, 3) == (status, len(screens))
    assert screens[1].startswith(draw("2@code-1", columns=100, colours=True))
    assert screens[2].startswith(draw("2@code-2", columns=100, colours=True))
    assert shown.endswith("session shop/sales is linked (Connected)\n")


HOSTILE = "code \x1b]52;c;aGVsbG8=\x07 \x1b[2J\x9b3J 10:00\rmore \u202egpj.exe\u2066 [red]x[/red] [link=https://a.example]y[/link]"
""" Writes the clipboard, wipes the screen, overwrites the line, reverses words, and looks like rich's markup. """
OURS = re.compile(r"\x1b\[[0-9;]*m|\n")
""" What of a terminal's language the plugin speaks itself in these tests: colours. """


def assert_signs_alone(shown: str) -> None:
    """Nothing of what a terminal would obey has come through, and the markup is there to be read."""
    assert OURS.sub("", shown).isprintable()
    assert all(
        part in OURS.sub("", shown).replace(" ", "") for part in ("[red]x[/red]", "[link=https://a.example]y[/link]")
    )


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("field", ["state", "reason", "message"])
@pytest.mark.parametrize("arguments", [[], ["--watch"], ["-o", "json"]])
def test_a_hostile_runner(
    scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner, field: str, arguments: list[str]
) -> None:
    """What a runner says of its state reaches the terminal as signs."""
    output = {"revision": 1, "state": "TemporarilyBanned", "reason": "Banned", "message": "", field: HOSTILE}
    scripted_runner.state_answer = output
    if field == "state":  # a word never heard is waited for, so that the watch has to be ended by something
        scripted_runner.limit = 3

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", *arguments, columns=100)

    assert 1 == status
    assert OURS.sub("", shown).isprintable()
    assert field == "reason" or "[red]x[/red]" in shown


@pytest.mark.usefixtures("session_cluster")
def test_a_hostile_refusal(scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner) -> None:
    """The words of an error too."""
    scripted_runner.fault, scripted_runner.refusal = 500, {"error": {"code": "X", "message": HOSTILE}}

    status, shown = on_a_terminal(scripted_kubectl.folder, "qr", "sales", "-n", "shop", columns=100)

    assert 1 == status
    assert_signs_alone(shown)


@pytest.mark.parametrize(
    ("listing", "columns"), [("table", 40), ("table", 400), ("wide", 400), ("json", 80), ("yaml", 80), ("name", 80)]
)
def test_a_hostile_object(scripted_kubectl: ScriptedKubectl, listing: str, columns: int) -> None:
    """Whatever field of a session or of a quota it is, and in whatever form it is shown."""
    ready = {"type": "Ready", "status": HOSTILE, "reason": HOSTILE, "message": HOSTILE, "lastTransitionTime": HOSTILE}
    fields = ("state", "podName", "nodeName", "tokenSecretName")
    found = session_json(conditions=[ready], admission={"quotaName": HOSTILE}, **dict.fromkeys(fields, HOSTILE))
    found["status"]["tokenSecrets"] = {HOSTILE: HOSTILE}
    found["metadata"] = {"name": HOSTILE, "namespace": HOSTILE}
    limits, taken = {"memory": HOSTILE, "storage": HOSTILE}, {"memoryReserved": HOSTILE, "storageReserved": HOSTILE}
    quota = {"metadata": {"name": HOSTILE}, "spec": limits, "status": taken}
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out={"kind": "List", "items": [found]})
    scripted_kubectl.answer_to(
        "get", "whatsappsessionquotas.wasession.dev", out=quota | {"kind": "WhatsAppSessionQuota"}
    )

    status, shown = on_a_terminal(scripted_kubectl.folder, "status", "-A", "-o", listing, columns=columns)

    assert 0 == status
    assert OURS.sub("", shown).isprintable()
    assert "red" in shown


@pytest.mark.parametrize("command", ["qr", "status"])
def test_hostile_complaints_of_kubectl(scripted_kubectl: ScriptedKubectl, command: str) -> None:
    """An admission webhook or a proxy may have written them."""
    scripted_kubectl.answer_to("get", err=f"Error from server (Forbidden): {HOSTILE}\n", status=1)

    status, shown = on_a_terminal(scripted_kubectl.folder, command, "sales", columns=400)

    assert 1 == status
    assert_signs_alone(shown)


def test_no_colour_where_none_is_wanted(scripted_kubectl: ScriptedKubectl) -> None:
    """NO_COLOR, and a terminal that knows no colours."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Stalled"))
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")

    coloured, *plain = [
        on_a_terminal(scripted_kubectl.folder, "status", "sales", columns=100, locale=UTF8 | variables)[1]
        for variables in ({"TERM": "xterm"}, {"NO_COLOR": "1"}, {"TERM": "dumb"})
    ]

    assert "\x1b[31mStalled" in coloured
    assert not any(re.search(r"\x1b\[[0-9;]*[34]\d", shown) for shown in plain)


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_code_without_colours(
    scripted_kubectl: ScriptedKubectl, scripted_runner: ScriptedRunner, variables: dict[str, str]
) -> None:
    """It is drawn in the terminal's own, and the screen is not wiped by a sequence that it may not know."""
    scripted_runner.steps = [("QRPending", "2@code-1"), ("Connected", None)]

    arguments = ["qr", "sales", "-n", "shop", "--watch"]
    status, shown = on_a_terminal(scripted_kubectl.folder, *arguments, columns=100, locale=UTF8 | variables)

    assert 0 == status
    assert shown.startswith(draw("2@code-1", columns=100, colours=False))
    assert "\x1b" not in shown
