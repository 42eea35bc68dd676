"""The Prometheus metrics of the runner, in a registry of its own; docs/reference/metrics.md is made from their rows.

Names have base units and begin with `whatsapp_runner_`. No label names a session, a person or a number: a runner has one
session, and whoever scrapes it adds the labels of its pod. The memory by part, the container's, and CPU time, memory and
open files of the Python process are read from /proc and /sys at each scrape.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from session_protocol.connections import Closing
from session_protocol.metric_family import MetricFamily
from session_protocol.states import STATES, Phase, traits_of
from session_protocol.vocabulary import RunnerState

from session_runner import metric_families as families
from session_runner.host.memory import MemoryUse, memory_use
from session_runner.host.processes import Process, descendants, processes
from session_runner.message_metrics import MessageMetrics
from session_runner.outbox.deliveries import Backlog
from session_runner.profile.volume import Volume

_LOST = frozenset({RunnerState.RECONNECTING, RunnerState.OFFLINE})
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Metrics:
    """All metrics of one runner."""

    def __init__(self, *, registry: CollectorRegistry | None = None) -> None:
        registry = self.registry = registry or CollectorRegistry(auto_describe=True)
        # Not the library's Enum: that names the label after the metric, and `state` is what people's queries say.
        self._state = families.STATE.gauge(registry)
        self._state_since = families.STATE_SINCE.gauge(registry)
        self._shown: str = RunnerState.STARTING
        self.changes = families.CHANGES.counter(registry)
        self.reconnects = families.RECONNECTS.counter(registry)
        self.probe_seconds = families.PROBE_SECONDS.histogram(registry, buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 30))
        self.probe_time = families.PROBE_TIME.optional(registry)
        self.rounds = families.ROUNDS.counter(registry)
        self.blocked = families.BLOCKED.counter(registry)
        self.fetch_failures = families.FETCH_FAILURES.counter(registry)
        self.loads = families.LOADS.counter(registry)
        self.bad_requests = families.BAD_REQUESTS.counter(registry)
        self.closed = families.CLOSED.counter(registry)
        for reason in Closing:
            self.closed.labels(reason)
        self.events = families.EVENTS.counter(registry)
        self.reading_stopped = families.READING_STOPPED.gauge(registry)
        self.unreadable = families.UNREADABLE.counter(registry)
        self.streams = families.STREAMS.gauge(registry)
        self.browser_starts = families.BROWSER_STARTS.counter(registry)
        self._browser = families.BROWSER.gauge(registry)
        self._deliveries = families.WEBHOOK_DELIVERIES.counter(registry)
        self.webhooks = WebhookBacklog()
        registry.register(self.webhooks)
        self.messages = MessageMetrics(registry)
        self.volume = VolumeRoom()
        registry.register(self.volume)
        registry.register(MemoryByPart())
        registry.register(ContainerMemory())
        ProcessCollector(namespace="whatsapp_runner", registry=registry)
        self._state_since.set_to_current_time()
        self.show_state(RunnerState.STARTING)

    def show_state(self, state: RunnerState) -> None:
        """Set the gauge of this state to 1 and the others to 0; count a change, and a page that was up and lost its connection."""
        if state in _LOST and self._shown not in _LOST and traits_of(self._shown).phase is not Phase.STARTING:
            self.reconnects.inc()
        if state != self._shown:  # the same state with other words, or of another round, is as old as it was
            self._state_since.set_to_current_time()
            self.changes.inc()
        self._shown = state
        for known in STATES:
            self._state.labels(known).set(1 if known == state else 0)

    def show_browser(self, version: str) -> None:
        """Tell the browser's version; it is the same for as long as the process lives."""
        self._browser.labels(version).set(1)

    def count_delivery(self, webhook: str, code: str) -> None:
        """Count a try to deliver, by the class of its answer."""
        self._deliveries.labels(webhook, code).inc()


