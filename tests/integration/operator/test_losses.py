"""A node that goes takes its pods with it: they are replaced at once, and nothing is held against their sessions.

Every session here would wait five minutes after a failure, so a pod that comes sooner was not counted as one.
"""

from collections.abc import Awaitable, Callable

import pytest
from integration.operator.conftest import OperatorHarness

COUNTED = {"maxAttempts": 1, "baseDelay": "5m", "healthyAfter": "10m"}

Loss = Callable[[OperatorHarness, str], Awaitable[None]]


async def _ends(harness: OperatorHarness, name: str, reason: str, kind: str) -> None:
    pod = await harness.admin.get("pods", harness.namespace, name)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": kind, "message": "the node is gone"}
    conditions = [*pod["status"]["conditions"], condition]
    await harness.node.status(name, {"phase": "Failed", "reason": reason, "conditions": conditions})


async def vanished(harness: OperatorHarness, name: str) -> None:
    """Somebody deleted the node and its pods by force."""
    await harness.admin.remove_pod(harness.namespace, name)


async def collected(harness: OperatorHarness, name: str) -> None:
    """The node's object is gone: the pod garbage collector marks the pod and takes it away."""
    await _ends(harness, name, "", "DeletionByPodGC")
    await harness.admin.remove_pod(harness.namespace, name)


async def tainted(harness: OperatorHarness, name: str) -> None:
    """The node does not answer for long: the taint manager marks and deletes the pod, which stays until it is forced."""
    pod = await harness.admin.get("pods", harness.namespace, name)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "taint"}
    await harness.node.status(name, {"conditions": [*pod["status"]["conditions"], condition]})
    await harness.admin.delete("pods", harness.namespace, name)


async def shut_down(harness: OperatorHarness, name: str) -> None:
    """The node shuts down in order: the pod stays as a failed one, and the operator takes it away."""
    await _ends(harness, name, "Terminated", "TerminationByKubelet")


@pytest.mark.parametrize("loss", [vanished, collected, tainted, shut_down])
async def test_a_lost_node_is_answered_at_once_and_not_counted(harness: OperatorHarness, loss: Loss) -> None:
    """Another pod follows, in the same place of the quota; no failure is recorded."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", recovery=COUNTED)
    first = await harness.wait_for_state("a", "QRPending")

    await loss(harness, "a")
    await harness.node.close(first["podUID"])
    pod = await harness.wait_for_new_pod("a", first["podUID"])
    status = await harness.wait_for_report("a", pod)

    recovery = status["recovery"]
    assert (0, 1, None) == (recovery["consecutiveFailures"], recovery["restarts"], recovery.get("lastFailure"))
    assert first["admission"] == status["admission"]
    assert "False" == (await harness.condition("a", "Recovering"))["status"]


async def test_a_lost_node_pauses_nothing(harness: OperatorHarness) -> None:
    """All sessions of it fall at once, and all are made anew: losses say nothing about runners."""
    names = ("a", "b", "c")
    await harness.quota(sessions=3)
    operator = await harness.operator()
    before = {}
    for name in names:
        await harness.session(name, recovery=COUNTED)
        before[name] = (await harness.wait_for_state(name, "QRPending"))["podUID"]

    for name in names:
        await collected(harness, name)
    for name in names:
        await harness.wait_for_report(name, await harness.wait_for_new_pod(name, before[name]))

    _, metrics = await operator.get("/metrics")
    assert "whatsapp_operator_recovery_paused 0.0" in metrics
