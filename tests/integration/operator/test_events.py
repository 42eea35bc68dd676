"""Events on a real API server, written with the operator's own rights: taken as they are, counted, and seen by kubectl."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from whatsapp_operator.core.decision import Event
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import Connection, Credentials
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder

EVENT = Event(type="Warning", action="Running", reason="BrowserExited", message="The runner failed.", pod="sales")
EVENTS = "/apis/events.k8s.io/v1"


class EventsHarness:
    """A writer of events at work, and a session to tell of."""

    def __init__(self, harness: OperatorHarness, events: EventRecorder, metrics: Metrics, about: Json) -> None:
        self._harness, self._events, self._metrics = harness, events, metrics
        self.about = about

    async def record(self, event: Event, *, about: Json | None = None) -> None:
        """Have it written; the API server must take it."""
        before = self.count("written")
        self._events.record(about or self.about, event)
        await self._events.drain(within=20)
        assert (before + 1, 0) == (self.count("written"), self.count("error"))

    def count(self, result: str) -> float:
        """How many events came to this."""
        return self._metrics.registry.get_sample_value("whatsapp_operator_events_total", {"result": result}) or 0.0

    async def stored(self, namespace: str = "") -> list[Json]:
        """The events of the test's namespace, as events.k8s.io has them."""
        path = f"{EVENTS}/namespaces/{namespace or self._harness.namespace}/events"
        return list((await self._harness.admin.call("GET", path))["items"])

    def kubectl(self, *arguments: str) -> str:
        """What a person sees."""
        return self._harness.cluster.kubectl(*arguments, f"--namespace={self._harness.namespace}")


@pytest.fixture
async def events_harness(harness: OperatorHarness, operator_kubeconfig: Path) -> AsyncIterator[EventsHarness]:
    """A writer with the operator's account; its session exists and no operator acts on it."""
    await harness.session("sales")
    about = await harness.admin.get("whatsappsessions", harness.namespace, "sales")
    credentials, clock, metrics = (
        Credentials(clock=SystemClock(), kubeconfig=operator_kubeconfig),
        SystemClock(),
        Metrics(),
    )
    await credentials.load()
    connection = Connection(credentials, user_agent="test", metrics=metrics)
    kube = Kube(connection, timeout=20)
    events = EventRecorder(kube=kube, clock=clock, metrics=metrics, component="whatsapp-operator", instance="i" * 200)
    task = asyncio.create_task(events.run())
    yield EventsHarness(harness, events, metrics, about)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await connection.close()


async def test_an_event_is_stored_with_all_it_has(events_harness: EventsHarness) -> None:
    """Action, reason, note, what it is about and the pod beside it; who tells, cut to what the API server takes."""
    await events_harness.record(EVENT)

    (event,) = await events_harness.stored()
    assert ("Warning", "Running", "BrowserExited", "The runner failed.") == tuple(
        event[name] for name in ("type", "action", "reason", "note")
    )
    assert events_harness.about["metadata"]["uid"] == event["regarding"]["uid"]
    assert ("Pod", "sales") == (event["related"]["kind"], event["related"]["name"])
    assert ("whatsapp-operator", "i" * 128) == (event["reportingController"], event["reportingInstance"])
    assert "series" not in event


async def test_a_repetition_is_a_series(events_harness: EventsHarness) -> None:
    """One object, counted; its first time stays."""
    for _ in range(3):
        await events_harness.record(EVENT)

    (event,) = await events_harness.stored()
    assert 3 == event["series"]["count"]
    assert event["eventTime"] <= event["series"]["lastObservedTime"]


async def test_one_that_was_deleted_is_created_again(events_harness: EventsHarness, harness: OperatorHarness) -> None:
    """The API server forgets events; the next one of the kind is a first one."""
    await events_harness.record(EVENT)
    (event,) = await events_harness.stored()
    path = f"{EVENTS}/namespaces/{harness.namespace}/events/{event['metadata']['name']}"
    await harness.admin.call("DELETE", path)

    await events_harness.record(EVENT)

    (again,) = await events_harness.stored()
    assert event["metadata"]["name"] != again["metadata"]["name"]


@pytest.mark.parametrize("letter", ["x", "ü", "€", "🙂"])
async def test_the_longest_note_is_taken(events_harness: EventsHarness, letter: str) -> None:
    """1 kB of it, whatever alphabet it is written in."""
    await events_harness.record(replace(EVENT, message=letter * 2000, reason="R" * 300))

    (event,) = await events_harness.stored()
    assert 1024 - len(letter.encode()) < len(event["note"].encode()) <= 1024
    assert {letter} == set(event["note"])


async def test_about_a_quota_it_is_in_default(events_harness: EventsHarness, harness: OperatorHarness) -> None:
    """Cluster-scoped: `kubectl describe` looks there."""
    await harness.quota(sessions=1)
    quota = await harness.admin.get("whatsappsessionquotas", "", harness.namespace)

    await events_harness.record(replace(EVENT, pod=None), about=quota)

    described = events_harness.kubectl("describe", "wasq", harness.namespace)
    assert "BrowserExited" in described


async def test_kubectl_shows_it(events_harness: EventsHarness) -> None:
    """`describe` and both ways to list events: reason, count, who tells and the note."""
    await events_harness.record(EVENT)
    await events_harness.record(EVENT)

    described, listed = events_harness.kubectl("describe", "was", "sales"), events_harness.kubectl("get", "events")
    by_object = events_harness.kubectl("events", "--for=was/sales")
    assert "(x2 over " in described
    assert "whatsapp-operator" in described
    assert [True, True, True] == ["The runner failed." in text for text in (described, listed, by_object)]
    assert "<unknown>" not in listed + by_object


async def test_events_show_what_happened_to_a_session(harness: OperatorHarness) -> None:
    """A whole operator: what it did, in order, with the pod where one is meant, and none refused."""
    await harness.quota(sessions=3)
    operator = await harness.operator()
    await harness.session("sales")
    await harness.wait_for_state("sales", "QRPending")

    async def written() -> list[Json]:
        path = f"{EVENTS}/namespaces/{harness.namespace}/events"
        found = (await harness.admin.call("GET", path))["items"]
        return [each for each in found if each["reason"] == "PodCreated"]

    (made,) = await harness.until("the event", written)
    _, metrics = await operator.get("/metrics")
    assert ("CreatingPod", "Normal", "sales") == (made["action"], made["type"], made["related"]["name"])
    assert 'whatsapp_operator_events_total{result="error"}' not in metrics
