"""The full look at everything, and what it says about the watches and the process."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from unit.runtime.fakes import FakeClock, exactly
from unit.runtime.memory_api import Fault, Json, MemoryApi
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS, Resource
from whatsapp_operator.runtime.kube.resync import Resync, Stream, WatchProgress
from whatsapp_operator.runtime.kube.store import Change, Store
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.failed_calls import CallRegistry
from whatsapp_operator.runtime.reconcile.observer import no_index_keys

INTERVAL = 60


class ResyncHarness:
    """A resync of pods and sessions."""

    def __init__(self, *, namespaces: tuple[str, ...] = ()) -> None:
        self.clock = FakeClock()
        self.api = MemoryApi(now=self.clock.now)
        self.store = Store({PODS: no_index_keys, SESSIONS: no_index_keys})
        self.progress = WatchProgress(self.clock)
        self.changes: list[tuple[Resource, Change]] = []
        self.called: list[str] = []
        self.metrics = Metrics()
        self.calls = CallRegistry(clock=self.clock, jitter=exactly, metrics=self.metrics)
        kube = Kube(self.api, timeout=30, page=10)
        self.resync = Resync(
            kube=kube,
            store=self.store,
            clock=self.clock,
            instance=Instance(kube=kube, name="", namespaces=namespaces),
            selectors={SESSIONS: "", PODS: "ours=yes"},
            interval=timedelta(seconds=INTERVAL),
            metrics=self.metrics,
            progress=self.progress,
            on_changed=lambda resource, change: self.changes.append((resource, change)),
            on_calls_shown=self._call("shown"),
            calls=self.calls,
            before={Call(Verb.GET, "Secret", "keys"): self._call("before")},
            after=[self._call("after")],
            jitter=exactly,
        )

    def _call(self, name: str) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            self.called.append(name)

        return call

    def pod(self, name: str, *, namespace: str = "shop", labels: dict[str, str] | None = None) -> Json:
        """Make a pod."""
        labels = {"ours": "yes"} if labels is None else labels
        return self.api.put("pods", {"metadata": {"name": name, "namespace": namespace, "labels": labels}})

    def observe(self, obj: Json) -> None:
        """Let the watch of pods tell of an object."""
        self.progress.observe(Stream(PODS, None), obj)


@pytest.fixture
def harness() -> ResyncHarness:
    """An empty cluster."""
    return ResyncHarness()


async def test_everything_is_listed_in_pages(harness: ResyncHarness) -> None:
    """All pods with our label, however many pages; the neighbours' pods are not even read."""
    for number in range(25):
        harness.pod(f"p{number}")
    harness.pod("other", labels={})

    assert await harness.resync.attempt()
    assert 25 == len(harness.store.keys(PODS))
    assert ["before", "after"] == harness.called


async def test_only_corrections_are_reported(harness: ResyncHarness) -> None:
    """What the watch has told already is no news."""
    harness.pod("a")
    await harness.resync.attempt()
    harness.changes.clear()
    await harness.resync.attempt()
    again = list(harness.changes)
    harness.api.remove("pods", "shop", "a")
    await harness.resync.attempt()

    assert [] == again
    assert [None] == [change.after for _, change in harness.changes]


async def test_namespaces_are_listed_one_by_one() -> None:
    """With WATCH_NAMESPACES no request goes beyond them, and one namespace's LIST does not empty the other."""
    harness = ResyncHarness(namespaces=("one", "two"))
    for namespace in ("one", "two", "three"):
        harness.pod("a", namespace=namespace)

    await harness.resync.attempt()

    assert [ObjectKey("one", "a"), ObjectKey("two", "a")] == sorted(harness.store.keys(PODS))
    assert all("/namespaces/" in request.path for request in harness.api.requests)


async def test_a_failure_changes_nothing_and_is_reported(harness: ResyncHarness) -> None:
    """Half a picture is none."""
    harness.pod("a")
    await harness.resync.attempt()
    harness.api.fault = lambda request, _: Fault(status=500) if request.path.endswith("/pods") else None

    assert not await harness.resync.attempt()
    assert 1 == len(harness.store.keys(PODS))
    assert ["before", "after", "before"] == harness.called


async def test_what_may_not_be_listed_is_recorded_and_shown_once(harness: ResyncHarness) -> None:
    """Sessions are looked at when another call is to be shown, and not at each attempt; a success forgets it."""
    await harness.resync.attempt()
    harness.api.fault = lambda request, _: Fault(status=403) if request.path.endswith("/pods") else None
    for _ in range(3):
        await harness.resync.attempt()
    refused = [each.call for each in harness.calls.shared(None).known()]
    shown = harness.called.count("shown")
    harness.api.fault = lambda _request, _number: None
    await harness.resync.attempt()

    assert [Call(Verb.LIST, "pods", "")] == refused
    assert 1 == shown
    assert [] == list(harness.calls.shared(None).known())


