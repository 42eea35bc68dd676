"""The one seam to the cluster: what kubectl prints becomes objects, and its faults become errors with a meaning."""

import os
import time
from pathlib import Path

import pytest
from kubectl_whatsapp.kubectl import (
    ApiMissing,
    Forbidden,
    ForwardFailed,
    Kubectl,
    KubectlFailed,
    KubectlMissing,
    KubectlSlow,
    NotFound,
    find_kubectl,
)
from unit.plugin.plugin_stage import ScriptedKubectl


def kubectl_of(scripted: ScriptedKubectl) -> Kubectl:
    """The plugin's side of a scripted kubectl."""
    return Kubectl(program=str(scripted.folder / "kubectl"))


def test_no_kubectl(tmp_path: Path) -> None:
    """Without kubectl nothing works, and that is what is said."""
    with pytest.raises(KubectlMissing, match="kubectl is not on the PATH"):
        find_kubectl(search_path=str(tmp_path))


def test_a_list_and_one_object(scripted_kubectl: ScriptedKubectl) -> None:
    """One object and a list of them both come as a list; nothing at all is an empty one."""
    scripted_kubectl.on("get", "one", out={"kind": "Pod"})
    scripted_kubectl.on("get", "two", out={"kind": "PodList", "items": [{"kind": "Pod"}, {"kind": "Pod"}]})
    scripted_kubectl.on("get", "none", out="")
    kubectl = kubectl_of(scripted_kubectl)

    assert (1, 2, 0) == (len(kubectl.get("one")), len(kubectl.get("two")), len(kubectl.get("none", missing_ok=True)))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ('Error from server (NotFound): pods "x" not found', NotFound),
        ('Error from server (Forbidden): pods is forbidden: User "jo" cannot list', Forbidden),
        ('error: the server doesn\'t have a resource type "whatsappsessions"', ApiMissing),
        ("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout", KubectlFailed),
        ("", KubectlFailed),
    ],
)
def test_faults(scripted_kubectl: ScriptedKubectl, said: str, error: type[KubectlFailed]) -> None:
    """Each fault that somebody handles has a class; its text begins with kubectl's words, `error:` is ours to say."""
    scripted_kubectl.on("get", err=f"{said}\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    assert error is type(caught.value)
    assert str(caught.value).startswith(said.removeprefix("error: ") or "kubectl ended with a fault and said nothing")


def test_no_configuration_at_all(scripted_kubectl: ScriptedKubectl) -> None:
    """Kubectl speaks of this machine then, which nobody asked for: what to set is said beside it."""
    said = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
    scripted_kubectl.on("get", err=f"{said}\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    expected = (
        "kubectl knows no cluster and tried this machine: set KUBECONFIG, or choose a context with "
        "`kubectl config use-context NAME`"
    )
    assert [said, expected] == str(caught.value).splitlines()


def test_log_lines_are_left_out(scripted_kubectl: ScriptedKubectl) -> None:
    """The client library's log of its retries is not what a person should read."""
    log = 'E1122 17:56:43.829744   29062 memcache.go:265] "Unhandled Error" err="refused"\n'
    scripted_kubectl.on("get", err=f"{log}{log}The connection to the server was refused\n", status=1)

    with pytest.raises(KubectlFailed) as caught:
        kubectl_of(scripted_kubectl).get("pods")

    assert "The connection to the server was refused" == str(caught.value)


def test_forwarding_ends_with_its_block(scripted_kubectl: ScriptedKubectl) -> None:
    """The port is the one kubectl says, and the program is gone afterwards."""
    scripted_kubectl.on("port-forward", out="Forwarding from 127.0.0.1:40123 -> 8080\n", stays=True)

    with kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop") as port:
        running = children(scripted_kubectl.folder)

    expected = ["port-forward", "--namespace=shop", "--address=127.0.0.1", "pod/sales", ":8080"]
    assert (40123, [expected]) == (port, scripted_kubectl.calls())
    assert 1 == len(running)
    assert set() == children(scripted_kubectl.folder)


def test_forwarding_to_a_pod_that_is_gone(scripted_kubectl: ScriptedKubectl) -> None:
    """Not found keeps its meaning."""
    scripted_kubectl.on("port-forward", err='Error from server (NotFound): pods "sales" not found\n', status=1)

    with pytest.raises(NotFound), kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"):
        pass


def test_forwarding_to_a_pod_that_does_not_run(scripted_kubectl: ScriptedKubectl) -> None:
    """Any other fault says that it came from port-forward."""
    said = "unable to forward port because pod is not running. Current status=Pending"
    scripted_kubectl.on("port-forward", err=f"error: {said}\n", status=1)

    with (
        pytest.raises(ForwardFailed, match=f"kubectl port-forward: {said}"),
        kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"),
    ):
        pass


def test_forwarding_that_opens_nothing(scripted_kubectl: ScriptedKubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl that hangs is ended after the deadline."""
    monkeypatch.setattr("kubectl_whatsapp.kubectl.FORWARD_DEADLINE", 0.3)
    scripted_kubectl.on("port-forward", stays=True)
    begin = time.monotonic()

    with (
        pytest.raises(ForwardFailed, match="opened no port within"),
        kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"),
    ):
        pass

    assert time.monotonic() - begin < 10


def children(folder: Path) -> set[int]:
    """The running processes that this one has started from a folder; other tests of this worker may have children too."""
    mine = Path(f"/proc/{os.getpid()}/task")
    started = {int(pid) for task in mine.iterdir() for pid in (task / "children").read_text().split()}
    return {pid for pid in started if str(folder) in words_of(pid)}


def words_of(pid: int) -> str:
    """A process's command line, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