class WebhookBacklog(Collector):
    """What waits for each webhook, as it was last measured."""

    def __init__(self) -> None:
        self.latest: dict[str, Backlog] = {}

    def show(self, backlog: dict[str, Backlog]) -> None:
        """Set the measurement; a webhook that is gone has none."""
        self.latest = backlog

    def describe(self) -> Iterator[Metric]:
        """Return the families without values."""
        for family in (families.WEBHOOK_BACKLOG, families.WEBHOOK_OLDEST, families.WEBHOOK_DEAD):
            yield family.empty()

    def collect(self) -> Iterator[Metric]:
        """Return the last measurement."""
        by_name = [({"webhook": name}, backlog) for name, backlog in self.latest.items()]
        yield families.WEBHOOK_BACKLOG.metric((labels, backlog.waiting) for labels, backlog in by_name)
        yield families.WEBHOOK_OLDEST.metric((labels, backlog.oldest) for labels, backlog in by_name)
        yield families.WEBHOOK_DEAD.metric((labels, backlog.dead) for labels, backlog in by_name)


class VolumeRoom(Collector):
    """The room on the profile's volume, as it was last measured; absent while that is not possible."""

    def __init__(self) -> None:
        self.latest: Volume | None = None

    def show(self, volume: Volume | None) -> None:
        """Set the measurement; None: there is none."""
        self.latest = volume

    def describe(self) -> Iterator[Metric]:
        """Return the families without values."""
        return _gauges(dict.fromkeys((families.AVAILABLE, families.CAPACITY, families.INODES)))

    def collect(self) -> Iterator[Metric]:
        """Return the last measurement."""
        volume = self.latest
        measured = volume is not None and volume.capacity > 0
        return _gauges(
            {
                families.AVAILABLE: volume.available if volume is not None and measured else None,
                families.CAPACITY: volume.capacity if volume is not None and measured else None,
                families.INODES: volume.inodes_free if volume is not None else None,
            }
        )


class ContainerMemory(Collector):
    """What the container uses of its memory, as the kernel counts it."""

    def __init__(self, *, measure: Callable[[], MemoryUse] = memory_use) -> None:
        self._measure = measure

    def describe(self) -> Iterator[Metric]:
        """Return the families without values."""
        return _gauges({families.WORKING_SET: None, families.MEMORY_LIMIT: None})

    def collect(self) -> Iterator[Metric]:
        """Return the memory as of now."""
        use = self._measure()
        return _gauges({families.WORKING_SET: use.working_set, families.MEMORY_LIMIT: use.limit})


def _gauges(values: Mapping[MetricFamily, float | None]) -> Iterator[Metric]:
    return (family.metric([({}, value)]) for family, value in values.items())


class MemoryByPart(Collector):
    """Memory of runner, driver and browser separately, as proportional set size."""

    def __init__(
        self, *, everyone: Callable[[], Iterable[Process]] = processes, pss: Callable[[int], int | None] | None = None
    ) -> None:
        self._everyone = everyone
        self._pss = pss or read_pss

    def describe(self) -> Iterator[Metric]:
        """Return the family without values, so that registering it measures nothing."""
        yield families.MEMORY.empty()

    def collect(self) -> Iterator[Metric]:
        """Return the memory as of now; a part of which nothing can be read has none."""
        parts = parts_of(os.getpid(), list(self._everyone()))
        sizes = {part: [self._pss(pid) for pid in pids] for part, pids in parts.items()}
        yield families.MEMORY.metric(
            ({"part": part}, None if found and set(found) == {None} else sum(size or 0 for size in found))
            for part, found in sizes.items()
        )


def parts_of(me: int, everyone: list[Process]) -> dict[str, list[int]]:
    """Return the pids of each part: our child is the driver, its descendants are the browser."""
    below = descendants(me, everyone)
    driver = [
        process.pid for process in below if process.parent == me and process.name.startswith(("node", "MainThread"))
    ]
    return {"python": [me], "driver": driver, "browser": [p.pid for p in below if p.pid not in driver]}


def read_pss(pid: int) -> int | None:
    """Return the proportional set size in bytes; None for a process that is gone or that we may not read."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None