async def test_a_lists_refusal_in_one_namespace_is_that_namespaces() -> None:
    """With WATCH_NAMESPACES the sessions of the others rely on another LIST."""
    harness = ResyncHarness(namespaces=("one", "two"))
    await harness.resync.attempt()
    harness.api.fault = lambda request, _: Fault(status=403) if "/two/pods" in request.path else None
    await harness.resync.attempt()

    assert [0, 1] == [len(list(harness.calls.shared(name).known())) for name in ("one", "two")]


async def test_the_same_lists_refusal_in_another_namespace_is_shown_as_well() -> None:
    """The sessions of each are looked at, although the calls look alike."""
    harness = ResyncHarness(namespaces=("one", "two"))
    await harness.resync.attempt()
    harness.api.fault = lambda request, _: Fault(status=403) if "/one/pods" in request.path else None
    await harness.resync.attempt()
    harness.api.fault = lambda request, _: Fault(status=403) if "/two/pods" in request.path else None
    await harness.resync.attempt()

    assert 2 == harness.called.count("shown")


@pytest.mark.parametrize(("status", "expected"), [(403, [5, 10, 20, 40, 60, 60, 60]), (500, [5] * 7)])
async def test_attempts_that_are_refused_are_further_and_further_apart(
    harness: ResyncHarness, status: int, expected: list[int]
) -> None:
    """Up to the interval; a fault of the server may be over any moment."""
    harness.api.fault = lambda _request, _number: Fault(status=status)
    running = asyncio.create_task(harness.resync.run())
    moments = []
    for second in range(300):
        before = harness.called.count("before")
        await harness.clock.advance(1)
        if harness.called.count("before") > before:
            moments.append(second)
    running.cancel()

    assert expected == [late - early for early, late in itertools.pairwise(moments)][:7]


async def test_age_counts_from_the_beginning_of_the_last_success(harness: ResyncHarness) -> None:
    """What was seen is at least so new."""
    before = harness.resync.age
    await harness.resync.attempt()
    await harness.clock.advance(3 * INTERVAL)
    after = harness.resync.age
    await harness.clock.advance(1)

    assert (float("inf"), 3 * INTERVAL, 3 * INTERVAL + 1) == (before, after, harness.resync.age)


async def test_a_process_that_cannot_list_ends_itself_in_the_end(harness: ResyncHarness) -> None:
    """Should the kubelet not have done it before."""
    await harness.resync.attempt()
    await harness.clock.advance(5 * INTERVAL)
    early = harness.resync.verdict()
    await harness.clock.advance(1)

    assert early is None
    assert "no full list has succeeded" in (harness.resync.verdict() or "")


async def test_a_watch_that_falls_silent_is_dead_after_a_while(harness: ResyncHarness) -> None:
    """A LIST finds a change, and two resyncs later the watch has still not told it."""
    harness.observe(harness.pod("a"))
    await harness.resync.attempt()
    harness.pod("b")
    verdicts = []
    for _ in range(5):
        await harness.resync.attempt()
        verdicts.append(harness.resync.verdict())
        await harness.clock.advance(INTERVAL)

    assert [None, None, None] == verdicts[:3]
    assert "the watch of pods has stopped reporting changes" == verdicts[-1]


async def test_a_watch_that_is_late_is_not_dead(harness: ResyncHarness) -> None:
    """It catches up before anybody ends the process."""
    harness.observe(harness.pod("a"))
    await harness.resync.attempt()
    late = harness.pod("b")
    for _ in range(2):
        await harness.resync.attempt()
        await harness.clock.advance(INTERVAL)
    harness.observe(late)
    for _ in range(5):
        await harness.resync.attempt()
        await harness.clock.advance(INTERVAL)

    assert harness.resync.verdict() is None


async def test_a_deletion_alone_does_not_call_a_watch_dead(harness: ResyncHarness) -> None:
    """What is gone cannot be compared; the store is corrected all the same."""
    harness.observe(harness.pod("a"))
    await harness.resync.attempt()
    harness.api.remove("pods", "shop", "a")
    for _ in range(5):
        await harness.resync.attempt()
        await harness.clock.advance(INTERVAL)

    assert harness.resync.verdict() is None


async def test_rest_means_rest(harness: ResyncHarness) -> None:
    """A cluster in which nothing happens for hours has quiet watches that are alive."""
    harness.observe(harness.pod("a"))
    for _ in range(20):
        await harness.resync.attempt()
        await harness.clock.advance(INTERVAL)

    assert harness.resync.verdict() is None


async def test_the_last_success_is_a_moment() -> None:
    """The time at which it began; a failure leaves it, and before the first success there is none."""
    harness = ResyncHarness()
    name = "whatsapp_operator_resync_last_success_timestamp_seconds"
    harness.api.fault = lambda _request, _number: Fault(status=500)
    await harness.resync.attempt()
    before = harness.metrics.registry.get_sample_value(name)
    harness.api.fault = lambda _request, _number: None
    began = harness.clock.now().timestamp()
    await harness.resync.attempt()
    await harness.clock.advance(INTERVAL)
    harness.api.fault = lambda _request, _number: Fault(status=500)
    await harness.resync.attempt()

    assert (None, began) == (before, harness.metrics.registry.get_sample_value(name))
