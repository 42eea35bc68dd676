"""What a session's memory costs in a pod of its own, beside as many sessions in one process.

Each round links some sessions, lets them rest and reads how far the machine's MemAvailable has fallen, first in pods,
then in one Node process with puppeteer and a full browser per session (the structure of servers that run all sessions
in one process), then in one Python process with the runner's own browser and flags: against that one everything but
the isolation is the same. The page is the stand-in's, so a real account's heap comes on top on every side.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median

from session_devtools.progress import Progress
from session_protocol.vocabulary import RunnerState

from session_bench import kernel, objects
from session_bench.cgroups import Cgroup, pod_cgroup
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.one_process.host import KINDS, Kind, running
from session_bench.testbed import Testbed

MB = 2**20
AVAILABLE, WORKING_SET, ANONYMOUS = "available memory taken", "working set", "anonymous memory"
PODS = "pods"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    sessions: int = 8
    rest: float = 60.0
    """ Seconds between the last link and the reading: browsers tidy up for a while. """


def measure_memory(testbed: Testbed, plan: Plan, *, progress: Progress, kinds: tuple[Kind, ...] = KINDS) -> Table:
    """Measure in rounds; each figure is per session."""
    found: dict[str, list[float]] = defaultdict(list)

    def step(what: str) -> AbstractContextManager[None]:
        return progress.step(f"memory: {what}", status=lambda: "measuring")

    # The first pod fills caches for all that follow, while the kernel gives back those of the images' loading.
    with step("1 pod, not counted"), pods(testbed, 1, rest=plan.rest):
        pass
    for turn in range(plan.rounds):
        label = f"round {turn + 1} of {plan.rounds}"
        with step(f"{plan.sessions} pods, {label}"), pods(testbed, plan.sessions, rest=plan.rest) as use:
            record(found, PODS, use)
            for part, size in use.parts.items():
                found[f"  of it {part}"].append(size)
        for kind in kinds:
            with (
                step(f"{plan.sessions} sessions in {kind.title}, {label}"),
                one_process(testbed, kind, plan.sessions, rest=plan.rest) as use,
            ):
                record(found, kind.title, use)
        with step(f"1 pod, {label}"), pods(testbed, 1, rest=plan.rest) as use:
            record_single(found, PODS, use)
        with (
            step(f"1 session in {kinds[0].title}, {label}"),
            one_process(testbed, kinds[0], 1, rest=plan.rest) as use,
        ):
            record_single(found, kinds[0].title, use)
    return memory_table(plan, found, kinds)


@dataclass(frozen=True, kw_only=True)
class MemoryUse:
    """MB per session."""

    available: float
    working_set: float
    parts: dict[str, float]


@contextmanager
def pods(testbed: Testbed, count: int, *, rest: float) -> Iterator[MemoryUse]:
    """Link so many sessions in pods, let them rest, and give what they take; all of it goes afterwards."""
    before = _available()
    names = [f"memory-{number}" for number in range(count)]
    testbed.kubectl.apply(*(objects.session(name) for name in names))
    for waiting in [testbed.pod_network.start(testbed.qr_known, name) for name in names]:
        testbed.scan(waiting.result()[1])
    uids = [str(testbed.wait_for_state(name, RunnerState.CONNECTED)["podUID"]) for name in names]
    time.sleep(rest)
    after = _available()
    groups = [pod_cgroup(testbed.cluster.instance.label, uid) for uid in uids]
    yield _memory_use(before - after, groups, count)
    testbed.clear()


@contextmanager
def one_process(testbed: Testbed, kind: Kind, count: int, *, rest: float) -> Iterator[MemoryUse]:
    """The same in one process."""
    before = _available()
    with running(testbed, kind, count) as group:
        time.sleep(rest)
        after = _available()
        yield _memory_use(before - after, [group], count)


def _memory_use(available_drop: float, groups: list[Cgroup], count: int) -> MemoryUse:
    parts: dict[str, float] = defaultdict(float)
    for group in groups:
        for part, size in kernel.anonymous_by_part(group.pids()).items():
            parts[str(part)] += size / MB / count
    working_set = sum(group.working_set() for group in groups) / MB / count
    if not parts:
        raise BenchError("the sessions ended while they were measured; the logs of their pods tell why")
    return MemoryUse(available=available_drop / MB / count, working_set=working_set, parts=dict(parts))


def _available() -> float:
    """The middle of several readings: other programs breathe."""
    readings = []
    for _ in range(9):
        readings.append(kernel.available())
        time.sleep(0.5)
    return median(readings)


def record(found: dict[str, list[float]], who: str, use: MemoryUse) -> None:
    """Add one round's figures of one side."""
    figures = {AVAILABLE: use.available, WORKING_SET: use.working_set, ANONYMOUS: sum(use.parts.values())}
    for what, size in figures.items():
        found.setdefault(f"{who}: {what}", []).append(size)


def record_single(found: dict[str, list[float]], who: str, use: MemoryUse) -> None:
    """Add one round's figure of a side with one session: what the first one costs, the process around it included."""
    found.setdefault(single(who), []).append(use.available)


def single(who: str) -> str:
    """Name the row of one session."""
    return f"{who}, 1 session: {AVAILABLE}"


def memory_table(plan: Plan, found: Mapping[str, list[float]], kinds: tuple[Kind, ...] = KINDS) -> Table:
    """Return the table of what was found: each side's figures, and the pods beside each of the others."""
    comparisons = [
        Comparison(row=f"{PODS}: {what}", to=f"{kind.title}: {what}")
        for kind in kinds
        for what in (AVAILABLE, WORKING_SET, ANONYMOUS)
    ]
    comparisons.append(Comparison(row=single(PODS), to=single(kinds[0].title)))
    return Table(
        name="memory",
        title=f"Memory per session, {plan.sessions} sessions, {plan.rest:.0f} s after the last was linked",
        rows=tuple(Row(name=name, unit="MB", values=tuple(values)) for name, values in found.items()),
        comparisons=tuple(comparisons),
        headline=comparisons[0],
        remarks=(
            *(f"{kind.title}: {kind.browser}" for kind in kinds),
            "a real WhatsApp page adds its own heap, the same on every side",
            "available memory falls and rises with everything on the machine; the other two count the sessions alone",
        ),
    )
