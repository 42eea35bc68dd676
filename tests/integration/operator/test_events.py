"""Events on a real API server, written with the operator's own rights: taken as they are, counted, and seen by kubectl."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import Bench
from whatsapp_operator.core.model import Event
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import Connection, Credentials
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder

NOTE = Event(type="Warning", action="Running", reason="BrowserExited", message="The runner failed.", pod="sales")
EVENTS = "/apis/events.k8s.io/v1"


class Teller:
    """A writer of events at work, and a session to tell of."""

    def __init__(self, bench: Bench, events: EventRecorder, metrics: Metrics, about: Json) -> None:
        self._bench, self._events, self._metrics = bench, events, metrics
        self.about = about

    async def tell(self, note: Event, *, about: Json | None = None) -> None:
        """Have it written; the API server must take it."""
        before = self.count("written")
        self._events.record(about or self.about, note)
        await self._events.drain(within=20)
        assert (before + 1, 0) == (self.count("written"), self.count("error"))

    def count(self, result: str) -> float:
        """How many events came to this."""
        return self._metrics.registry.get_sample_value("whatsapp_operator_events_total", {"result": result}) or 0.0

    async def stored(self, namespace: str = "") -> list[Json]:
        """The events of the test's namespace, as events.k8s.io has them."""
        path = f"{EVENTS}/namespaces/{namespace or self._bench.namespace}/events"
        return list((await self._bench.admin.call("GET", path))["items"])

    def kubectl(self, *arguments: str) -> str:
        """What a person sees."""
        return self._bench.cluster.kubectl(*arguments, f"--namespace={self._bench.namespace}")


@pytest.fixture
async def teller(bench: Bench, operator_kubeconfig: Path) -> AsyncIterator[Teller]:
    """A writer with the operator's account; its session exists and no operator acts on it."""
    await bench.session("sales")
    about = await bench.admin.get("whatsappsessions", bench.namespace, "sales")
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
    yield Teller(bench, events, metrics, about)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await connection.close()


async def test_an_event_is_stored_with_all_it_has(teller: Teller) -> None:
    """Action, reason, note, what it is about and the pod beside it; who tells, cut to what the API server takes."""
    await teller.tell(NOTE)

    (event,) = await teller.stored()
    assert ("Warning", "Running", "BrowserExited", "The runner failed.") == tuple(
        event[name] for name in ("type", "action", "reason", "note")
    )
    assert teller.about["metadata"]["uid"] == event["regarding"]["uid"]
    assert ("Pod", "sales") == (event["related"]["kind"], event["related"]["name"])
    assert ("whatsapp-operator", "i" * 128) == (event["reportingController"], event["reportingInstance"])
    assert "series" not in event


async def test_a_repetition_is_a_series(teller: Teller) -> None:
    """One object, counted; its first time stays."""
    for _ in range(3):
        await teller.tell(NOTE)

    (event,) = await teller.stored()
    assert 3 == event["series"]["count"]
    assert event["eventTime"] <= event["series"]["lastObservedTime"]


async def test_one_that_was_deleted_is_told_anew(teller: Teller, bench: Bench) -> None:
    """The API server forgets events; the next one of the kind is a first one."""
    await teller.tell(NOTE)
    (event,) = await teller.stored()
    path = f"{EVENTS}/namespaces/{bench.namespace}/events/{event['metadata']['name']}"
    await bench.admin.call("DELETE", path)

    await teller.tell(NOTE)

    (again,) = await teller.stored()
    assert event["metadata"]["name"] != again["metadata"]["name"]


@pytest.mark.parametrize("letter", ["x", "ü", "€", "🙂"])
async def test_the_longest_note_is_taken(teller: Teller, letter: str) -> None:
    """1 kB of it, whatever alphabet it is written in."""
    await teller.tell(replace(NOTE, message=letter * 2000, reason="R" * 300))

    (event,) = await teller.stored()
    assert 1024 - len(letter.encode()) < len(event["note"].encode()) <= 1024
    assert {letter} == set(event["note"])


async def test_about_a_quota_it_is_in_default(teller: Teller, bench: Bench) -> None:
    """Cluster-scoped: `kubectl describe` looks there."""
    await bench.quota(sessions=1)
    quota = await bench.admin.get("whatsappsessionquotas", "", bench.namespace)

    await teller.tell(replace(NOTE, pod=None), about=quota)

    described = teller.kubectl("describe", "wasq", bench.namespace)
    assert "BrowserExited" in described


async def test_kubectl_shows_it(teller: Teller) -> None:
    """`describe` and both ways to list events: reason, count, who tells and the note."""
    await teller.tell(NOTE)
    await teller.tell(NOTE)

    described, listed = teller.kubectl("describe", "was", "sales"), teller.kubectl("get", "events")
    by_object = teller.kubectl("events", "--for=was/sales")
    assert "(x2 over " in described
    assert "whatsapp-operator" in described
    assert [True, True, True] == ["The runner failed." in text for text in (described, listed, by_object)]
    assert "<unknown>" not in listed + by_object


async def test_a_session_tells_its_life(bench: Bench) -> None:
    """A whole operator: what it did, in order, with the pod where one is meant, and none refused."""
    await bench.quota(sessions=3)
    operator = await bench.operator()
    await bench.session("sales")
    await bench.reaches("sales", "QRPending")

    async def told() -> list[Json]:
        path = f"{EVENTS}/namespaces/{bench.namespace}/events"
        found = (await bench.admin.call("GET", path))["items"]
        return [each for each in found if each["reason"] == "PodCreated"]

    (made,) = await bench.until(told, "the event")
    _, metrics = await operator.get("/metrics")
    assert ("CreatingPod", "Normal", "sales") == (made["action"], made["type"], made["related"]["name"])
    assert 'whatsapp_operator_events_total{result="error"}' not in metrics
