"""kubectl from Python, with a real program in its place."""

import json
from pathlib import Path

import pytest
from session_devtools.errors import CommandError, ToolError, WaitTimeout
from session_devtools.kubectl import Kubectl
from unit.plugin.plugin_harness import ScriptedKubectl


@pytest.fixture
def echoing(tmp_path: Path) -> Kubectl:
    """A program in kubectl's place that tells what it was given."""
    program = tmp_path / "kubectl"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys\n"
        "if sys.argv[1] == 'fail':\n"
        "    print('half an answer')\n"
        "    sys.exit('Error: no such thing')\n"
        "names = ('KUBECONFIG', 'KUBECACHEDIR')\n"
        "print(json.dumps([sys.argv[1:], sys.stdin.read(), {name: os.environ[name] for name in names}, len(os.environ)]))\n"
    )
    program.chmod(0o755)
    return Kubectl.isolated(program=program, kubeconfig=tmp_path / "config", cache=tmp_path / "cache")


def test_kubectl_is_given_arguments_input_and_cluster(echoing: Kubectl, tmp_path: Path) -> None:
    """Its cache is the cluster's own: another cluster may stand at the same address tomorrow."""
    arguments, text, environment, _ = json.loads(echoing("apply", "-f", "-", input="objects"))

    assert arguments == ["apply", "-f", "-"]
    assert text == "objects"
    assert environment == {"KUBECONFIG": str(tmp_path / "config"), "KUBECACHEDIR": str(tmp_path / "cache")}


def test_kubectl_does_not_see_the_persons_environment(echoing: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of another cluster gets in."""
    before = json.loads(echoing("get", input=""))[3]
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "something")

    assert before == json.loads(echoing("get", input=""))[3]


def test_a_failure_of_kubectl_is_an_error_with_all_its_output(echoing: Kubectl) -> None:
    """Both streams: some commands answer on one and explain on the other."""
    with pytest.raises(CommandError) as caught:
        echoing("fail")

    assert caught.value.returncode == 1
    assert caught.value.output == "half an answer\nError: no such thing\n"
    assert caught.value.output == echoing("fail", check=False)


def scripted(folder: Path, *, fails: int) -> Kubectl:
    """A kubectl that fails so many times, and keeps what it was asked."""
    program = folder / "kubectl"
    calls = folder / "calls"
    script = f'echo "$@" >> {calls}\n[ "$(wc -l < {calls})" -gt {fails} ] || {{ echo accessor error >&2; exit 1; }}\n'
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    return Kubectl.isolated(program=program, kubeconfig=folder / "kubeconfig", cache=folder / "cache")


def test_a_crd_without_conditions_is_waited_for(tmp_path: Path) -> None:
    """At first kubectl fails on it; asking again is what helps."""
    scripted(tmp_path, fails=2).wait_established("a.example.org", "b.example.org")
    *waits, last = (tmp_path / "calls").read_text().splitlines()

    assert 3 == len(waits)
    assert {"wait --for=condition=Established --timeout=5s crd/a.example.org crd/b.example.org"} == set(waits)
    assert "get a.example.org,b.example.org --all-namespaces" == last


def test_a_crd_that_never_comes_is_an_error(tmp_path: Path) -> None:
    """With kubectl's own words."""
    with pytest.raises(WaitTimeout, match="accessor error"):
        scripted(tmp_path, fails=1000).wait_established("a.example.org", within=0.2)


@pytest.fixture(name="script")
def scripted_program(tmp_path: Path) -> ScriptedKubectl:
    """A kubectl that answers by rule."""
    script = ScriptedKubectl(tmp_path)
    script.install()
    return script


def program(script: ScriptedKubectl) -> Kubectl:
    """The way to it, for one context."""
    return Kubectl(program=str(script.folder / "kubectl"), flags=("--context=blue",))


def test_a_fault_is_reported_with_kubectls_message(script: ScriptedKubectl) -> None:
    """With the command that failed."""
    script.answer_to("delete", err="Error from server (Forbidden): no\n", status=1)

    with pytest.raises(
        CommandError, match=r"^`kubectl delete pod x` ended with status 1: Error from server \(Forbidden\): no$"
    ):
        program(script)("delete", "pod", "x")


def test_a_fault_without_a_message_has_what_was_printed(script: ScriptedKubectl) -> None:
    """`kubectl auth can-i` says its no on standard output."""
    script.answer_to("auth", out="no\n", status=1)

    with pytest.raises(CommandError, match=r"can-i create pods` ended with status 1: no$"):
        program(script)("auth", "can-i", "create", "pods")


def test_a_command_that_hangs_is_ended(script: ScriptedKubectl) -> None:
    """The message says how long it was waited for."""
    script.answer_to("wait", keeps_running=True)

    with pytest.raises(CommandError, match=r"kubectl wait crd took over 0 s"):
        program(script)("wait", "crd", timeout=0.3)


def test_a_port_is_forwarded_while_it_is_needed(script: ScriptedKubectl) -> None:
    """To whatever port of this machine kubectl chose."""
    script.answer_to("port-forward", out="Forwarding from 127.0.0.1:4711 -> 8080\n", keeps_running=True)

    with program(script).forward("sales", 8080, namespace="shop") as port:
        assert 4711 == port

    assert ["pod/sales", ":8080"] == script.calls()[0][-2:]


def test_a_port_that_cannot_be_forwarded_is_a_message(script: ScriptedKubectl) -> None:
    """In kubectl's words."""
    script.answer_to("port-forward", err='Error from server (NotFound): pods "sales" not found', status=1)

    with pytest.raises(ToolError, match="not found"), program(script).forward("sales", 8080, namespace="shop"):
        pass
