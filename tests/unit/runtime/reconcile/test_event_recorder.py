"""Kubernetes events: one object per fact, counted when it repeats, and never a flood."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, MemoryApi
from whatsapp_operator.core.decision import Event
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.resources import Json
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.event_correlator import BURST, COMBINED, SERIES_WINDOW
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder

SESSION: Json = {
    "apiVersion": "wasession.dev/v1alpha1",
    "kind": "WhatsAppSession",
    "metadata": {"namespace": "shop", "name": "sales", "uid": "u1"},
}
EVENT = Event(type="Warning", action="Running", reason="RunnerFailed", message="The page died.", pod="sales")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> MemoryApi:
    """An empty API server."""
    return MemoryApi(now=clock.now)


@pytest.fixture
def metrics() -> Metrics:
    """What is counted."""
    return Metrics()


@pytest.fixture
async def events(api: MemoryApi, clock: FakeClock, metrics: Metrics) -> AsyncIterator[EventRecorder]:
    """A writer of events with room for a hundred, at work."""
    events = EventRecorder(
        kube=Kube(api, timeout=30),
        clock=clock,
        metrics=metrics,
        component="whatsapp-operator",
        instance="pod-1",
        queue_size=100,
    )
    task = asyncio.create_task(events.run())
    yield events
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def record(events: EventRecorder, about: Json, recorded: Event) -> None:
    """Tell it, and let it be written."""
    events.record(about, recorded)
    await events.drain(within=5)


def counted(metrics: Metrics, result: str) -> float:
    """Return how many events came to this."""
    value = metrics.registry.get_sample_value("whatsapp_operator_events_total", {"result": result})
    return value or 0.0


def stored(api: MemoryApi) -> list[Json]:
    """Return the events that are there."""
    return api.all("events")


async def test_an_event_names_what_it_is_about(events: EventRecorder, api: MemoryApi) -> None:
    """`kubectl describe` finds it by the object's UID."""
    await record(events, SESSION, EVENT)

    (event,) = stored(api)
    assert ("Warning", "Running", "RunnerFailed", "The page died.") == (
        event["type"],
        event["action"],
        event["reason"],
        event["note"],
    )
    assert {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "namespace": "shop",
        "name": "sales",
        "uid": "u1",
    } == event["regarding"]
    assert {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "sales"} == event["related"]
    assert ("whatsapp-operator", "pod-1") == (event["reportingController"], event["reportingInstance"])
    assert "shop" == event["metadata"]["namespace"]


async def test_an_event_about_no_pod_names_none(events: EventRecorder, api: MemoryApi) -> None:
    """A secondary object is there where one is meant."""
    await record(events, SESSION, replace(EVENT, pod=None))

    assert "related" not in stored(api)[0]


async def test_a_repetition_is_counted(events: EventRecorder, api: MemoryApi, clock: FakeClock) -> None:
    """One line with a count, not a hundred lines; a single one is no series."""
    await record(events, SESSION, EVENT)
    single = "series" in stored(api)[0]
    for _ in range(2):
        await clock.advance(60)
        await record(events, SESSION, EVENT)

    (event,) = stored(api)
    assert (False, 3) == (single, event["series"]["count"])
    assert event["series"]["lastObservedTime"] > event["eventTime"]


async def test_a_repetition_that_may_not_be_written_is_counted(
    events: EventRecorder, api: MemoryApi, clock: FakeClock
) -> None:
    """The next write tells of it: a person reads how often it really was."""
    for _ in range(BURST + 20):
        await record(events, SESSION, EVENT)
    await clock.advance(60)
    await record(events, SESSION, EVENT)

    assert [BURST + 21] == [event["series"]["count"] for event in stored(api)]


async def test_repetitions_while_one_waits_are_one_write(events: EventRecorder, api: MemoryApi) -> None:
    """They are counted before the first of them is written, and it is written with all."""
    for _ in range(4):
        events.record(SESSION, EVENT)
    await events.drain(within=5)

    assert [4] == [event["series"]["count"] for event in stored(api)]
    assert 1 == sum("events" in request.path for request in api.requests)


async def test_what_was_counted_of_an_event_that_is_gone_is_not_lost(
    events: EventRecorder, api: MemoryApi, clock: FakeClock
) -> None:
    """The new one has the count of all that the old one did not tell."""
    for _ in range(BURST + 3):
        await record(events, SESSION, EVENT)
    api.remove("events", "shop", stored(api)[0]["metadata"]["name"])
    await clock.advance(60)

    await record(events, SESSION, EVENT)

    assert [4] == [event["series"]["count"] for event in stored(api)]


async def test_events_that_differ_in_their_texts_alone_are_combined(
    events: EventRecorder, api: MemoryApi, clock: FakeClock
) -> None:
    """After ten of them, whatever else comes is one line with a count."""
    for number in range(14):
        await clock.advance(30)
        await record(events, SESSION, replace(EVENT, message=f"Round {number}."))

    *single, combined = stored(api)
    assert [f"Round {number}." for number in range(10)] == [event["note"] for event in single]
    assert (f"{COMBINED}Round 10.", 4) == (combined["note"], combined["series"]["count"])


