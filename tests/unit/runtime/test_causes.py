"""Causes over hours, through the whole runtime: what comes from outside is paced, named, and over by itself."""

from collections.abc import Callable
from typing import Any

import pytest
from unit.runtime.simulation import NAMESPACE, Simulation

HOUR = 3600.0


def causes(simulation: Simulation, cause: str) -> float:
    """Return how often the running operator has met a cause."""
    assert simulation.operator is not None
    registry = simulation.operator._dependencies.metrics.registry
    return registry.get_sample_value("whatsapp_operator_pod_causes_total", {"cause": cause}) or 0.0


def each_new_pod(simulation: Simulation, happens: Callable[[str], None]) -> None:
    """Let something happen to each pod, a moment after it was created."""

    def watch(plural: str, event: str, obj: dict[str, Any]) -> None:
        if plural == "pods" and event == "ADDED":
            simulation.clock.call_later(0.05, lambda: happens(obj["metadata"]["name"]))

    simulation.api.watchers.append(watch)


async def rests(simulation: Simulation, hours: float) -> None:
    """Let hours pass, in steps that are shorter than any wait."""
    await simulation.rest(hours * HOUR)


def refuse(simulation: Simulation, name: str, reason: str, message: str) -> None:
    """The kubelet refuses the pod: it stays as Failed, and nothing of it ever ran."""
    status = {"phase": "Failed", "reason": reason, "message": message}
    simulation.api.change("pods", NAMESPACE, name, {"status": status}, status=True)


@pytest.mark.slow
async def test_pods_that_are_deleted_before_they_are_scheduled_are_paced_for_hours(simulation: Simulation) -> None:
    """Not a thousand in a minute: a handful in the first, then one in five minutes; left alone, the session is back."""
    simulation.start_pods = False
    deletes = [True]

    def delete(name: str) -> None:
        if deletes[0]:
            simulation.api.remove("pods", NAMESPACE, name)

    each_new_pod(simulation, delete)
    await simulation.start()
    simulation.session("a")
    await simulation.rest(60)
    first_minute = simulation.api.created["pods", "a"]
    await rests(simulation, 0.08)
    total = simulation.api.created["pods", "a"]

    assert 4 <= first_minute <= 6
    assert total <= first_minute + 2 * 12 + 4
    assert ("True", "DeletedBeforeStart") == simulation.condition("a", "Recovering")
    assert ("False", "NotStalled") == simulation.condition("a", "Stalled")
    assert total == causes(simulation, "DeletedBeforeStart")
    deletes[0], simulation.start_pods = False, True
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=1800)
    await simulation.until(lambda: "failedStarts" not in simulation.status("a")["recovery"], within=35)
    assert 0 == simulation.status("a")["recovery"].get("consecutiveFailures", 0)


@pytest.mark.parametrize("reason", ["OutOfmemory", "UnexpectedAdmissionError", "Bewitched"])
async def test_a_node_that_refuses_for_hours_never_stalls(simulation: Simulation, reason: str) -> None:
    """The reason of any kubelet; when the node takes pods again, the session is back within the cap."""
    refuses = [True]
    simulation.start_pods = False

    def answer(name: str) -> None:
        if refuses[0]:
            refuse(simulation, name, reason, "Pod was rejected: no")

    each_new_pod(simulation, answer)
    simulation.api.watchers.append(
        lambda plural, event, obj: (
            simulation.api.remove("pods", NAMESPACE, obj["metadata"]["name"])
            if plural == "pods" and event == "MODIFIED" and "deletionTimestamp" in obj["metadata"]
            else None
        )
    )
    await simulation.start()
    simulation.session("a", recovery={"maxAttempts": 1})
    await rests(simulation, 0.08)

    assert simulation.api.created["pods", "a"] <= 32
    assert ("True", reason) == simulation.condition("a", "Recovering")
    assert ("False", "NotStalled") == simulation.condition("a", "Stalled")
    assert ("True", "Admitted") == simulation.condition("a", "Admitted")
    assert causes(simulation, "NodeRefused") >= 5
    refuses[0], simulation.start_pods = False, True
    await simulation.until(lambda: simulation.state("a") == "QRPending", within=1800)


@pytest.mark.slow
async def test_running_pods_that_are_evicted_seven_times_in_ten_minutes_are_replaced_at_once(
    simulation: Simulation,
) -> None:
    """The node is under pressure: each time the next pod is there within seconds."""
    await simulation.up("a", recovery={"maxAttempts": 1})
    for _ in range(7):
        await simulation.rest(80)
        before = simulation.pod_uid("a")
        status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
        simulation.api.change("pods", NAMESPACE, "a", {"status": status}, status=True)
        await simulation.until(
            lambda uid=before: simulation.pod_uid("a") not in ("", uid) and simulation.state("a") == "QRPending",  # type: ignore[misc]
            within=10,
        )

    assert 0 == simulation.status("a")["recovery"].get("consecutiveFailures", 0)
    assert 7.0 == causes(simulation, "NodePressure")


@pytest.mark.slow
async def test_evictions_for_the_pods_own_limit_stall_it(simulation: Simulation) -> None:
    """Six times, and not sixty; the metric names the cause."""
    await simulation.up("a")
    message = "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. "

    def evict() -> None:
        status = {"phase": "Failed", "reason": "Evicted", "message": message}
        simulation.api.change("pods", NAMESPACE, "a", {"status": status}, status=True)

    for _ in range(6):
        await simulation.until(lambda: simulation.state("a") == "QRPending", within=120)
        evict()
        await simulation.rest(3)
    await rests(simulation, 1)

    assert 6 == simulation.api.created["pods", "a"]
    assert ("True", "RecoveryExhausted") == simulation.condition("a", "Stalled")
    assert "exceeds the total limit of containers 2Gi" in str(simulation.status("a")["conditions"])
    assert 6.0 == causes(simulation, "EphemeralStorageLimit")


async def test_an_end_that_nobody_knows_is_counted_and_measured(simulation: Simulation) -> None:
    """Its facts are in the condition."""
    await simulation.up("a")
    simulation.end("a", code=77)
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "BackingOff"), within=10)

    assert 1.0 == causes(simulation, "Unknown")
    assert "a cause that the operator does not know (phase Failed, exit code 77)" in str(simulation.status("a"))
