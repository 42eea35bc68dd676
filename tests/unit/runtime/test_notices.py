"""What the operator writes itself it knows at once: no watch tells it again, and no resync is waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from unit.runtime.simulation import Simulation
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.resources import PODS, Resource
from whatsapp_operator.runtime.store import Change, Store

KEY = ObjectKey("shop", "a")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace."""
    simulation = Simulation()
    simulation.namespace()
    yield simulation
    await simulation.stop()


async def up(simulation: Simulation, *names: str) -> None:
    """Bring sessions up, then let their first minute pass."""
    for name in names:
        simulation.session(name)
    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in names))
    await simulation.rest(10)


def paused(simulation: Simulation) -> bool:
    """Whether recovery is paused."""
    return simulation.operator is not None and simulation.operator.recovery.message is not None


def test_every_way_into_the_store_is_noticed() -> None:
    """An event, an answer, a deletion, a missing object and a LIST: each change is told once, what is known is not."""
    told: list[tuple[Resource, bool, bool]] = []

    def noticed(resource: Resource, change: Change) -> None:
        told.append((resource, change.before is not None, change.after is not None))

    store = Store({PODS: lambda _: ()}, noticed=noticed)
    pod = {"metadata": {"namespace": "shop", "name": "a", "uid": "1", "resourceVersion": "5"}}
    newer = {"metadata": {**pod["metadata"], "resourceVersion": "6"}}
    again = {"metadata": {**pod["metadata"], "resourceVersion": "8"}}

    store.put(PODS, pod)
    store.put(PODS, pod)
    store.put(PODS, newer)
    store.forget(PODS, KEY, version=6)
    store.replace(PODS, [again], version=9)
    store.remove(PODS, again)
    store.remove(PODS, again)

    made, changed, gone = (PODS, False, True), (PODS, True, True), (PODS, True, False)
    assert [made, changed, gone, made, gone] == told


async def test_a_released_place_is_given_on_at_once(simulation: Simulation) -> None:
    """The reservation goes by the operator's own write, after the pod: the one that waits need not wait for a resync."""
    simulation.quota(sessions=1)
    await simulation.start()
    await up(simulation, "a")
    simulation.session("b")
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("False", "QuotaExceeded"))
    await simulation.rest(3)

    simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})

    await simulation.until(lambda: simulation.pod_uid("b"), within=5)


async def test_failures_that_the_operator_wrote_pause_recovery(simulation: Simulation) -> None:
    """Four of five fail together: no pod of theirs is made again until it is quiet for five minutes."""
    simulation.quota(sessions=10)
    await simulation.start()
    await up(simulation, "a", "b", "c", "d", "e")

    for name in ("a", "b", "c", "d"):
        simulation.end(name, code=30)
    await simulation.rest(280)
    during = {name: simulation.api.created["pods", name] for name in ("a", "b", "c", "d", "e")}
    was_paused = paused(simulation)
    await simulation.until(lambda: all(simulation.pod_uid(name) for name in ("a", "b", "c", "d")), within=60)

    assert was_paused
    assert {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1} == during
    assert not paused(simulation)


async def test_a_pause_holds_over_a_restart_of_the_operator(simulation: Simulation) -> None:
    """The failures stand in status: the next process finds the pause before it makes a pod."""
    simulation.quota(sessions=10)
    await simulation.start()
    await up(simulation, "a", "b", "c", "d", "e")
    for name in ("a", "b", "c", "d"):
        simulation.end(name, code=30)
    await simulation.until(lambda: paused(simulation))
    simulation.kill()
    await simulation.start()
    await simulation.rest(60)

    assert paused(simulation)
    assert 4 == sum(simulation.api.created["pods", name] for name in ("a", "b", "c", "d"))


async def test_few_failures_among_many_pause_nothing_at_a_start(simulation: Simulation) -> None:
    """A new process hears of sessions before it hears of pods; three failures of twelve stay three of twelve."""
    names = [f"s{number:02}" for number in range(12)]
    simulation.quota(sessions=20)
    await simulation.start()
    await up(simulation, *names)
    for name in names[:3]:
        simulation.end(name, code=30)
    await simulation.rest(2)
    simulation.kill()
    await simulation.start()
    await simulation.until(lambda: all(simulation.api.created["pods", name] == 2 for name in names[:3]), within=20)

    assert not paused(simulation)