async def test_another_message_is_another_event(events: EventRecorder, api: MemoryApi) -> None:
    """What differs is told apart."""
    await record(events, SESSION, EVENT)
    await record(events, SESSION, replace(EVENT, message="Out of memory."))

    assert 2 == len(stored(api))


async def test_another_session_of_that_name_has_events_of_its_own(events: EventRecorder, api: MemoryApi) -> None:
    """Deleted and applied anew: another UID, another event."""
    await record(events, SESSION, EVENT)
    await record(events, {**SESSION, "metadata": {**SESSION["metadata"], "uid": "u2"}}, EVENT)

    assert 2 == len(stored(api))


async def test_an_old_event_is_not_counted_further(events: EventRecorder, api: MemoryApi, clock: FakeClock) -> None:
    """The API server forgets events after an hour; a new one is made before that."""
    await record(events, SESSION, EVENT)
    await clock.advance(SERIES_WINDOW + 1)
    await record(events, SESSION, EVENT)

    assert [False, False] == ["series" in event for event in stored(api)]


async def test_an_event_that_is_gone_is_made_anew(events: EventRecorder, api: MemoryApi, clock: FakeClock) -> None:
    """Somebody deleted it, or the server keeps events shorter."""
    await record(events, SESSION, EVENT)
    api.remove("events", "shop", stored(api)[0]["metadata"]["name"])
    await clock.advance(5)

    await record(events, SESSION, EVENT)

    assert [False] == ["series" in event for event in stored(api)]


async def test_one_object_cannot_flood(events: EventRecorder, api: MemoryApi, clock: FakeClock) -> None:
    """A burst is cut off, and regained slowly; another object is not affected."""
    for number in range(100):
        await record(events, SESSION, replace(EVENT, message=str(number)))
    cut = len(stored(api))
    await clock.advance(60)
    await record(events, SESSION, EVENT)

    assert (BURST, BURST + 1) == (cut, len(stored(api)))


async def test_events_about_cluster_scoped_objects_go_to_default(events: EventRecorder, api: MemoryApi) -> None:
    """That is where kubectl looks for them."""
    quota = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSessionQuota"}
    await record(events, {**quota, "metadata": {"name": "default", "uid": "q1"}}, EVENT)

    (event,) = stored(api)
    assert "default" == event["metadata"]["namespace"]
    assert "namespace" not in event["regarding"]


@pytest.mark.parametrize(("letter", "bytes_each"), [("x", 1), ("ü", 2), ("€", 3), ("🙂", 4)])
async def test_a_long_note_is_cut(events: EventRecorder, api: MemoryApi, letter: str, bytes_each: int) -> None:
    """The API server would refuse the event otherwise. It counts bytes, and no letter is cut in two."""
    await record(events, SESSION, replace(EVENT, message=letter * 5000))

    assert letter * (1024 // bytes_each) == stored(api)[0]["note"]


async def test_long_texts_are_cut(events: EventRecorder, api: MemoryApi) -> None:
    """A reason comes from a condition, which may have a longer one."""
    await record(events, SESSION, replace(EVENT, reason="R" * 1000, action="A" * 200))

    assert ("R" * 128, "A" * 128) == (stored(api)[0]["reason"], stored(api)[0]["action"])


async def test_half_a_character_is_no_reason_to_fail(events: EventRecorder, api: MemoryApi) -> None:
    """A lone surrogate, as JSON may hold one, cannot be written: a question mark stands for it."""
    await record(events, SESSION, replace(EVENT, message="odd \ud800"))

    assert "odd ?" == stored(api)[0]["note"]


async def test_every_event_has_a_name_of_its_own(events: EventRecorder, api: MemoryApi) -> None:
    """In the same moment too, whatever it is that differs; each is a valid name."""
    for recorded in (EVENT, replace(EVENT, type="Normal"), replace(EVENT, reason="Other"), replace(EVENT, message="m")):
        await record(events, SESSION, recorded)
    await record(events, {**SESSION, "metadata": {**SESSION["metadata"], "uid": "u2"}}, EVENT)
    await record(
        events, {**SESSION, "metadata": {"namespace": "shop", "name": "x" * 199 + "." + "y" * 9, "uid": "u3"}}, EVENT
    )

    names = [event["metadata"]["name"] for event in stored(api)]
    assert 6 == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]+)", name) for name in names)


