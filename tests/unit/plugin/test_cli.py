"""The command line: words, mistakes, exit statuses."""

import dataclasses
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import main, print_fault
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, session_json

SCRIPT = Path(__file__).parents[3] / "plugin" / "kubectl-whatsapp"


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    "arguments",
    [
        ["qr", "sales", "out.txt", "-n", "shop", "-o", "text"],
        ["qr", "sales", "-n", "shop", "-o", "text", "out.txt"],
        ["-n", "shop", "qr", "-o", "text", "sales", "out.txt"],
        ["--namespace=shop", "qr", "was/sales", "--output=text", "out.txt"],
        ["-n", "elsewhere", "qr", "sales", "-nshop", "-otext", "out.txt"],
    ],
)
def test_arguments_come_in_any_order(
    arguments: Sequence[str],
    scripted_kubectl: ScriptedKubectl,
    harness: ConsoleHarness,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Flags may stand before the command, between the words and behind them, where they count more."""
    monkeypatch.chdir(tmp_path)

    status = main(arguments, console=harness.console)

    asked = ["get", "whatsappsessions.wasession.dev", "sales", "--namespace=shop", "--output=json"]
    assert (0, asked) == (status, scripted_kubectl.calls()[0])
    assert "2@code-1\n" == (tmp_path / "out.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "Usage: kubectl whatsapp"),
        (["-n", "shop"], "Usage: kubectl whatsapp"),
        (["scan"], "error: No such command 'scan'."),
        (["qr"], "error: name one session, or walk through all with --all"),
        (["qr", "sales", "-o", "gif"], "Invalid value for '-o' / '--output'"),
        (["status", "sales", "-A"], "error: a name cannot be combined with -A"),
        (["status", "sales", "-l", "team=shop"], "error: a name cannot be combined with -l"),
        (["status", "was/"], "error: 'was/' is not the name of a session"),
        (["qr", "--", "-A"], "error: '-A' is not the name of a session"),
        (["qr", "a\x1b[2Jb"], r"error: 'a\x1b[2Jb' is not the name of a session"),
        (["status", "--wait\u202e"], r"error: No such option: --wait\u202e"),
        (["status", "-w", "sales", "returns"], "error: --watch takes at most one name"),
        (["status", "-w", "-o", "json"], "error: --watch takes at most one name, and -o table, wide or name"),
        (["qr", "sales", "file", "more"], "error: Got unexpected extra argument(s) (more)"),
    ],
)
def test_arguments_that_make_no_sense(arguments: Sequence[str], hint: str, harness: ConsoleHarness) -> None:
    """Status 2, and a hint about which word; the cluster is not asked."""
    status = main(arguments, console=harness.console)

    assert (2, "") == (status, harness.out.getvalue())
    assert hint in harness.err.getvalue()


def test_where_help_is(harness: ConsoleHarness) -> None:
    """Whoever was not understood is told how to ask."""
    main(["status", "--wait"], console=harness.console)

    assert harness.err.getvalue().endswith("\nSee 'kubectl whatsapp status --help' for usage.\n")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["status", "-h"]])
def test_help_is_no_mistake(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help gets status 0, on standard output."""
    assert 0 == main(arguments)
    assert "how full their quotas are" in capsys.readouterr().out


def test_the_list_of_commands_says_what_each_does(capsys: pytest.CaptureFixture[str]) -> None:
    """No line of it is cut off."""
    main(["--help"])

    commands = capsys.readouterr().out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert 6 == len(commands)
    assert [] == [line for line in commands if "..." in line]


def test_the_options_of_kubectl_reach_it(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """All that chooses a cluster or a person, from before the command and from behind it."""
    scripted_kubectl.answer_to("get", out={"kind": "List", "items": []})
    before = ["--context", "blue", "--as=jo", "--request-timeout", "5s"]
    after = ["--as-group", "a", "--as-group=b", "-s", "https://x", "--insecure-skip-tls-verify", "--as", "mo"]

    status = main([*before, "status", *after], console=harness.console)

    expected = {
        "--context=blue",
        "--as=mo",
        "--request-timeout=5s",
        "--as-group=a",
        "--as-group=b",
        "--server=https://x",
        "--insecure-skip-tls-verify=true",
    }
    (call,) = scripted_kubectl.calls()
    place = call.index("get")
    assert (0, expected) == (status, set(call[:place]))


def test_no_kubectl_is_a_message(harness: ConsoleHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every error is one message and status 1."""
    monkeypatch.setenv("PATH", str(tmp_path))

    status = main(["status"], console=harness.console)

    expected = "error: kubectl is not on the PATH: this plugin talks to the cluster through it alone\n"
    assert (1, expected) == (status, harness.err.getvalue())


def test_ctrl_c_is_quiet(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Ctrl-C ends a watch with the shell's own status and no traceback."""
    scripted_kubectl.answer_to("get", out=session_json(state="Pending", replicas=0))

    def ctrl_c(_: float) -> None:
        raise KeyboardInterrupt

    status = main(["qr", "sales", "--watch"], console=dataclasses.replace(harness.console, sleep=ctrl_c))

    assert 130 == status


def test_the_script_is_a_plugin(
    scripted_kubectl: ScriptedKubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The executable works from any folder and through a link, and imports nothing from where it is called."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out={"kind": "List", "items": []})
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
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")

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
        output = process.stderr.read()

    assert (1, "") == (process.returncode, output)


def test_a_python_without_what_the_plugin_needs(tmp_path: Path) -> None:
    """Run from a checkout without `make setup`: the missing package and the way to all of them, not a traceback."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "kubectl_whatsapp").symlink_to(SCRIPT.parent / "kubectl_whatsapp")
    (folder / "kubectl-whatsapp").write_text(SCRIPT.read_text())
    (folder / "kubectl-whatsapp").chmod(0o755)
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (bare / "python3").chmod(0o755)

    environment = {"PATH": f"{bare}:/usr/bin:/bin"}
    done = subprocess.run(
        [folder / "kubectl-whatsapp", "status"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (1, "") == (done.returncode, done.stdout)
    assert re.fullmatch(
        r"kubectl whatsapp needs the Python package \w+: `pipx install .*/plugin` brings all it needs\n", done.stderr
    )


def test_what_takes_long_to_load_is_not_loaded(scripted_kubectl: ScriptedKubectl) -> None:
    """Neither typer's validator, nor rich, nor what another command needs: a table down a pipe comes at once."""
    scripted_kubectl.answer_to("get", out={"kind": "List", "items": [session_json()]})
    slow = ["pydantic", "rich", "yaml", "segno", "http.client"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({slow}))\n"
        "from kubectl_whatsapp.cli import main\n"
        "sys.exit(main(['-n', 'shop', 'status', 'sales', '-o', 'wide', '--as-group', 'a']))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50)

    assert 0 == done.returncode, done.stderr
    assert ["sales", "QRPending", "False", "demo"] == done.stdout.splitlines()[1].split()[:4]


def test_a_fault_of_our_own_is_reported_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback quotes what it failed on, and a terminal would obey that."""
    error = RuntimeError("cannot read \x1b]52;c;aGk=\x07\u202e")

    print_fault(type(error), error, error.__traceback__)

    written = capsys.readouterr().err
    assert r"RuntimeError: cannot read \x1b]52;c;aGk=\x07\u202e" in written
    assert written.replace("\n", "").isprintable()
