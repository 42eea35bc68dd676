"""The metrics."""

import os

import pytest
from prometheus_client import CollectorRegistry
from session_protocol.connections import Closing
from session_protocol.vocabulary import RunnerState
from session_runner.host.processes import Process
from session_runner.metrics import MemoryByPart, Metrics, parts_of, read_pss
from session_runner.profile.volume import Volume

ME = os.getpid()
TREE = [
    Process(pid=ME, parent=1, state="S", started=1, name="python"),
    Process(pid=10, parent=ME, state="S", started=1, name="node-MainThread"),
    Process(pid=11, parent=10, state="S", started=1, name="chromium-headle"),
    Process(pid=12, parent=11, state="S", started=1, name="chromium-headle"),
    Process(pid=13, parent=1, state="S", started=1, name="stranger"),
]


def test_one_state_is_set_at_a_time() -> None:
    """The state is a set of gauges of which exactly one is 1."""
    metrics = Metrics()
    metrics.show_state(RunnerState.CONNECTED)
    values = {
        state: metrics.registry.get_sample_value("whatsapp_runner_state", {"state": state}) for state in RunnerState
    }

    assert [state for state, value in values.items() if value == 1] == [RunnerState.CONNECTED]
    assert set(values.values()) == {0, 1}


def test_no_label_has_a_text_from_outside() -> None:
    """The series that there are at the start are all there ever are, whatever the page and its callers do."""
    metrics = Metrics(registry=CollectorRegistry())

    def series() -> set[tuple[str, ...]]:
        return {
            (sample.name, *sample.labels.values())
            for metric in (metrics._state, metrics.closed)
            for family in metric.collect()
            for sample in family.samples
        }

    before = series()
    metrics.show_state("Levitating")  # type: ignore[arg-type]
    for reason in Closing:
        metrics.closed.labels(reason).inc()
    metrics.blocked.inc()

    assert before == series()
    unlabelled = (metrics.changes, metrics.rounds, metrics.blocked, metrics.loads, metrics.bad_requests)
    assert all(() == metric._labelnames for metric in unlabelled)


def test_the_parts_are_distinguished_by_descent() -> None:
    """Our child that is Node is the driver, everything else below us is the browser, strangers are nobody's."""
    assert parts_of(ME, TREE) == {"python": [ME], "driver": [10], "browser": [11, 12]}


def test_memory_is_summed_per_part() -> None:
    """A process that is gone counts nothing."""
    registry = CollectorRegistry()
    registry.register(MemoryByPart(everyone=lambda: TREE, pss={ME: 5, 10: 7, 11: 11, 12: None}.get))

    def part(name: str) -> float | None:
        return registry.get_sample_value("whatsapp_runner_memory_bytes", {"part": name})

    assert (part("python"), part("driver"), part("browser")) == (5, 7, 11)


def test_registering_does_not_measure() -> None:
    """Measuring walks all processes, so it happens only when somebody asks."""

    def never() -> list[Process]:
        pytest.fail("measured too early")

    CollectorRegistry(auto_describe=True).register(MemoryByPart(everyone=never))


def test_a_process_that_is_gone_has_no_size() -> None:
    """Processes end while they are measured."""
    assert read_pss(2**30) is None
    assert (read_pss(ME) or 0) > 2**20


def test_the_python_process_is_measured_under_our_prefix() -> None:
    """CPU time, memory and open files as the client library's collector has them."""
    registry = Metrics().registry

    assert (registry.get_sample_value("whatsapp_runner_process_resident_memory_bytes") or 0) > 2**20
    assert (registry.get_sample_value("whatsapp_runner_process_open_fds") or 0) > 0


def test_the_room_on_the_volume_is_shown_as_it_was_measured() -> None:
    """Absent before, and while it cannot be measured; what the file system does not say is absent, too."""
    metrics = Metrics(registry=CollectorRegistry())

    def shown() -> list[float | None]:
        names = ("available_bytes", "capacity_bytes", "inodes_free")
        return [metrics.registry.get_sample_value(f"whatsapp_runner_profile_{name}") for name in names]

    seen = [shown()]
    for measured in (
        Volume(capacity=1000, available=0, inodes_free=0),
        Volume(capacity=1000, available=10),
        Volume(capacity=0, available=0, inodes_free=7),
        None,
    ):
        metrics.volume.show(measured)
        seen.append(shown())

    assert [[None] * 3, [0, 1000, 0], [10, 1000, None], [None, None, 7], [None] * 3] == seen