@pytest.mark.parametrize("fault", [Fault(), Fault(status=403), Fault(status=500), Fault(status=429)])
async def test_an_event_that_cannot_be_written_is_tried_again(
    events: EventRecorder, api: MemoryApi, metrics: Metrics, clock: FakeClock, fault: Fault
) -> None:
    """After a while; what comes meanwhile is held, and written as well."""
    api.fault = lambda _request, _number: fault
    await record(events, SESSION, EVENT)
    api.fault = lambda _request, _number: None
    await record(events, SESSION, replace(EVENT, message="Another."))
    early = stored(api)

    await clock.advance(3)

    assert [] == early
    assert {"The page died.", "Another."} == {event["note"] for event in stored(api)}
    assert (1, 2) == (counted(metrics, "error"), counted(metrics, "written"))


async def test_refused_events_are_tried_less_and_less_often(
    events: EventRecorder, api: MemoryApi, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A namespace that takes no events costs a few requests, however many there are; the log tells once."""
    api.fault = lambda _request, _number: Fault(status=403)
    for number in range(40):
        await record(events, {**SESSION, "metadata": {**SESSION["metadata"], "uid": f"u{number}"}}, EVENT)
    await clock.advance(300)

    assert 10 > len(api.requests)
    assert 1 == caplog.text.count("Event could not be written")


async def test_one_event_that_is_invalid_blocks_no_other(
    events: EventRecorder, api: MemoryApi, clock: FakeClock
) -> None:
    """It is refused for itself: the others are written, and it is given up."""
    api.fault = lambda request, _: Fault(status=422) if "odd" in str(request.body) else None
    await record(events, SESSION, replace(EVENT, message="odd"))
    await record(events, SESSION, EVENT)
    await clock.advance(60)
    requests = len(api.requests)
    await record(events, SESSION, replace(EVENT, message="Another."))
    await clock.advance(600)

    assert {"The page died.", "Another."} == {event["note"] for event in stored(api)}
    assert requests + 1 >= len(api.requests)


async def test_an_event_in_a_terminating_namespace_is_given_up(
    events: EventRecorder, api: MemoryApi, clock: FakeClock
) -> None:
    """Nothing can be created there any more, and nobody has to know."""
    api.fault = lambda _request, _number: Fault(status=403, cause="NamespaceTerminating")
    await record(events, SESSION, EVENT)
    await clock.advance(600)

    assert 1 == len(api.requests)


class Hangs:
    """An API server that takes requests and does not answer them until it is let go."""

    def __init__(self, api: MemoryApi) -> None:
        self.api = api
        self.goes_on = asyncio.Event()

    async def send(self, request: Request) -> Response:
        """Wait, then answer."""
        await self.goes_on.wait()
        return await self.api.send(request)


def other(number: int) -> Json:
    """Return one of many sessions."""
    return {**SESSION, "metadata": {**SESSION["metadata"], "uid": f"u{number}", "spec": "x" * 1000}}


async def test_a_server_that_hangs_holds_nobody_up(
    api: MemoryApi, clock: FakeClock, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    """Telling returns at once; what the queue has no room for is counted and logged once; the rest is written later."""
    server = Hangs(api)
    events = EventRecorder(
        kube=Kube(server, timeout=30), clock=clock, metrics=metrics, component="x", instance="pod-1", queue_size=3
    )
    task = asyncio.create_task(events.run())
    for number in range(6):
        events.record(other(number), EVENT)
        await asyncio.sleep(0)
    dropped, logged = counted(metrics, "dropped"), caplog.text.count("Events are dropped")
    server.goes_on.set()
    await events.drain(within=5)
    events.record(other(7), EVENT)
    await events.drain(within=5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    # One was in the hands of the writer, three waited.
    assert (2.0, 1) == (dropped, logged)
    assert 5 == len(stored(api)) == counted(metrics, "written")


async def test_the_end_waits_for_events_only_so_long(
    api: MemoryApi, clock: FakeClock, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    """Two that could not be written in time are counted as dropped, and the log tells."""
    events = EventRecorder(
        kube=Kube(Hangs(api), timeout=30), clock=clock, metrics=metrics, component="x", instance="pod-1"
    )
    task = asyncio.create_task(events.run())
    events.record(other(1), EVENT)
    events.record(other(2), EVENT)
    await events.drain(within=0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert 2.0 == counted(metrics, "dropped")
    assert "the process is stopping" in caplog.text


async def test_a_fault_of_our_own_ends_the_writer(clock: FakeClock, metrics: Metrics) -> None:
    """It is not swallowed: the operator sees that the task has ended, and ends itself."""

    class Broken:
        async def send(self, request: Request) -> Response:
            raise ZeroDivisionError(request.path)

    events = EventRecorder(
        kube=Kube(Broken(), timeout=30), clock=clock, metrics=metrics, component="x", instance="pod-1"
    )
    task = asyncio.create_task(events.run())
    events.record(SESSION, EVENT)

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(task, 5)


async def test_one_object_that_floods_is_counted(events: EventRecorder, metrics: Metrics) -> None:
    """What is cut off shows in the metrics."""
    for number in range(BURST + 3):
        await record(events, SESSION, replace(EVENT, message=str(number)))

    assert (3.0, float(BURST)) == (counted(metrics, "throttled"), counted(metrics, "written"))
