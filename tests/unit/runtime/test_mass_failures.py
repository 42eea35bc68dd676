"""Sessions that fail together: what is paused, whose, and what pauses nothing."""

from typing import Any

import pytest
from unit.runtime.simulation import NAMESPACE, SIX, Simulation


def pause_events(simulation: Simulation) -> list[dict[str, Any]]:
    """Return the events that tell of a pause."""
    events = simulation.api.all("events")
    return [event for event in events if event["reason"] == "RecoveryPaused" and event["regarding"]["kind"] == "Lease"]


@pytest.mark.slow
async def test_a_mass_failure_pauses_recovery(simulation: Simulation) -> None:
    """Three of six fail within a minute: no new pods for them until five quiet minutes have passed; told and measured."""
    await simulation.up(*SIX)
    for name in SIX[:3]:
        simulation.end(name, code=32)
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "RecoveryPaused"))
    paused = simulation.gauge("whatsapp_operator_recovery_paused")
    await simulation.rest(240)
    during = [simulation.api.created["pods", name] for name in SIX]
    simulation.session("new")
    await simulation.until(lambda: simulation.state("new") == "QRPending", within=30)

    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in SIX), within=120)

    assert 1.0 == paused
    assert [1, 1, 1, 1, 1, 1] == during
    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused")


async def test_a_pause_survives_a_restart(simulation: Simulation) -> None:
    """The failures stand in status: a new process pauses by itself."""
    await simulation.up(*SIX)
    for name in SIX[:3]:
        simulation.end(name, code=32)
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "RecoveryPaused"))
    simulation.kill()
    await simulation.start()
    await simulation.rest(120)

    assert [None, None, None] == [simulation.pod(name) for name in SIX[:3]]
    assert 1.0 == simulation.gauge("whatsapp_operator_recovery_paused")


async def test_a_tenants_failures_pause_its_own_namespace(simulation: Simulation) -> None:
    """All of its sessions fail, again and again; the neighbour's are replaced as ever, and the event names who it is."""
    simulation.namespace("hostile")
    await simulation.up("a", "b")
    bad = ("x", "y", "z")
    for name in bad:
        simulation.session(name, namespace="hostile")
    await simulation.until(lambda: all(simulation.pod_uid(name, namespace="hostile") for name in bad))
    await simulation.rest(30)
    for name in bad:
        simulation.end(name, code=32, namespace="hostile")
    await simulation.until(lambda: simulation.gauge("whatsapp_operator_recovery_paused_namespaces") == 1.0, within=10)
    simulation.end("a", code=32)
    before = simulation.pod_uid("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", before), within=30)

    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused")
    named = "whatsapp_operator_namespace_recovery_paused"
    assert (1.0, 0.0) == tuple(simulation.gauge(named, session_namespace=name) for name in ("hostile", NAMESPACE))
    await simulation.until(lambda: "RecoveryPaused" in str(simulation.api.get("whatsappsessions", "hostile", "x")))
    assert "Recovery is paused in this namespace" in str(simulation.api.get("whatsappsessions", "hostile", "x"))
    [event] = pause_events(simulation)
    assert ("Warning", "PausingRecovery") == (event["type"], event["action"])
    assert "in the namespace hostile: 3 of its sessions" in event["note"]


@pytest.mark.slow
async def test_several_namespaces_that_fail_together_pause_the_cluster(simulation: Simulation) -> None:
    """All of ten in two namespaces: nobody is replaced; a session that never failed may start; the event names both."""
    simulation.namespace("club")
    await simulation.up(*SIX[:5])
    for name in SIX[:5]:
        simulation.session(name, namespace="club")
    await simulation.until(lambda: all(simulation.pod_uid(name, namespace="club") for name in SIX[:5]))
    await simulation.rest(30)
    for name in SIX[:5]:
        simulation.end(name, code=32)
        simulation.end(name, code=32, namespace="club")
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "RecoveryPaused"))
    simulation.namespace("new")
    simulation.session("first", namespace="new")
    await simulation.until(lambda: simulation.pod_uid("first", namespace="new"), within=30)

    assert 1.0 == simulation.gauge("whatsapp_operator_recovery_paused")
    assert 3.0 == simulation.gauge("whatsapp_operator_recovery_paused_namespaces")
    assert any("in the namespaces club, shop" in event["note"] for event in pause_events(simulation))
    await simulation.until(lambda: all(simulation.pod_uid(name) for name in SIX[:5]), within=420)
    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused_namespaces")


@pytest.mark.slow
async def test_a_session_made_anew_every_four_minutes_keeps_nothing_paused(simulation: Simulation) -> None:
    """It fails each time; the three that began the pause are back after five minutes all the same."""
    await simulation.up(*SIX)
    for name in SIX[:3]:
        simulation.end(name, code=32)
    await simulation.until(lambda: simulation.condition("a", "Recovering") == ("True", "RecoveryPaused"))
    for number in range(2):
        simulation.session(f"again-{number}")
        await simulation.until(lambda name=f"again-{number}": simulation.pod_uid(name), within=30)  # type: ignore[misc]
        simulation.end(f"again-{number}", code=32)
        await simulation.rest(150)
        simulation.api.remove("whatsappsessions", "shop", f"again-{number}")

    await simulation.until(lambda: all(simulation.pod_uid(name) for name in SIX[:3]), within=30)


@pytest.mark.slow
async def test_few_failures_among_many_pause_nothing_at_a_start(simulation: Simulation) -> None:
    """A new process hears of sessions before it hears of pods; three failures of twelve stay three of twelve."""
    names = [f"s{number:02}" for number in range(12)]
    await simulation.up(*names)
    for name in names[:3]:
        simulation.end(name, code=30)
    await simulation.rest(2)
    simulation.kill()
    await simulation.start()
    await simulation.until(lambda: all(simulation.api.created["pods", name] == 2 for name in names[:3]), within=20)

    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused")


async def test_lost_pods_pause_nothing(simulation: Simulation) -> None:
    """A node goes down with half of the fleet: all are replaced at once."""
    await simulation.up(*SIX)
    before = {name: simulation.pod_uid(name) for name in SIX[:3]}
    for name in before:
        simulation.evict(name)

    await simulation.until(lambda: all(simulation.pod_uid(name) not in ("", before[name]) for name in before), within=5)

    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused")


async def test_the_neighbours_failures_pause_nothing_here(simulation: Simulation) -> None:
    """Another operator's sessions fail in a row; ours goes on recovering."""
    simulation.namespace("theirs", {"wasession.dev/instance": "demo"})
    await simulation.up("a")
    failure = {"reason": "BrowserExited", "exitCode": 32, "podUID": "p", "time": simulation._stamp()}
    for name in ("x", "y", "z"):
        simulation.session(name, namespace="theirs")
        status = {"status": {"recovery": {"consecutiveFailures": 1, "restarts": 0, "lastFailure": failure}}}
        simulation.api.change("whatsappsessions", "theirs", name, status, status=True)
    await simulation.rest(70)

    assert 0.0 == simulation.gauge("whatsapp_operator_recovery_paused")
