"""What is measured, not counted: shown as it was last measured, or read from /proc and /sys at each scrape."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.registry import Collector
from session_protocol.metric_family import MetricFamily

from session_runner.host.memory import MemoryUse, memory_use
from session_runner.host.processes import Process, descendants, processes
from session_runner.metrics import families
from session_runner.outbox.deliveries import Backlog
from session_runner.profile.volume import Volume

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


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


def _gauges(values: Mapping[MetricFamily, float | None]) -> Iterator[Metric]:
    return (family.metric([({}, value)]) for family, value in values.items())
