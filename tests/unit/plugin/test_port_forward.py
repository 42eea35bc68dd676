"""Forwarding a pod's port: the port that kubectl says, its faults, and that nothing runs on afterwards."""

import time

import pytest
from kubectl_whatsapp.kubectl_errors import ForwardFailed, NotFound
from unit.plugin.plugin_harness import ScriptedKubectl, children, kubectl_of


def test_forwarding_ends_with_its_block(scripted_kubectl: ScriptedKubectl) -> None:
    """The port is the one kubectl says, and the program is gone afterwards."""
    scripted_kubectl.answer_to("port-forward", out="Forwarding from 127.0.0.1:40123 -> 8080\n", keeps_running=True)

    with kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop") as port:
        running = children(scripted_kubectl.folder)

    expected = ["port-forward", "--namespace=shop", "--address=127.0.0.1", "pod/sales", ":8080"]
    assert (40123, [expected]) == (port, scripted_kubectl.calls())
    assert 1 == len(running)
    assert set() == children(scripted_kubectl.folder)


def test_forwarding_to_a_pod_that_is_gone(scripted_kubectl: ScriptedKubectl) -> None:
    """Not found keeps its meaning."""
    scripted_kubectl.answer_to("port-forward", err='Error from server (NotFound): pods "sales" not found\n', status=1)

    with pytest.raises(NotFound), kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"):
        pass


def test_forwarding_to_a_pod_that_does_not_run(scripted_kubectl: ScriptedKubectl) -> None:
    """Any other fault says that it came from port-forward."""
    output = "unable to forward port because pod is not running. Current status=Pending"
    scripted_kubectl.answer_to("port-forward", err=f"error: {output}\n", status=1)

    with (
        pytest.raises(ForwardFailed, match=f"kubectl port-forward: {output}"),
        kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"),
    ):
        pass


def test_forwarding_that_opens_nothing(scripted_kubectl: ScriptedKubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl that hangs is ended after the deadline."""
    monkeypatch.setattr("kubectl_whatsapp.port_forward.FORWARD_TIMEOUT", 0.3)
    scripted_kubectl.answer_to("port-forward", keeps_running=True)
    begin = time.monotonic()

    with (
        pytest.raises(ForwardFailed, match="opened no port within"),
        kubectl_of(scripted_kubectl).forward("sales", 8080, namespace="shop"),
    ):
        pass

    assert time.monotonic() - begin < 10
