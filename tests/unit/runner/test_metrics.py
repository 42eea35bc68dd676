"""The metrics."""

import os

import pytest
from prometheus_client import CollectorRegistry
from session_protocol.connections import Closing
from session_protocol.vocabulary import RunnerState
from session_runner.host.memory import MemoryUse
from session_runner.host.processes import Process
from session_runner.metrics.collectors import ContainerMemory, MemoryByPart, parts_of, read_pss
from session_runner.metrics.families import FAMILIES
from session_runner.metrics.metrics import Metrics
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


def test_a_state_is_as_old_as_its_last_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new message, another round of QR codes or a remark publishes it again, which is no change of the state."""
    ages = ("whatsapp_runner_state_since_timestamp_seconds", "whatsapp_runner_state_changes_total")
    now = 100.0
    monkeypatch.setattr("time.time", lambda: now)
    metrics = Metrics(registry=CollectorRegistry())
    seen = [[metrics.registry.get_sample_value(name) for name in ages]]
    for state in (RunnerState.STARTING, RunnerState.QR_PENDING, RunnerState.QR_PENDING, RunnerState.SYNCING):
        now += 10
        metrics.show_state(state)
        seen.append([metrics.registry.get_sample_value(name) for name in ages])

    assert [[100, 0], [100, 0], [120, 1], [120, 1], [140, 2]] == seen


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


def test_a_part_of_which_nothing_can_be_read_is_absent() -> None:
    """A browser that uses no memory would be news."""
    registry = CollectorRegistry()
    registry.register(MemoryByPart(everyone=lambda: TREE, pss={ME: 5, 10: 7}.get))

    assert registry.get_sample_value("whatsapp_runner_memory_bytes", {"part": "browser"}) is None


@pytest.mark.parametrize("use", [MemoryUse(5, 10), MemoryUse(None, None), MemoryUse(5, None)])
def test_the_containers_memory_and_its_limit(use: MemoryUse) -> None:
    """Absent where the system does not tell, or there is no limit."""
    registry = CollectorRegistry()
    registry.register(ContainerMemory(measure=lambda: use))
    names = ("working_set_bytes", "limit_bytes")

    assert tuple(use) == tuple(registry.get_sample_value(f"whatsapp_runner_memory_{name}") for name in names)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["Loading", "Connected", "Reconnecting", "Connected"], 1),
        (["Loading", "Connected", "Reconnecting", "Offline", "Reconnecting", "Connected"], 1),
        (["Loading", "Connected", "Reconnecting", "Connected", "Offline"], 2),
        (["Loading", "Offline", "Connected"], 0),
        (["Loading", "Reconnecting"], 0),
        (["Syncing", "Reconnecting"], 1),
    ],
)
def test_reconnects_are_counted_once_each(states: list[str], expected: int) -> None:
    """From a page that was up; one that starts without a network has no connection to lose."""
    metrics = Metrics()
    for state in states:
        metrics.show_state(RunnerState(state))

    assert expected == metrics.registry.get_sample_value("whatsapp_runner_reconnects_total")


def test_each_row_is_a_metric_and_each_metric_a_row() -> None:
    """Under its name, with its type; but for what the client library tells of the process."""
    metrics = Metrics().registry.collect()
    found = {metric.name: metric.type for metric in metrics if not metric.name.startswith("whatsapp_runner_process_")}

    assert {row.family: row.type for row in FAMILIES} == found


def test_a_runner_has_fewer_series_than_the_reference_says() -> None:
    """All states, of its own session alone."""
    assert sum(len(metric.samples) for metric in Metrics().registry.collect()) < 120


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
