"""Longer stories in simulated time: pauses, silence, restless runners, refusals, neighbours."""

import itertools
from itertools import pairwise

import pytest
from session_protocol.answers import State
from unit.runtime.memory_api import Fault
from unit.runtime.simulation import NAMESPACE, SIX, Simulation
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.runtime.runners.client import Target


def writes_about(simulation: Simulation, name: str) -> list[str]:
    """Return the writes of a session's status."""
    return [request.path for request in simulation.api.writes if request.path.endswith(f"/{name}/status")]


async def test_a_released_place_is_given_on_at_once(simulation: Simulation) -> None:
    """The reservation goes by the operator's own write, after the pod: who waits need not wait for a resync."""
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 1}})
    await simulation.up("a")
    simulation.session("b")
    await simulation.until(lambda: simulation.condition("b", "Admitted") == ("False", "QuotaExceeded"))
    await simulation.rest(3)

    simulation.edit("a", {"spec": {"operatingMode": "Suspended"}})

    await simulation.until(lambda: simulation.pod_uid("b"), within=5)


@pytest.mark.slow
async def test_a_silent_fleet_is_left_alone(simulation: Simulation) -> None:
    """A default-deny network policy must not recreate the whole fleet."""
    await simulation.up(*SIX)
    uids = [simulation.pod_uid(name) for name in SIX]
    simulation.runners.silent.update(uids)
    for uid in uids:
        simulation.runners.wake(uid)

    await simulation.until(lambda: all(simulation.state(name) == "Unreachable" for name in SIX), within=40)
    ready = simulation.condition("a", "Ready")
    await simulation.rest(600)
    simulation.runners.silent.clear()
    await simulation.until(lambda: all(simulation.state(name) == "QRPending" for name in SIX), within=40)

    assert ("Unknown", "RunnerUnreachable") == ready
    assert uids == [simulation.pod_uid(name) for name in SIX]
    assert not any(key[0] == "pods" for key in simulation.api.deleted)


async def test_an_operators_restart_looks_like_nobodys_silence(simulation: Simulation) -> None:
    """The new process has heard nobody yet, and calls nobody unreachable."""
    await simulation.up("a")
    await simulation.rest(30)
    simulation.kill()
    await simulation.clock.advance(120)
    before = len(simulation.api.writes)
    await simulation.start()
    await simulation.rest(60)

    assert [] == [request.path for request in simulation.api.writes[before:] if "whatsappsessions/" in request.path]


async def test_a_restless_runner_is_written_at_a_bearable_pace(simulation: Simulation) -> None:
    """A word that flaps every three seconds for two minutes: a burst, then one write per five seconds."""
    await simulation.up("a")
    await simulation.rest(60)
    before = len(writes_about(simulation, "a"))
    for number in range(40):
        simulation.say("a", "Connected" if number % 2 else "Reconnecting")
        await simulation.clock.advance(3)

    assert 20 <= len(writes_about(simulation, "a")) - before <= 30


async def test_changes_within_a_second_are_one_write(simulation: Simulation) -> None:
    """Syncing and Connected come together."""
    await simulation.up("a")
    await simulation.rest(60)
    before = len(writes_about(simulation, "a"))
    for state in ("Loading", "Syncing", "Connected"):
        simulation.say("a", state)
        await simulation.clock.advance(0.25)
    await simulation.until(lambda: simulation.state("a") == "Connected")
    await simulation.rest(20)

    assert 1 == len(writes_about(simulation, "a")) - before


async def test_a_waiting_code_writes_once_per_round(simulation: Simulation) -> None:
    """The code changes every twenty seconds; its round every few minutes, and only that is told."""
    await simulation.up("a")
    await simulation.rest(60)
    before = len(writes_about(simulation, "a"))
    for _ in range(5):
        simulation.say("a", "QRPending", "WaitingForScan")
        await simulation.clock.advance(20)

    assert 0 == len(writes_about(simulation, "a")) - before


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (422, "Unprocessable")])
async def test_a_refused_pod_is_reported_and_tried_again(simulation: Simulation, status: int, reason: str) -> None:
    """A namespace's ResourceQuota: the reason is in status, and it goes on by itself when the way is free."""
    simulation.api.fault = lambda request, _: (
        Fault(status=status) if request.method == "POST" and request.path.endswith("/pods") else None
    )
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "Ready")[1] == reason, within=60)
    await simulation.rest(60)
    tries = sum(request.path.endswith("/pods") and request.method == "POST" for request in simulation.api.requests)
    simulation.api.fault = lambda _request, _number: None

    await simulation.until(lambda: simulation.state("a") == "QRPending", within=60)

    assert tries <= 4
    assert "True" == simulation.condition("a", "Admitted")[0]


