"""Kubernetes events: one object per fact, counted when it repeats, and never a flood."""

from typing import Any

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, MemoryApi
from whatsapp_operator.core.model import EventNote
from whatsapp_operator.runtime.client import Kube
from whatsapp_operator.runtime.events import BURST, LONGEST, REMEMBER, Events

SESSION = {
    "apiVersion": "wasession.dev/v1alpha1",
    "kind": "WhatsAppSession",
    "metadata": {"namespace": "shop", "name": "sales", "uid": "u1"},
}
NOTE = EventNote(type="Warning", reason="RunnerFailed", message="The page died.")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> MemoryApi:
    """An empty API server."""
    return MemoryApi(now=clock.now)


@pytest.fixture
def events(api: MemoryApi, clock: FakeClock) -> Events:
    """A writer of events."""
    return Events(kube=Kube(api, timeout=30), clock=clock, component="whatsapp-operator", instance="pod-1")


def told(api: MemoryApi) -> list[dict[str, Any]]:
    """Return the events that are there."""
    return api.all("events")


async def test_an_event_names_what_it_is_about(events: Events, api: MemoryApi) -> None:
    """`kubectl describe` finds it by the object's UID."""
    await events.tell(SESSION, NOTE)

    (event,) = told(api)
    assert ("Warning", "RunnerFailed", "The page died.", 1) == (
        event["type"],
        event["reason"],
        event["message"],
        event["count"],
    )
    assert {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "namespace": "shop",
        "name": "sales",
        "uid": "u1",
    } == event["involvedObject"]
    assert "shop" == event["metadata"]["namespace"]


async def test_a_repetition_is_counted(events: Events, api: MemoryApi, clock: FakeClock) -> None:
    """One line with a count, not a hundred lines."""
    for _ in range(3):
        await events.tell(SESSION, NOTE)
        await clock.advance(60)

    (event,) = told(api)
    assert 3 == event["count"]
    assert event["lastTimestamp"] > event["firstTimestamp"]


async def test_another_message_is_another_event(events: Events, api: MemoryApi) -> None:
    """What differs is told apart."""
    await events.tell(SESSION, NOTE)
    await events.tell(SESSION, EventNote(type="Warning", reason="RunnerFailed", message="Out of memory."))

    assert 2 == len(told(api))


async def test_another_session_of_that_name_has_events_of_its_own(events: Events, api: MemoryApi) -> None:
    """Deleted and applied anew: another UID, another event."""
    await events.tell(SESSION, NOTE)
    await events.tell({**SESSION, "metadata": {**SESSION["metadata"], "uid": "u2"}}, NOTE)  # type: ignore[dict-item]

    assert 2 == len(told(api))


async def test_an_old_event_is_not_counted_further(events: Events, api: MemoryApi, clock: FakeClock) -> None:
    """The API server forgets events after an hour; a new one is made before that."""
    await events.tell(SESSION, NOTE)
    await clock.advance(REMEMBER + 1)
    await events.tell(SESSION, NOTE)

    assert [1, 1] == [event["count"] for event in told(api)]


async def test_an_event_that_is_gone_is_made_anew(events: Events, api: MemoryApi, clock: FakeClock) -> None:
    """Somebody deleted it, or the server keeps events shorter."""
    await events.tell(SESSION, NOTE)
    api.remove("events", "shop", told(api)[0]["metadata"]["name"])
    await clock.advance(5)

    await events.tell(SESSION, NOTE)

    assert [1] == [event["count"] for event in told(api)]


async def test_one_object_cannot_flood(events: Events, api: MemoryApi, clock: FakeClock) -> None:
    """A burst is cut off, and regained slowly; another object is not affected."""
    for number in range(100):
        await events.tell(SESSION, EventNote(type="Normal", reason="X", message=str(number)))
    cut = len(told(api))
    await clock.advance(60)
    await events.tell(SESSION, NOTE)

    assert (BURST, BURST + 1) == (cut, len(told(api)))


async def test_events_about_cluster_scoped_objects_go_to_default(events: Events, api: MemoryApi) -> None:
    """That is where kubectl looks for them."""
    quota = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSessionQuota"}
    await events.tell({**quota, "metadata": {"name": "default", "uid": "q1"}}, NOTE)

    (event,) = told(api)
    assert "default" == event["metadata"]["namespace"]
    assert "namespace" not in event["involvedObject"]


async def test_a_long_message_is_cut(events: Events, api: MemoryApi) -> None:
    """The API server would refuse the event otherwise."""
    await events.tell(SESSION, EventNote(type="Normal", reason="X", message="x" * 5000))

    assert LONGEST == len(told(api)[0]["message"])


@pytest.mark.parametrize("fault", [Fault(), Fault(status=403), Fault(status=500), Fault(status=429)])
async def test_an_event_that_cannot_be_written_is_dropped(events: Events, api: MemoryApi, fault: Fault) -> None:
    """Events are told, not relied upon: the session's own work goes on."""
    api.fault = lambda _request, _number: fault
    await events.tell(SESSION, NOTE)
    api.fault = lambda _request, _number: None

    await events.tell(SESSION, NOTE)

    assert [1] == [event["count"] for event in told(api)]
