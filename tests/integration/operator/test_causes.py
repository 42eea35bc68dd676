"""Causes on a real API server: the pod's own limit, starts that do not come up, a node that is lost, a probe."""

import asyncio
from collections.abc import Awaitable, Callable

from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from integration.operator.node import NODE, stamp
from support.sessions import Expectation

SOON = {"maxAttempts": 1, "baseDelay": "1s"}
OWN_LIMIT = 'Usage of EmptyDir volume "cache" exceeds the limit "1Gi". '
NODE_PRESSURE = "The node was low on resource: ephemeral-storage. "


async def _evict(harness: OperatorHarness, name: str, message: str) -> None:
    """The kubelet evicts a pod: its object stays, failed."""
    await harness.node.status(name, {"phase": "Failed", "reason": "Evicted", "message": message})


async def test_evictions_for_its_own_limit_count_and_those_by_the_node_do_not(harness: OperatorHarness) -> None:
    """Three for the node's pressure leave nothing; two for its own end in a stop with the kubelet's message."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", recovery=SOON)
    pod = await harness.until("the pod", lambda: harness.pod("a")) or {}
    for message in (NODE_PRESSURE, NODE_PRESSURE, NODE_PRESSURE, OWN_LIMIT):
        status = await harness.wait_for_report("a", pod)
        assert 0 == status["recovery"]["consecutiveFailures"]
        await _evict(harness, "a", message)
        pod = await harness.wait_for_new_pod("a", pod["metadata"]["uid"])
    await harness.wait_for_report("a", pod)
    await _evict(harness, "a", OWN_LIMIT)
    await harness.wait_for_state("a", "Stalled")

    stalled = await harness.condition("a", "Stalled")
    assert "RecoveryExhausted" == stalled["reason"]
    assert OWN_LIMIT.strip() in stalled["message"]


async def test_pods_that_are_deleted_before_they_are_scheduled_are_paced(harness: OperatorHarness) -> None:
    """Somebody deletes each of them at once; in twelve seconds there are three, and the session says what happens."""
    harness.node.start_pods = False
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")

    async def delete_each() -> None:
        while True:
            if await harness.pod("a") is not None:
                await harness.admin.remove_pod(harness.namespace, "a")
            await asyncio.sleep(0.02)

    deleting = asyncio.create_task(delete_each())
    await harness.wait_for_condition("a", "Recovering", reason="DeletedBeforeStart")
    await asyncio.sleep(12)
    deleting.cancel()
    harness.node.start_pods = True

    assert 2 <= harness.audit.writes().count("create pods") <= 4
    await harness.wait_for_state("a", "QRPending", within=60)
    status = await harness.wait_for("a", Expectation("came up", lambda now: "failedStarts" not in now["recovery"]))
    assert 0 == status["recovery"]["consecutiveFailures"]


async def test_a_lost_node_is_named_and_waited_for(harness: OperatorHarness) -> None:
    """It loses its power: the node controller takes the readiness away, and later deletes the pod, which stays."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    harness.node.finish_pods = False
    await harness.node.close(first["podUID"])
    pod = await harness.admin.get("pods", harness.namespace, "a")
    kept = [condition for condition in pod["status"]["conditions"] if condition["type"] != "Ready"]
    silent = [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]
    await harness.node.status("a", {"conditions": [*kept, *silent]})

    ready = await harness.wait_for_condition("a", "Ready", reason="NodeLost", within=40)
    assert f"kubectl taint nodes {NODE} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute" in ready["message"]
    await harness.admin.delete("pods", harness.namespace, "a")
    recovering = await harness.wait_for_condition("a", "Recovering", reason="NodeLost")
    assert ready["message"] == recovering["message"]
    await harness.check_stays(_only(harness, first["podUID"]), "the pod of the lost node", during=5)
    assert "delete pods" not in harness.audit.writes()

    harness.node.finish_pods = True  # the node is back, or a person has said that it never will be
    new = await harness.wait_for_new_pod("a", first["podUID"])
    status = await harness.wait_for_report("a", new)
    assert 0 == status["recovery"]["consecutiveFailures"]


def _only(harness: OperatorHarness, uid: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        pods = await harness.admin.list("pods", harness.namespace)
        return [uid] == [pod["metadata"]["uid"] for pod in pods]

    return look


async def test_a_probe_that_ended_the_container_is_the_reason(harness: OperatorHarness) -> None:
    """The kubelet's events are found by the pod's UID; the status of the pod says no more than that it stopped."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    first = await harness.wait_for_state("a", "QRPending")
    events = {
        "Killing": "Container runner failed liveness probe",
        "Unhealthy": 'Liveness probe failed: Get "http://10.0.0.7:8080/healthz": context deadline exceeded',
    }
    for reason, note in events.items():
        await harness.admin.create(
            "events", harness.namespace, _event(harness.namespace, first["podUID"], reason, note)
        )

    await harness.node.end("a", code=0, reason="Completed")
    await harness.wait_for_new_pod("a", first["podUID"])

    failure = (await harness.status("a"))["recovery"]["lastFailure"]
    assert ("LivenessProbeFailed", 0) == (failure["reason"], failure["exitCode"])
    assert "Its own loop was too slow" in failure["message"]


def _event(namespace: str, pod_uid: str, reason: str, note: str) -> Json:
    """An event as the kubelet records it, through the older API."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"a.{reason.lower()}", "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": "a", "uid": pod_uid},
        "reason": reason,
        "message": note,
        "type": "Warning",
        "source": {"component": "kubelet", "host": NODE},
        "firstTimestamp": stamp(),
        "lastTimestamp": stamp(),
        "count": 1,
    }