async def test_a_session_applied_anew_while_its_old_pod_ends(simulation: Simulation) -> None:
    """Same name, another UID: the old pod is waited for, never adopted."""
    await simulation.up("a")
    old = simulation.pod_uid("a")
    session = simulation.api.get("whatsappsessions", NAMESPACE, "a") or {}
    # The garbage collector is slow: the session is gone, its pod is not.
    owners = simulation.api.change("pods", NAMESPACE, "a", {"metadata": {"ownerReferences": None}})
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    simulation.api.change(
        "pods", NAMESPACE, "a", {"metadata": {"ownerReferences": [_owner(session["metadata"]["uid"])]}}
    )
    simulation.session("a")
    await simulation.rest(20)
    waiting = simulation.pod_uid("a")
    simulation.evict("a")

    await simulation.until(lambda: simulation.state("a") == "QRPending", within=90)

    assert owners["metadata"]["uid"] == old == waiting
    assert simulation.pod_uid("a") != old


async def test_a_pod_that_outlives_its_session_is_not_remembered_for_ever(simulation: Simulation) -> None:
    """It changes once more while it ends; with the next resync nothing of either is kept."""
    await simulation.up("a")
    session = simulation.api.get("whatsappsessions", NAMESPACE, "a") or {}
    uid = SessionUID(session["metadata"]["uid"])
    simulation.api.change("pods", NAMESPACE, "a", {"metadata": {"ownerReferences": None}})
    simulation.api.remove("whatsappsessions", NAMESPACE, "a")
    simulation.api.change("pods", NAMESPACE, "a", {"metadata": {"ownerReferences": [_owner(uid)]}})
    await simulation.rest(1)
    operator = simulation.operator
    assert operator is not None
    assert operator.pod_history.since(uid, None)
    await simulation.rest(70)

    assert () == operator.pod_history.since(uid, None)


async def test_a_service_that_somebody_deleted_comes_back(simulation: Simulation) -> None:
    """The pod has lost its name; nothing else happens to it."""
    await simulation.up("a")
    uid = simulation.pod_uid("a")
    simulation.api.remove("services", NAMESPACE, "whatsapp-sessions")

    await simulation.until(lambda: simulation.api.all("services"), within=10)

    assert uid == simulation.pod_uid("a")


async def test_a_neighbours_namespace_is_nobodys_business(simulation: Simulation) -> None:
    """Its sessions are neither read into decisions nor written; a label that goes is noticed at the next resync."""
    simulation.namespace("theirs", {"wasession.dev/instance": "demo"})
    await simulation.up("a")
    simulation.session("x", namespace="theirs")
    await simulation.rest(130)
    before = simulation.api.get("whatsappsessions", "theirs", "x") or {}
    simulation.api.change("namespaces", "", "theirs", {"metadata": {"labels": None}})

    await simulation.until(
        lambda: "status" in (simulation.api.get("whatsappsessions", "theirs", "x") or {}), within=130
    )

    assert "status" not in before


async def test_events_show_the_life_of_a_session(simulation: Simulation) -> None:
    """What a person sees in kubectl describe, after a failure."""
    await simulation.up("a")
    simulation.end("a", code=33)
    uid = simulation.pod_uid("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", uid))
    await simulation.rest(30)

    reasons = {event["reason"] for event in simulation.api.all("events")}
    assert {"Admitted", "PodCreated"} <= reasons
    assert any(event["type"] == "Warning" for event in simulation.api.all("events"))


async def test_the_same_failure_again_and_again_is_slowed_down(simulation: Simulation) -> None:
    """BaseDelay doubles: the pauses between two pods grow."""
    await simulation.up("a", recovery={"maxAttempts": 4, "baseDelay": "4s", "healthyAfter": "10m"})
    made = []
    for _ in range(4):
        uid = simulation.pod_uid("a")
        failed = simulation.clock.seconds
        simulation.end("a", code=30)
        await simulation.until(lambda uid=uid: simulation.pod_uid("a") not in ("", uid))  # type: ignore[misc]
        made.append(simulation.clock.seconds - failed)
        await simulation.until(lambda: simulation.state("a") == "QRPending")

    assert all(later > 1.6 * earlier for earlier, later in pairwise(made))
    assert 3 <= made[0] < 6  # times of failures are in whole seconds


