"""What the operator sees may be late, old or full of holes: it must find the truth by itself, and do no harm before."""

import asyncio
import copy
from collections.abc import AsyncIterator

import pytest
from unit.runtime.memory_api import Fault
from unit.runtime.simulation import Simulation
from whatsapp_operator.runtime.kube.client import Request, Response
from whatsapp_operator.runtime.kube.resync import STALE_AFTER


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace and two places."""
    simulation = Simulation()
    simulation.namespace()
    simulation.quota(sessions=2)
    yield simulation
    await simulation.stop()


async def test_a_deletion_that_no_watch_reported_is_found(simulation: Simulation) -> None:
    """410 with the deletion in the gap: within a resync the pod is missed and replaced."""
    await simulation.up("a")
    first = simulation.pod_uid("a")
    simulation.loses_events = True
    simulation.evict("a")
    simulation.loses_events = False

    await simulation.until(lambda: simulation.pod_uid("a") not in ("", first), within=65)


@pytest.mark.parametrize("finalizers", [[], ["example.org/kept"]])
async def test_a_pod_that_went_with_its_session_is_not_made_again(
    simulation: Simulation, finalizers: list[str]
) -> None:
    """Its deletion is heard, the session's not yet; also where a finalizer keeps the session."""
    await simulation.up("a")
    watch = simulation.api.watchers.pop()
    simulation.api.watchers.append(
        lambda plural, *event: None if plural == "whatsappsessions" else watch(plural, *event)
    )
    if finalizers:
        simulation.edit("a", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers}})
        simulation.evict("a")
    else:
        simulation.api.remove("whatsappsessions", "shop", "a")  # and its pod with it
    await simulation.rest(5)

    assert simulation.pod("a") is None
    assert 1 == simulation.api.created["pods", "a"]


async def test_a_pod_that_went_with_its_session_is_made_for_the_next_one_of_that_name(simulation: Simulation) -> None:
    """Neither the deletion nor the new session was heard: the pod that follows, with its claim, belongs to the new one."""
    await simulation.up("a", profile={"retention": "Delete"})
    watch = simulation.api.watchers.pop()
    simulation.api.watchers.append(
        lambda plural, *event: None if plural == "whatsappsessions" else watch(plural, *event)
    )
    simulation.api.remove("whatsappsessions", "shop", "a")  # and its pod with it
    uid = simulation.session("a", profile={"retention": "Delete"})["metadata"]["uid"]
    await simulation.until(lambda: simulation.pod("a"), within=5)

    owned = (simulation.pod("a"), *simulation.api.all("persistentvolumeclaims"))
    assert [uid, uid] == [obj["metadata"]["ownerReferences"][0]["uid"] for obj in owned if obj is not None]
    assert 2 == simulation.api.created["pods", "a"]


async def test_a_lost_session_deletion_frees_its_place(simulation: Simulation) -> None:
    """No phantom holds a slot: the one that waits gets in, though no event told that a place is free."""
    await simulation.up("a", "b")
    simulation.session("c")
    await simulation.until(lambda: simulation.condition("c", "Admitted") == ("False", "QuotaExceeded"))
    simulation.loses_events = True
    simulation.api.remove("whatsappsessions", "shop", "a")
    simulation.loses_events = False

    await simulation.until(lambda: simulation.state("c") == "QRPending", within=70)

    assert simulation.operator is not None
    assert 2 == simulation.operator.runners.active


async def test_a_session_that_no_watch_reported_is_found(simulation: Simulation) -> None:
    """Its creation was missed."""
    await simulation.up("a")
    simulation.loses_events = True
    simulation.session("b")
    simulation.loses_events = False

    await simulation.until(lambda: simulation.state("b") == "QRPending", within=70)


async def test_a_watch_that_is_deaf_for_good_costs_time_only(simulation: Simulation) -> None:
    """Everything still happens, a resync later each; and the process notices that its watch is dead."""
    simulation.loses_events = True
    await simulation.start()
    simulation.session("a")

    await simulation.until(lambda: simulation.state("a") == "QRPending", within=300)
    await simulation.rest(300)

    assert simulation.operator is not None
    verdict = simulation.operator.resync.verdict()
    assert verdict is not None
    assert "has stopped reporting changes" in verdict


@pytest.mark.slow
async def test_a_watch_that_works_is_never_called_dead(simulation: Simulation) -> None:
    """For half an hour with a change now and then, and long pauses."""
    await simulation.up("a")
    for number in range(6):
        simulation.ask("a", "restart-at", f"2026-01-01T00:00:{number:02}Z")
        await simulation.rest(300)
        assert simulation.operator is not None
        assert simulation.operator.resync.verdict() is None


async def test_an_old_view_after_a_restart_makes_nothing_twice(simulation: Simulation) -> None:
    """Time travel: the new process reads from a server that lags behind, before its pod existed."""
    simulation.session("a")
    old = copy.deepcopy(simulation.api.objects)
    await simulation.up()
    await simulation.until(lambda: simulation.state("a") == "QRPending")
    uid = simulation.pod_uid("a")
    simulation.kill()

    simulation.api.snapshot = old
    await simulation.start()
    await simulation.rest(30)
    simulation.api.snapshot = None
    await simulation.rest(120)

    assert uid == simulation.pod_uid("a")
    assert "QRPending" == simulation.state("a")
    assert 1 == simulation.api.created["pods", "a"]
    assert 0 == simulation.api.deleted["pods", "a"]


