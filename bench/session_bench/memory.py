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

from session_devtools.steps import Progress

from session_bench import kernel, objects
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.ground import Ground
from session_bench.groups import Group, pod_group
from session_bench.one_process.host import KINDS, Kind, hosted

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


def measure_memory(ground: Ground, plan: Plan, *, progress: Progress, kinds: tuple[Kind, ...] = KINDS) -> Table:
    """Measure in rounds; each figure is per session."""
    found: dict[str, list[float]] = defaultdict(list)

    def step(what: str) -> AbstractContextManager[None]:
        return progress.step(f"memory: {what}", still=lambda: "measuring")

    # The first pod fills caches for all that follow, while the kernel gives back those of the images' loading.
    with step("1 pod, not counted"), pods(ground, 1, rest=plan.rest):
        pass
    for turn in range(plan.rounds):
        told = f"round {turn + 1} of {plan.rounds}"
        with step(f"{plan.sessions} pods, {told}"), pods(ground, plan.sessions, rest=plan.rest) as taken:
            note(found, PODS, taken)
            for part, size in taken.parts.items():
                found[f"  of it {part}"].append(size)
        for kind in kinds:
            with (
                step(f"{plan.sessions} sessions in {kind.title}, {told}"),
                together(ground, kind, plan.sessions, rest=plan.rest) as taken,
            ):
                note(found, kind.title, taken)
        with step(f"1 pod, {told}"), pods(ground, 1, rest=plan.rest) as taken:
            note_single(found, PODS, taken)
        with step(f"1 session in {kinds[0].title}, {told}"), together(ground, kinds[0], 1, rest=plan.rest) as taken:
            note_single(found, kinds[0].title, taken)
    return memory_table(plan, found, kinds)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """MB per session."""

    available: float
    working_set: float
    parts: dict[str, float]


@contextmanager
def pods(ground: Ground, count: int, *, rest: float) -> Iterator[Taken]:
    """Link so many sessions in pods, let them rest, and give what they take; all of it goes afterwards."""
    before = _available()
    names = [f"memory-{number}" for number in range(count)]
    ground.kubectl.apply(*(objects.session(name) for name in names))
    for waiting in [ground.inside.start(ground.qr_known, name) for name in names]:
        ground.scan(waiting.result()[1])
    uids = [str(ground.connected(name)["podUID"]) for name in names]
    time.sleep(rest)
    after = _available()
    groups = [pod_group(ground.cluster.instance.label, uid) for uid in uids]
    yield _taken(before - after, groups, count)
    ground.clear()


@contextmanager
def together(ground: Ground, kind: Kind, count: int, *, rest: float) -> Iterator[Taken]:
    """The same in one process."""
    before = _available()
    with hosted(ground, kind, count) as group:
        time.sleep(rest)
        after = _available()
        yield _taken(before - after, [group], count)


def _taken(fallen: float, groups: list[Group], count: int) -> Taken:
    parts: dict[str, float] = defaultdict(float)
    for group in groups:
        for part, size in kernel.anonymous_by_part(group.pids()).items():
            parts[str(part)] += size / MB / count
    working_set = sum(group.working_set() for group in groups) / MB / count
    if not parts:
        raise BenchError("the sessions ended while they were measured; the logs of their pods tell why")
    return Taken(available=fallen / MB / count, working_set=working_set, parts=dict(parts))


def _available() -> float:
    """The middle of several readings: other programs breathe."""
    readings = []
    for _ in range(9):
        readings.append(kernel.available())
        time.sleep(0.5)
    return median(readings)


def note(found: dict[str, list[float]], who: str, taken: Taken) -> None:
    """Add one round's figures of one side."""
    told = {AVAILABLE: taken.available, WORKING_SET: taken.working_set, ANONYMOUS: sum(taken.parts.values())}
    for what, size in told.items():
        found.setdefault(f"{who}: {what}", []).append(size)


def note_single(found: dict[str, list[float]], who: str, taken: Taken) -> None:
    """Add one round's figure of a side with one session: what the first one costs, the process around it included."""
    found.setdefault(single(who), []).append(taken.available)


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
        notes=(
            *(f"{kind.title}: {kind.browser}" for kind in kinds),
            "a real WhatsApp page adds its own heap, the same on every side",
            "available memory falls and rises with everything on the machine; the other two count the sessions alone",
        ),
    )
