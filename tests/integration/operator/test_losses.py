"""A node that goes takes its pods with it: they are replaced at once, and nothing is held against their sessions.

Every session here would wait five minutes after a failure, so a pod that comes sooner was not counted as one.
"""

from collections.abc import Awaitable, Callable

import pytest
from integration.operator.conftest import Bench

COUNTED = {"maxAttempts": 1, "baseDelay": "5m", "healthyAfter": "10m"}

Loss = Callable[[Bench, str], Awaitable[None]]


async def _ends(bench: Bench, name: str, reason: str, kind: str) -> None:
    pod = await bench.admin.get("pods", bench.namespace, name)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": kind, "message": "the node is gone"}
    conditions = [*pod["status"]["conditions"], condition]
    await bench.node.status(name, {"phase": "Failed", "reason": reason, "conditions": conditions})


async def vanished(bench: Bench, name: str) -> None:
    """Somebody deleted the node and its pods by force."""
    await bench.admin.remove_pod(bench.namespace, name)


async def collected(bench: Bench, name: str) -> None:
    """The node's object is gone: the pod garbage collector marks the pod and takes it away."""
    await _ends(bench, name, "", "DeletionByPodGC")
    await bench.admin.remove_pod(bench.namespace, name)


async def tainted(bench: Bench, name: str) -> None:
    """The node does not answer for long: the taint manager marks and deletes the pod, which stays until it is forced."""
    pod = await bench.admin.get("pods", bench.namespace, name)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "taint"}
    await bench.node.status(name, {"conditions": [*pod["status"]["conditions"], condition]})
    await bench.admin.delete("pods", bench.namespace, name)


async def shut_down(bench: Bench, name: str) -> None:
    """The node shuts down in order: the pod stays as a failed one, and the operator takes it away."""
    await _ends(bench, name, "Terminated", "TerminationByKubelet")


@pytest.mark.parametrize("loss", [vanished, collected, tainted, shut_down])
async def test_a_lost_node_is_answered_at_once_and_not_counted(bench: Bench, loss: Loss) -> None:
    """Another pod follows, in the same place of the quota; no failure is recorded."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a", recovery=COUNTED)
    first = await bench.reaches("a", "QRPending")

    await loss(bench, "a")
    await bench.node.close(first["podUID"])
    pod = await bench.replaced("a", first["podUID"])
    status = await bench.tells("a", pod)

    recovery = status["recovery"]
    assert (0, 1, None) == (recovery["consecutiveFailures"], recovery["restarts"], recovery.get("lastFailure"))
    assert first["admission"] == status["admission"]
    assert "False" == (await bench.condition("a", "Recovering"))["status"]


async def test_a_lost_node_pauses_nothing(bench: Bench) -> None:
    """All sessions of it fall at once, and all are made anew: losses say nothing about runners."""
    names = ("a", "b", "c")
    await bench.quota(sessions=3)
    operator = await bench.operator()
    before = {}
    for name in names:
        await bench.session(name, recovery=COUNTED)
        before[name] = (await bench.reaches(name, "QRPending"))["podUID"]

    for name in names:
        await collected(bench, name)
    for name in names:
        await bench.tells(name, await bench.replaced(name, before[name]))

    _, metrics = await operator.get("/metrics")
    assert "whatsapp_operator_recovery_paused 0.0" in metrics
