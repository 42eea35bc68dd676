"""The Prometheus metrics of the runner, in a registry of its own.

Names have base units and begin with `whatsapp_runner_`. No label names a session, a person or a number: the pod's own
labels identify the session. The memory by part, and CPU time, memory and open files of the Python process, are read
from /proc at each scrape.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from session_protocol.connections import Closing
from session_protocol.states import STATES
from session_protocol.vocabulary import RunnerState

from session_runner.host.processes import Process, descendants, processes
from session_runner.profile.volume import Volume

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Metrics:
    """All metrics of one runner."""

    def __init__(self, *, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry(auto_describe=True)
        # Not the library's Enum: that names the label after the metric, and `state` is what people's queries say.
        self._state = Gauge(
            "whatsapp_runner_state",
            "1 for the state the session is in, 0 for all others.",
            ["state"],
            registry=self.registry,
        )
        self.changes = Counter(
            "whatsapp_runner_state_changes_total", "Changes of the published state.", registry=self.registry
        )
        self.probe_seconds = Histogram(
            "whatsapp_runner_probe_duration_seconds",
            "How long the page took to answer one probe.",
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 30),
        )
        self.probe_time = Gauge(
            "whatsapp_runner_last_probe_timestamp_seconds", "When the page last answered.", registry=self.registry
        )
        self.rounds = Counter(
            "whatsapp_runner_qr_rounds_total", "Rounds of QR codes asked for after the first.", registry=self.registry
        )
        self.blocked = Counter(
            "whatsapp_runner_blocked_requests_total",
            "Requests of the page to hosts that are not allowed; each was refused.",
            registry=self.registry,
        )
        self.fetch_failures = Counter(
            "whatsapp_runner_page_fetch_failures_total",
            "Times that the page or a script of it could not be fetched, by the state's reason.",
            ["reason"],
            registry=self.registry,
        )
        self.loads = Counter(
            "whatsapp_runner_page_loads_total",
            "Documents the page has loaded, its own reloads included.",
            registry=self.registry,
        )
        self.bad_requests = Counter(
            "whatsapp_runner_http_bad_requests_total",
            "Requests to the API that could not be read; nothing of them is logged.",
            registry=self.registry,
        )
        self.closed = Counter(
            "whatsapp_runner_http_connections_closed_total",
            "Connections to the API that were closed for going beyond a limit.",
            ["reason"],
            registry=self.registry,
        )
        self._browser = Gauge(
            "whatsapp_runner_browser_info", "1 for the version of the browser.", ["version"], registry=self.registry
        )
        for reason in Closing:
            self.closed.labels(reason)
        self.volume = VolumeRoom()
        self.registry.register(self.volume)
        self.registry.register(MemoryByPart())
        ProcessCollector(namespace="whatsapp_runner", registry=self.registry)
        self.show_state(RunnerState.STARTING)

    def show_state(self, state: RunnerState) -> None:
        """Set the gauge of this state to 1 and the others to 0."""
        for known in STATES:
            self._state.labels(known).set(1 if known == state else 0)

    def show_browser(self, version: str) -> None:
        """Tell the browser's version; it is the same for as long as the process lives."""
        self._browser.labels(version).set(1)


class VolumeRoom(Collector):
    """The room on the profile's volume, as it was last measured; absent while that is not possible."""

    def __init__(self) -> None:
        self.latest: Volume | None = None

    def show(self, volume: Volume | None) -> None:
        """Set the measurement; None: there is none."""
        self.latest = volume

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return the families without values."""
        return iter(self._families(None))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the last measurement."""
        return iter(self._families(self.latest))

    @staticmethod
    def _families(volume: Volume | None) -> list[GaugeMetricFamily]:
        available = capacity = inodes = None
        if volume is not None:
            inodes = volume.inodes_free
        if volume is not None and volume.capacity > 0:
            available, capacity = volume.available, volume.capacity
        values = (
            ("available_bytes", "Bytes free on the profile volume, for the runner.", available),
            ("capacity_bytes", "Bytes that the profile volume holds.", capacity),
            ("inodes_free", "Files that can still be made on the profile volume.", inodes),
        )
        return [
            GaugeMetricFamily(f"whatsapp_runner_profile_{name}", meaning, value=value)
            for name, meaning, value in values
        ]


class MemoryByPart(Collector):
    """Memory of runner, driver and browser separately, as proportional set size."""

    def __init__(
        self, *, everyone: Callable[[], Iterable[Process]] = processes, pss: Callable[[int], int | None] | None = None
    ) -> None:
        self._everyone = everyone
        self._pss = pss or read_pss

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return the family without values, so that registering it measures nothing."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the memory as of now."""
        family = self._family()
        for part, pids in parts_of(os.getpid(), list(self._everyone())).items():
            family.add_metric([part], sum(self._pss(pid) or 0 for pid in pids))
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "whatsapp_runner_memory_bytes", "Proportional set size of python, driver and browser.", labels=["part"]
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