async def test_late_events_make_nothing_twice(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's own writes come back through the watch only after half a minute."""
    monkeypatch.setattr("unit.runtime.simulation.LATENCY", 30.0)
    await simulation.up("a", "b")
    simulation.end("a", code=30)
    uid = simulation.pod_uid("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", uid))
    await simulation.rest(120)

    assert {"a": 2, "b": 1} == {name: simulation.api.created["pods", name] for name in ("a", "b")}


async def test_repeated_events_change_nothing(simulation: Simulation) -> None:
    """A watch that tells everything three times wakes nobody up for nothing."""
    simulation.api.watchers.append(simulation._watch)
    simulation.api.watchers.append(simulation._watch)
    await simulation.up("a")
    await simulation.rest(70)
    before = len(simulation.api.writes)

    await simulation.rest(120)

    assert before == len(simulation.api.writes)
    assert 1 == simulation.api.created["pods", "a"]


async def test_a_server_that_is_down_for_minutes_is_survived(simulation: Simulation) -> None:
    """No request succeeds for five minutes; then everything that was missed is made up for."""
    await simulation.up("a")
    simulation.api.fault = lambda _request, _number: Fault()
    simulation.evict("a")
    simulation.session("b")
    await simulation.rest(300)
    age = simulation.operator.resync.age if simulation.operator is not None else 0
    simulation.api.fault = lambda _request, _number: None

    await simulation.until(lambda: {simulation.state("a"), simulation.state("b")} == {"QRPending"}, within=120)

    assert age > STALE_AFTER * simulation.resync.total_seconds()


async def test_lists_that_fail_are_tried_again_soon(simulation: Simulation) -> None:
    """A resync that failed is not left until the next minute, and is noticed as stale when none succeeds."""
    await simulation.up("a")
    simulation.api.fault = lambda request, _number: Fault(status=500) if request.method == "GET" else None
    await simulation.rest(200)
    assert simulation.operator is not None
    age, verdict = simulation.operator.resync.age, simulation.operator.resync.verdict()
    await simulation.rest(130)
    final = simulation.operator.resync.verdict()
    simulation.api.fault = lambda _request, _number: None
    await simulation.rest(10)

    assert age > STALE_AFTER * simulation.resync.total_seconds()
    assert verdict is None
    assert "no full list has succeeded" in (final or "")
    assert simulation.operator.resync.verdict() is None


async def test_a_conflict_is_kept_while_no_status_can_be_written(simulation: Simulation) -> None:
    """The pod that said it came and went unwritten: no other one follows, and all of it is told when writing works."""
    await simulation.up("a")

    def fault(request: Request, _number: int) -> Fault | None:
        return Fault(status=500) if request.method == "PATCH" and request.path.endswith("/a/status") else None

    simulation.api.fault = fault
    first = simulation.pod_uid("a")
    simulation.first_state = ("Conflict", "Replaced")
    simulation.evict("a")
    await simulation.until(lambda: simulation.pod_uid("a") not in ("", first))
    second = simulation.pod_uid("a")
    await simulation.rest(10)
    simulation.evict("a")
    await simulation.rest(100)
    between = simulation.pod("a")
    simulation.api.fault = lambda _request, _number: None
    await simulation.until(lambda: simulation.condition("a", "Stalled") == ("True", "Conflict"))
    await simulation.rest(100)

    status = simulation.status("a")
    assert (None, None) == (between, simulation.pod("a"))
    assert 2 == simulation.api.created["pods", "a"]
    assert (second, 0, 1) == (status["podUID"], status["replicas"], status["recovery"]["restarts"])


async def test_each_pod_that_no_status_could_name_is_a_restart(simulation: Simulation) -> None:
    """Pods come and go while writes fail; later all of them are counted."""
    await simulation.up("a")
    simulation.api.fault = lambda request, _number: (
        Fault(status=500) if request.method == "PATCH" and request.path.endswith("/a/status") else None
    )
    for _ in range(3):
        before = simulation.pod_uid("a")
        simulation.evict("a")
        await simulation.until(lambda uid=before: simulation.pod_uid("a") not in ("", uid))  # type: ignore[misc]
    simulation.api.fault = lambda _request, _number: None
    await simulation.until(lambda: simulation.status("a").get("podUID") == simulation.pod_uid("a"))

    assert 3 == simulation.status("a")["recovery"]["restarts"]


async def test_an_api_that_hangs_with_events_delays_nothing(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready is told as quickly as ever, for more sessions than there are workers; no event was written meanwhile."""
    send = simulation.api.send

    async def hanging(request: Request) -> Response:
        if "/events" in request.path:
            await asyncio.Event().wait()
        return await send(request)

    monkeypatch.setattr(simulation.api, "send", hanging)
    simulation.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": 10}})
    names = [f"s{number}" for number in range(10)]
    await simulation.up(*names)
    await simulation.rest(60)
    for name in names:
        simulation.say(name, "Connected")
    await simulation.until(
        lambda: all(simulation.condition(name, "Ready")[0] == "True" for name in names), within=5, step=0.1
    )

    assert [] == simulation.api.all("events")
