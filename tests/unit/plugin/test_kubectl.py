"""The one seam to the cluster: what kubectl prints becomes objects, and its faults become errors with a meaning."""

import ast
import inspect
import json
import sys
from pathlib import Path

import kubectl_whatsapp.kubectl
import kubectl_whatsapp.kubectl_errors
import kubectl_whatsapp.port_forward
import pytest
from kubectl_whatsapp.kubectl import Kubectl, find_kubectl
from kubectl_whatsapp.kubectl_errors import (
    ApiMissing,
    Forbidden,
    KubectlFailed,
    KubectlMissing,
    KubectlSlow,
    NotFound,
)
from unit.plugin.plugin_harness import ScriptedKubectl, children, kubectl_of


def test_no_kubectl(tmp_path: Path) -> None:
    """Without kubectl nothing works, and that is what is said."""
    with pytest.raises(KubectlMissing, match="kubectl is not on the PATH"):
        find_kubectl(search_path=str(tmp_path))


def test_a_list_and_one_object(scripted_kubectl: ScriptedKubectl) -> None:
    """One object and a list of them both come as a list; nothing at all is an empty one."""
    scripted_kubectl.answer_to("get", "one", out={"kind": "Pod"})
    scripted_kubectl.answer_to("get", "two", out={"kind": "PodList", "items": [{"kind": "Pod"}, {"kind": "Pod"}]})
    scripted_kubectl.answer_to("get", "none", out="")
    kubectl = kubectl_of(scripted_kubectl)

    assert (1, 2, 0) == (len(kubectl.get("one")), len(kubectl.get("two")), len(kubectl.get("none", missing_ok=True)))


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ('Error from server (NotFound): pods "x" not found', NotFound),
        ('Error from server (Forbidden): pods is forbidden: User "jo" cannot list', Forbidden),
        ('error: the server doesn\'t have a resource type "whatsappsessions"', ApiMissing),
        ("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout", KubectlFailed),
        ("", KubectlFailed),
    ],
)
def test_faults(scripted_kubectl: ScriptedKubectl, output: str, error: type[KubectlFailed]) -> None:
    """Each fault that somebody handles has a class; its text begins with kubectl's words, `error:` is ours to say."""
    scripted_kubectl.answer_to("get", err=f"{output}\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    assert error is type(caught.value)
    assert str(caught.value).startswith(output.removeprefix("error: ") or "kubectl failed without a message")


def test_no_configuration_at_all(scripted_kubectl: ScriptedKubectl) -> None:
    """Kubectl speaks of this machine then, which nobody asked for: what to set is said beside it."""
    output = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
    scripted_kubectl.answer_to("get", err=f"{output}\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    expected = (
        "kubectl has no cluster configured and tried this machine: set KUBECONFIG, or choose a context with "
        "`kubectl config use-context NAME`"
    )
    assert [output, expected] == str(caught.value).splitlines()


def test_log_lines_are_left_out(scripted_kubectl: ScriptedKubectl) -> None:
    """The client library's log of its retries is not what a person should read."""
    log = 'E1122 17:56:43.829744   29062 memcache.go:265] "Unhandled Error" err="refused"\n'
    scripted_kubectl.answer_to("get", err=f"{log}{log}The connection to the server was refused\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    assert "The connection to the server was refused" == str(caught.value)


def test_it_needs_nothing_but_python() -> None:
    """Cluster, demo and tests import it too: it loads none of the plugin's modules but its own parts, and no library."""
    parts = (kubectl_whatsapp.kubectl, kubectl_whatsapp.kubectl_errors, kubectl_whatsapp.port_forward)
    nodes = [node for part in parts for node in ast.walk(ast.parse(inspect.getsource(part)))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}

    assert (
        set()
        == {name.partition(".")[0] for name in names - {part.__name__ for part in parts}} - sys.stdlib_module_names
    )


def test_a_command_carries_what_chooses_the_cluster(scripted_kubectl: ScriptedKubectl) -> None:
    """First of all, so that no command can reach another one; and its words are there for who starts it himself."""
    scripted_kubectl.answer_to("version", out="v1.35.4\n")
    kubectl = Kubectl(
        program=scripted_kubectl.folder / "kubectl", kubeconfig=Path("/x/config"), context="blue", flags=("--as=jo",)
    )

    expected = ["--kubeconfig=/x/config", "--context=blue", "--as=jo"]
    assert "v1.35.4\n" == kubectl("version")
    assert [[*expected, "version"]] == scripted_kubectl.calls()
    assert (str(kubectl.program), *expected) == kubectl.command


def test_input_and_environment_are_the_callers(tmp_path: Path) -> None:
    """What is given is all that the program gets: nothing of this process's environment."""
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\n/bin/cat; /usr/bin/env\n")
    program.chmod(0o755)

    output = Kubectl(program=program, environment={"KUBECONFIG": "/x"})("apply", input="objects: ü\n")

    assert "objects: ü" == output.splitlines()[0]
    assert {"KUBECONFIG"} == {line.partition("=")[0] for line in output.splitlines()[1:]} - {"PWD", "_", "SHLVL"}


def test_a_failure_has_all_output(scripted_kubectl: ScriptedKubectl) -> None:
    """A caller can look at words, status and output; who does not mind a failure gets the output alone."""
    scripted_kubectl.answer_to("delete", out="one deleted\n", err="error: two is held\n", status=3)
    kubectl = kubectl_of(scripted_kubectl)

    with pytest.raises(KubectlFailed) as caught:
        kubectl("delete", "pod", "one", "two")

    fault = caught.value
    assert ("two is held", ("delete", "pod", "one", "two"), 3) == (str(fault), fault.arguments, fault.status)
    assert "one deleted\nerror: two is held\n" == fault.output == kubectl("delete", check=False)


def test_a_no_on_standard_output(scripted_kubectl: ScriptedKubectl) -> None:
    """`kubectl auth can-i` complains of nothing."""
    scripted_kubectl.answer_to("auth", out="no\n", status=1)

    with pytest.raises(KubectlFailed, match=r"^no$"):
        kubectl_of(scripted_kubectl)("auth", "can-i", "create", "pods")


@pytest.mark.parametrize(("own", "call"), [(None, 0.3), (0.3, None), (60, 0.3)])
def test_a_command_that_hangs_is_ended(
    scripted_kubectl: ScriptedKubectl, own: float | None, call: float | None
) -> None:
    """After the call's time, or the one that all calls have."""
    scripted_kubectl.answer_to("wait", keeps_running=True)

    with pytest.raises(KubectlSlow, match="kubectl wait crd took over 0 s"):
        Kubectl(program=scripted_kubectl.folder / "kubectl", timeout=own)("wait", "crd", timeout=call)


def shell(folder: Path, script: str) -> Kubectl:
    """Return a kubectl that is a script."""
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Kubectl(program=program)


def test_output_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for is too much for one answer, and the program is ended."""
    monkeypatch.setattr(kubectl_whatsapp.kubectl, "MAX_OUTPUT", 1 << 20)

    with pytest.raises(KubectlFailed, match="printed more than 1 MiB: ask for less"):
        shell(tmp_path, "exec yes")("get", "pods")


def test_output_up_to_the_bound_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To its last byte."""
    monkeypatch.setattr(kubectl_whatsapp.kubectl, "MAX_OUTPUT", 1 << 20)

    assert 1 << 20 == len(shell(tmp_path, "yes | head -c 1048576")("get", "pods"))


def test_complaints_without_end_are_shortened(tmp_path: Path) -> None:
    """The program is not held up by them, and its message keeps their beginning."""
    kubectl = shell(tmp_path, "echo 'error: no such thing' >&2; yes | head -c 5000000 >&2; exit 1")

    with pytest.raises(KubectlFailed, match=r"^no such thing") as caught:
        kubectl("get", "pods", timeout=20)
    assert len(str(caught.value)) <= 4096
    assert len(caught.value.output) <= 64 << 10


def test_a_line_without_end_is_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch reads line by line, and no further than a line can be."""
    monkeypatch.setattr(kubectl_whatsapp.kubectl, "MAX_LINE", 4096)
    kubectl = shell(tmp_path, "yes '{' | tr -d '\\n'")

    with kubectl.watch("pods") as events, pytest.raises(KubectlFailed, match="something other than events"):
        next(events)


def test_a_long_input_is_written_while_output_is_read(tmp_path: Path) -> None:
    """Neither side waits for the other for ever; one that does not read it is not waited for either."""
    text = "line\n" * 500_000

    assert text == shell(tmp_path, "exec cat")("apply", input=text, timeout=30)
    assert "done\n" == shell(tmp_path, "exec <&-; echo done")("apply", input=text, timeout=30)


def test_a_child_that_stays_is_not_waited_for_beyond_the_time(tmp_path: Path) -> None:
    """It holds the outputs open although kubectl has ended: a login plugin's agent, say."""
    with pytest.raises(KubectlSlow):
        shell(tmp_path, "sleep 5 & exit 0")("get", "pods", timeout=0.3)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A container's output can be anything: it is shown with marks in place of what cannot be read."""
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\nprintf 'a\\377b'; printf 'c\\377d' >&2; exit $1\n")
    program.chmod(0o755)

    assert "a\ufffdb" == Kubectl(program=program)("0")
    with pytest.raises(KubectlFailed, match="c\ufffdd"):
        Kubectl(program=program)("1")


@pytest.mark.parametrize("output", ["warning: deprecated\n{}", "[1]", "7", '{"kind": "List"}', "[" * 100_000])
def test_output_that_is_no_objects(scripted_kubectl: ScriptedKubectl, output: str) -> None:
    """A wrapper around kubectl may print anything: that is said, without a traceback."""
    scripted_kubectl.answer_to("get", out=output)

    with pytest.raises(KubectlFailed, match="kubectl printed something other than objects"):
        kubectl_of(scripted_kubectl).get("pods")


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_a_name_that_no_program_can_be_given(scripted_kubectl: ScriptedKubectl, name: str) -> None:
    """It is said which, without a traceback; a quota or a pod is called what somebody's object says."""
    with pytest.raises(KubectlFailed, match="cannot be given to a program"):
        kubectl_of(scripted_kubectl).get("pods", name)
    with (
        pytest.raises(KubectlFailed, match="cannot be given to a program"),
        kubectl_of(scripted_kubectl).forward(name, 80, namespace="shop"),
    ):
        pass


def test_a_name_is_no_option(scripted_kubectl: ScriptedKubectl) -> None:
    """Names come out of objects: one that begins as an option does never reaches kubectl."""
    with pytest.raises(KubectlFailed, match=r"'--token=x' is not the name of an object"):
        kubectl_of(scripted_kubectl).get("secrets", "--token=x")

    assert [] == scripted_kubectl.calls()


def test_one_object_or_none(scripted_kubectl: ScriptedKubectl) -> None:
    """None is an answer, a missing right is none."""
    scripted_kubectl.answer_to("get", "pod", out={"kind": "Pod", "metadata": {"name": "sales"}})
    scripted_kubectl.answer_to("get", "secret")
    scripted_kubectl.answer_to("get", "node", err="Error from server (Forbidden): no", status=1)
    kubectl = kubectl_of(scripted_kubectl)

    assert {"kind": "Pod", "metadata": {"name": "sales"}} == kubectl.find("pod", "sales", namespace="shop")
    assert kubectl.find("secret", "x", namespace="shop") is None
    with pytest.raises(Forbidden):
        kubectl.find("node", "n")


def test_objects_are_applied_as_one_stream(tmp_path: Path) -> None:
    """JSON documents on standard input, which is YAML to kubectl."""
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\n/bin/cat > {tmp_path}/heard\necho "$@" > {tmp_path}/words\n')
    program.chmod(0o755)

    Kubectl(program=program).apply({"a": 1}, {"b": 2})

    assert '{"a": 1}\n---\n{"b": 2}' == (tmp_path / "heard").read_text()
    assert "apply --filename=-\n" == (tmp_path / "words").read_text()


def test_lines_come_while_the_command_runs(scripted_kubectl: ScriptedKubectl) -> None:
    """And it ends with the block."""
    scripted_kubectl.answer_to("logs", out="one\ntwo\n", keeps_running=True)

    with kubectl_of(scripted_kubectl).stream("logs", "--follow") as lines:
        assert ["one\n", "two\n"] == [next(lines), next(lines)]
        assert 1 == len(children(scripted_kubectl.folder))

    assert set() == children(scripted_kubectl.folder)


def test_a_stream_that_ends_with_a_fault(scripted_kubectl: ScriptedKubectl) -> None:
    """What came is handed out before the fault is."""
    scripted_kubectl.answer_to("logs", out="one\n", err='Error from server (NotFound): pods "x" not found\n', status=1)
    seen: list[str] = []

    with pytest.raises(NotFound), kubectl_of(scripted_kubectl).stream("logs") as lines:
        seen.extend(lines)

    assert ["one\n"] == seen


def test_events_of_a_watch(scripted_kubectl: ScriptedKubectl) -> None:
    """Each with its kind and its object, as kubectl prints them: a line for each."""
    printed = [{"type": "ADDED", "object": {"kind": "Pod", "a": {}}}, {"type": "DELETED", "object": {"kind": "Pod"}}]
    scripted_kubectl.answer_to("get", "pods", "--watch", out="".join(f"{json.dumps(event)}\n" for event in printed))

    with kubectl_of(scripted_kubectl).watch("pods", namespace="shop", selector="a=b") as events:
        assert [("ADDED", {"kind": "Pod", "a": {}}), ("DELETED", {"kind": "Pod"})] == list(events)

    place = ["--namespace=shop", "--selector=a=b"]
    expected = ["get", "pods", *place, "--watch", "--output-watch-events", "--output=json"]
    assert [expected] == scripted_kubectl.calls()


@pytest.mark.parametrize("output", ["{", "[]", '{"type": "ADDED"}', '{"type": "ADDED", "object": 7}', "[" * 100_000])
def test_events_that_are_none(scripted_kubectl: ScriptedKubectl, output: str) -> None:
    """Said, without a traceback."""
    scripted_kubectl.answer_to("get", out=f"{output}\n")

    with (
        pytest.raises(KubectlFailed, match="kubectl printed something other than events"),
        kubectl_of(scripted_kubectl).watch("pods") as events,
    ):
        list(events)
