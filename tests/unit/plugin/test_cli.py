"""The command line: words, mistakes, exit statuses."""

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import main, parse
from kubectl_whatsapp.console import ago
from kubectl_whatsapp.drawing import Form
from unit.plugin.plugin_stage import NOW, Heard, ScriptedKubectl, session_json

SCRIPT = Path(__file__).parents[3] / "plugin" / "kubectl-whatsapp"


@pytest.mark.parametrize(
    "words",
    [
        ["qr", "sales", "out.png", "-n", "shop", "-o", "png"],
        ["qr", "sales", "-n", "shop", "-o", "png", "out.png"],
        ["-n", "shop", "qr", "-o", "png", "sales", "out.png"],
        ["--namespace=shop", "qr", "was/sales", "--output=png", "out.png"],
    ],
)
def test_words_come_in_any_order(words: Sequence[str]) -> None:
    """Flags may stand before the command, between the words and behind them."""
    found = parse(words)

    assert ("qr", "sales", Path("out.png"), "shop", Form.PNG, False) == (
        found.command,
        found.name,
        found.file,
        found.namespace,
        found.output,
        found.watch,
    )


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([], "kubectl whatsapp"),
        (["scan"], "invalid choice: 'scan'"),
        (["qr"], "the following arguments are required: NAME"),
        (["qr", "sales", "-o", "gif"], "argument -o/--output"),
        (["status", "sales", "-A"], "a name and -A do not go together"),
        (["status", "was/"], "'was/' is no name of a session"),
        (["status", "--watch"], "unrecognized arguments: --watch"),
    ],
)
def test_words_that_make_no_sense(words: Sequence[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and a hint about which word."""
    with pytest.raises(SystemExit) as caught:
        parse(words)

    said = capsys.readouterr()
    assert 2 == caught.value.code
    assert hint in said.out + said.err


def test_help_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help gets status 0."""
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])

    assert 0 == caught.value.code
    assert "show the QR code that links a phone" in capsys.readouterr().out


def test_no_kubectl_is_a_message(heard: Heard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every error is one message and status 1."""
    monkeypatch.setenv("PATH", str(tmp_path))

    status = main(["status"], console=heard.console)

    expected = "error: kubectl is not on the PATH: this plugin talks to the cluster through it alone\n"
    assert (1, expected) == (status, heard.notes.getvalue())


def test_ctrl_c_is_quiet(scripted_kubectl: ScriptedKubectl, heard: Heard) -> None:
    """Ctrl-C ends a watch with the shell's own status and no traceback."""
    scripted_kubectl.on("get", out=session_json(state="Pending", replicas=0))

    def ctrl_c(_: float) -> None:
        raise KeyboardInterrupt

    status = main(["qr", "sales", "--watch"], console=dataclasses.replace(heard.console, pause=ctrl_c))

    assert 130 == status


def test_the_script_is_a_plugin(
    scripted_kubectl: ScriptedKubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The executable works from any folder and through a link, and imports nothing from where it is called."""
    scripted_kubectl.on("get", "whatsappsessions.wasession.dev", out={"kind": "List", "items": []})
    monkeypatch.setenv("PATH", f"{scripted_kubectl.folder}:/usr/bin:/bin")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "json.py").write_text("raise SystemExit('a foreign json was imported')")
    link = scripted_kubectl.folder / "kubectl-whatsapp"
    link.symlink_to(SCRIPT)

    done = subprocess.run([link, "status"], cwd=elsewhere, capture_output=True, text=True, check=False, timeout=30)

    assert (0, "", "no sessions in this namespace; -A lists all namespaces\n") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )


def test_a_reader_that_has_enough(scripted_kubectl: ScriptedKubectl) -> None:
    """`kubectl whatsapp status | head -0` ends without a traceback."""
    scripted_kubectl.on("get", "whatsappsessions.wasession.dev", out=session_json())
    scripted_kubectl.on("get", "whatsappsessionquotas.wasession.dev", out="")

    with subprocess.Popen(
        [sys.executable, "-m", "kubectl_whatsapp", "status"],
        cwd=SCRIPT.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None or process.stderr is None:
            pytest.fail("no pipes")
        process.stdout.close()
        said = process.stderr.read()

    assert (1, "") == (process.returncode, said)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (10_799, "179m"), (10_800, "3h"), (172_799, "47h"), (259_200, "3d")],
)
def test_ages(seconds: int, expected: str) -> None:
    """Ages are short, and grow coarser as they grow."""
    assert expected == ago(NOW - timedelta(seconds=seconds), now=NOW)


def test_the_age_of_nothing() -> None:
    """No time is a dash, and a clock that is ahead is no reason for a negative age."""
    assert ("-", "0s") == (ago(None, now=NOW), ago(NOW + timedelta(seconds=5), now=NOW))