async def test_metrics_count_sessions_by_state(simulation: Simulation) -> None:
    """All of them, as the operator knows them."""
    await simulation.up("a", "b")
    simulation.say("a", "Connected")
    await simulation.until(lambda: simulation.state("a") == "Connected")
    await simulation.clock.advance(1)
    assert simulation.operator is not None
    simulation.operator.measure()
    registry = simulation.operator._dependencies.metrics.registry

    counted = {
        state: registry.get_sample_value("whatsapp_operator_sessions", {"session_namespace": NAMESPACE, "state": state})
        for state in ("Connected", "QRPending")
    }
    assert {"Connected": 1.0, "QRPending": 1.0} == counted
    assert 2.0 == simulation.gauge("whatsapp_operator_runners_listened_to")


async def test_made_up_states_make_no_series(simulation: Simulation) -> None:
    """A runner that says another word each time is `Other`, and so is that of a newer release."""
    await simulation.up("a", "b")
    for number in range(20):
        simulation.say("a", f"Word{number}")
        simulation.say("b", "Levitating")
        await simulation.rest(6)
        assert 2.0 == gauge_of_state(simulation, "Other")
    assert simulation.operator is not None
    series = [
        sample.labels["state"]
        for family in simulation.operator._dependencies.metrics.fleet.collect()
        for sample in family.samples
        if "state" in sample.labels
    ]

    assert ["Other"] * 3 == series


@pytest.mark.slow
async def test_a_restless_runner_costs_a_few_writes_and_hides_nobody(simulation: Simulation) -> None:
    """It says 4,096 other characters in each answer, at once; the honest session beside it is told within a second."""
    await simulation.up("a", "b")
    restless = simulation.pod_uid("a")
    revisions = itertools.count(100)
    answer = simulation.runners.get_state

    async def get_state(target: Target, *, after: int | None) -> State:
        if target.pod_uid != restless:
            return await answer(target, after=after)
        await simulation.clock.sleep(0.001)
        number = next(revisions)
        return State(
            session_uid=target.session_uid,
            pod_uid=restless,
            revision=number,
            state="QRPending",
            reason="R",
            message="#" * 4000 + f" {number % 97}",
        )

    simulation.runners.get_state = get_state  # type: ignore[method-assign]
    await simulation.rest(30)
    before, asked, looked = len(writes_about(simulation, "a")), next(revisions), len(simulation.api.requests)
    await simulation.rest(60)
    writes, questions = len(writes_about(simulation, "a")) - before, next(revisions) - asked
    simulation.say("b", "Connected")
    await simulation.until(lambda: simulation.state("b") == "Connected", within=2)

    assert 1 <= writes <= 14
    assert questions <= 65
    assert len(simulation.api.requests) - looked <= 60


def gauge_of_state(simulation: Simulation, state: str) -> float | None:
    """Return how many sessions are counted with a state."""
    assert simulation.operator is not None
    simulation.operator.measure()
    registry = simulation.operator._dependencies.metrics.registry
    return registry.get_sample_value("whatsapp_operator_sessions", {"session_namespace": NAMESPACE, "state": state})


async def test_an_orderly_stop_leaves_nothing_running(simulation: Simulation) -> None:
    """Workers, polls and loops are gone, and nothing is written afterwards."""
    await simulation.up("a")
    operator = simulation.operator
    assert operator is not None
    simulation.say("a", "Connected")
    await operator.stop(within=5)
    before = len(simulation.api.requests)
    await simulation.clock.advance(300)

    assert before == len(simulation.api.requests)
    assert (0, ()) == (operator.runners.active, operator.workers.tasks)


async def test_a_task_that_ended_is_a_fault(simulation: Simulation) -> None:
    """The process's own check finds it."""
    await simulation.up("a")
    operator = simulation.operator
    assert operator is not None
    before = operator.faults()
    operator.workers.tasks[0].cancel()
    await simulation.clock.advance(1)

    assert ([], ["the task worker 0 has ended"]) == (before, operator.faults())


def _owner(uid: str) -> dict[str, object]:
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "name": "a",
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
