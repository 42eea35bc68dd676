"""What a shell is offered behind `kubectl whatsapp`: the program that kubectl starts for it, with a scripted kubectl."""

import os
import subprocess
from pathlib import Path

import pytest
from unit.plugin.plugin_harness import ScriptedKubectl

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parents[3] / "plugin" / "kubectl_complete-whatsapp"
SESSIONS = "whatsappsession.wasession.dev/sales\nwhatsappsession.wasession.dev/support\n"


def offered(scripted: ScriptedKubectl, *arguments: str, folder: Path | None = None) -> list[str]:
    """What is printed for these words, the last of which is unfinished; without what stands behind a tab."""
    environment = {"PATH": f"{scripted.folder}:/usr/bin:/bin", "HOME": str(scripted.folder)}
    done = subprocess.run(
        [PROGRAM, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=30
    )
    assert (0, "") == (done.returncode, done.stderr)
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([""], ["qr", "pair", "account", "send", "dead-letters", "status"]),
        ([], ["qr", "pair", "account", "send", "dead-letters", "status"]),
        (["st"], ["status"]),
        (["-n", "shop", "q"], ["qr"]),
        (["status", "--al"], ["--all-namespaces"]),
        (["status", "--output", ""], ["table", "wide", "json", "yaml", "name"]),
        (["qr", "-o", "p"], ["png"]),
        (["status", "--output=y"], ["yaml"]),
        (["status", "no'where", "--sel"], ["--selector"]),
        (["wrong", "-"], ["--namespace"]),
    ],
)
def test_completions_of_the_plugin(
    scripted_kubectl: ScriptedKubectl, arguments: list[str], expected: list[str]
) -> None:
    """Sub-commands, options and their values; the cluster is not asked, and no file is offered in their place."""
    *found, directive = offered(scripted_kubectl, *arguments)

    assert ":4" == directive
    assert expected == found if arguments[:1] != ["wrong"] else set(expected) <= set(found)
    assert [] == scripted_kubectl.calls()


def test_a_choice_has_its_meaning_behind_a_tab(scripted_kubectl: ScriptedKubectl) -> None:
    """As kubectl's own have."""
    environment = {"PATH": f"{scripted_kubectl.folder}:/usr/bin:/bin"}
    done = subprocess.run([PROGRAM, "q"], env=environment, capture_output=True, text=True, check=True, timeout=30)

    assert "qr\tShow the QR code that links a phone.\n:4\n" == done.stdout


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["qr", "s"], []),
        (["-n", "shop", "qr", "s"], ["--namespace=shop"]),
        (
            ["status", "--context=blue", "-n", "shop", "--as", "jo", "s"],
            ["--namespace=shop", "--context=blue", "--as=jo"],
        ),
        (["status", "-A", "s"], ["--all-namespaces"]),
    ],
)
def test_sessions(scripted_kubectl: ScriptedKubectl, arguments: list[str], asked: list[str]) -> None:
    """Those of the namespace, the context and the person that the line names so far."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=SESSIONS)

    assert ["sales", "support", ":4"] == offered(scripted_kubectl, *arguments)
    (call,) = scripted_kubectl.calls()
    assert {*asked, "get", "whatsappsessions.wasession.dev", "--output=name"} == set(call)


def test_a_session_that_is_named_already(scripted_kubectl: ScriptedKubectl) -> None:
    """It is not offered again; `qr` takes one."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=SESSIONS)

    assert ["support", ":4"] == offered(scripted_kubectl, "status", "sales", "")


def test_namespaces_and_contexts(scripted_kubectl: ScriptedKubectl) -> None:
    """Through kubectl, behind the option or its `=`."""
    scripted_kubectl.answer_to("get", "namespaces", out="namespace/default\nnamespace/shop\n")
    scripted_kubectl.answer_to("config", "get-contexts", out="blue\nadmin@shop\narn:aws:eks:eu:1:cluster/x\n")

    assert ["shop", ":4"] == offered(scripted_kubectl, "status", "-n", "s")
    assert ["default", "shop", ":4"] == offered(scripted_kubectl, "--namespace=")
    assert ["admin@shop", "arn:aws:eks:eu:1:cluster/x", ":4"] == offered(scripted_kubectl, "qr", "--context", "a")


@pytest.mark.parametrize("name", ["$(touch x)", "`id`", "a;b", "a b", "\x1b[2J", "-x", "a'b", "\u202ea"])
def test_a_shell_is_given_names_alone(scripted_kubectl: ScriptedKubectl, name: str) -> None:
    """Shells evaluate what they are given: what is not the name of an object is not offered."""
    scripted_kubectl.answer_to(
        "get", "whatsappsessions.wasession.dev", out=f"whatsappsession.wasession.dev/{name}\n{SESSIONS}"
    )

    assert ["sales", "support", ":4"] == offered(scripted_kubectl, "qr", "")


def test_no_cluster_no_names(scripted_kubectl: ScriptedKubectl) -> None:
    """A fault would only write into the line that somebody types."""
    scripted_kubectl.answer_to("get", err="The connection to the server was refused\n", status=1)

    assert [":4"] == offered(scripted_kubectl, "qr", "")


def test_no_kubectl_no_names(tmp_path: Path) -> None:
    """Nor does a missing program."""
    environment = os.environ | {"PATH": "/bin", "HOME": str(tmp_path)}
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "readlink"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    environment["PATH"] = str(tmp_path / "bin")

    done = subprocess.run([PROGRAM, "qr", ""], env=environment, capture_output=True, text=True, check=False, timeout=30)

    assert (0, ":4\n", "") == (done.returncode, done.stdout, done.stderr)


def test_files(scripted_kubectl: ScriptedKubectl, tmp_path: Path) -> None:
    """For a picture and for a kubeconfig; a folder ends in a slash, and the line goes on behind it."""
    (tmp_path / "out").mkdir()
    for name in ("out/a.png", "out.png", ".hidden", "o;x"):
        (tmp_path / name).touch()

    assert ["out/", "out.png", ":4"] == offered(scripted_kubectl, "qr", "sales", "o", folder=tmp_path)
    assert ["out/a.png", ":4"] == offered(scripted_kubectl, "status", "--kubeconfig", "out/", folder=tmp_path)
    (tmp_path / "out.png").unlink()
    assert ["out/", ":6"] == offered(scripted_kubectl, "qr", "sales", "", folder=tmp_path)[-2:]
    assert [":4"] == offered(scripted_kubectl, "qr", "sales", "no/where/", folder=tmp_path)


def test_typers_own_completion(scripted_kubectl: ScriptedKubectl) -> None:
    """For who types the name with a hyphen: the script is for that name, and what it calls answers."""
    plugin = PROGRAM.with_name("kubectl-whatsapp")
    environment = {
        "PATH": f"{scripted_kubectl.folder}:/usr/bin:/bin",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }

    script = subprocess.run(
        [plugin, "--show-completion", "bash"], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    asked = {"COMP_WORDS": "kubectl-whatsapp st", "COMP_CWORD": "1", "_KUBECTL_WHATSAPP_COMPLETE": "complete_bash"}
    choices = subprocess.run([plugin], env=environment | asked, capture_output=True, text=True, check=True, timeout=30)

    assert "_KUBECTL_WHATSAPP_COMPLETE=complete_bash" in script.stdout
    assert script.stdout.rstrip().endswith(" kubectl-whatsapp")
    assert "status\n" == choices.stdout
