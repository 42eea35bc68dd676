"""What a session takes on a page as heavy as a real one, beside the same page in one Node process, and with a large file on top.

`make bench-memory PAGE=heavy`. No cluster: the page is what weighs, the same in a pod. The runner is in a control group with
a pod's memory limit, so that it is seen whether that holds.
"""

import asyncio
import contextlib
import os
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from session_devtools.cgroups import CGROUPS, find_trees
from session_devtools.progress import Progress
from standin.harness import StandIn

from session_bench import kernel
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.kernel import Part
from session_bench.one_process.programs import PUPPETEER
from session_bench.sending.measures import CHATS, large_file
from session_bench.sending.observer import Observer
from session_bench.sending.sides import PDF, RunnerSide, Side, node_side, runner_side
from session_bench.sending.table import NODE, RUNNER

MB: Final = 2**20
LIMIT: Final = 768 * MB
""" A pod's, where its spec says nothing. """
FILE: Final = 64 * MB
_PARTS: Final = (Part.PYTHON, Part.DRIVER, Part.CHROMIUM)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured."""

    sizes: Sequence[int] = (150, 300)
    """ MB that the page carries. """
    rounds: int = 3
    rest: float = 60.0


def measure_heavy(plan: Plan, *, progress: Progress) -> Table:
    """Measure in rounds, one session of each side after the other."""
    PUPPETEER.prepare(progress)
    found: dict[str, list[float]] = defaultdict(list)
    for turn in range(plan.rounds):
        for size in plan.sizes:
            for side in (RUNNER, NODE) if turn % 2 else (NODE, RUNNER):
                with progress.step(f"heavy: {size} MB in {side}, round {turn + 1}", status=lambda: "measuring"):
                    asyncio.run(_measure(side, size, plan.rest, found))
    return heavy_table(plan, found)


async def _measure(name: str, size: int, rest: float, found: dict[str, list[float]]) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-heavy-", dir="/var/tmp") as folder, limited_group() as group:
        observer = Observer()
        async with observer.watching(), StandIn.start() as standin:
            await standin.phone.set_heavy(size)
            async with _side(name, standin, observer, Path(folder), group) as side:
                await asyncio.sleep(rest)
                sizes = kernel.anonymous_by_part(pid for pids in side.pids().values() for pid in pids)
                found[anonymous(name, size)].append(sizes.total() / MB)
                if isinstance(side, RunnerSide):
                    for part in _PARTS:
                        found[f"  of it {part}, {size} MB"].append(sizes[part] / MB)
                    await _file_on_top(side, observer, Path(folder))
                    found[with_file(size)].append(group.peak() / MB)
                    found[killed(size)].append(group.kills())


@contextlib.asynccontextmanager
async def _side(
    name: str, standin: StandIn, observer: Observer, folder: Path, group: "LimitedGroup"
) -> AsyncIterator[Side]:
    if name == RUNNER:
        async with runner_side(standin, observer, folder, group=group.folder) as runner:
            yield runner
    else:
        async with node_side(standin, observer, folder) as node:
            yield node


async def _file_on_top(side: RunnerSide, observer: Observer, folder: Path) -> None:
    """Have a large file go out and one come in. :raises BenchError: the session was not well afterwards."""
    identifier = await side.send_file(CHATS[0], large_file(folder / "large.pdf", FILE))
    await observer.arrived.of(identifier)
    about = {"id": "3EB0FILE", "type": "document", "size": FILE, "mimetype": PDF, "from": CHATS[0]}
    await side.standin.phone.send(side.device, "", **about)
    await observer.received.of("3EB0FILE")
    if await side.fetch_file(CHATS[0], "3EB0FILE") != FILE:
        raise BenchError("another file came than went")
    state = (await side.runner.state())["state"]
    if state != "Connected":
        raise BenchError(f"the session is {state} after a file")


@dataclass(frozen=True, kw_only=True)
class LimitedGroup:
    """A control group with a limit on memory, of either version."""

    folder: Path

    def peak(self) -> int:
        """Return the most that it has used, in bytes: the files' pages that it was charged for included."""
        return int(self._first("memory.peak", "memory.max_usage_in_bytes").read_text())

    def kills(self) -> int:
        """Return how many of its processes the kernel has killed."""
        fields = dict(
            line.split() for line in self._first("memory.events", "memory.oom_control").read_text().splitlines()
        )
        return int(fields["oom_kill"])

    def limit(self, size: int) -> None:
        """Set its limit, in bytes."""
        self._first("memory.max", "memory.limit_in_bytes").write_text(str(size))

    def _first(self, *names: str) -> Path:
        return next(path for name in names if (path := self.folder / name).exists())


@contextlib.contextmanager
def limited_group(limit: int = LIMIT) -> Iterator[LimitedGroup]:
    """Make such a group, and remove it."""
    trees = {name: tree for tree in find_trees(CGROUPS) for name in tree.name.split(",")}
    group = LimitedGroup(folder=(trees.get("memory") or next(iter(trees.values()))) / f"bench-heavy-{os.getpid()}")
    group.folder.mkdir()
    try:
        group.limit(limit)
        yield group
    finally:
        group.folder.rmdir()


def anonymous(side: str, size: int) -> str:
    """Name the row of a side's anonymous memory."""
    return f"{side}: anonymous memory, {size} MB"


def with_file(size: int) -> str:
    """Name the row of the group's peak with a file each way."""
    return f"{RUNNER}: all its group used at most, {size} MB and a file of {FILE // MB} MB each way"


def killed(size: int) -> str:
    """Name the row of what the kernel has killed."""
    return f"{RUNNER}: killed for want of memory, limit {LIMIT // MB} MB, {size} MB"


def heavy_table(plan: Plan, found: Mapping[str, Sequence[float]]) -> Table:
    """Return the table: each size, and the runner beside the Node process."""
    comparisons = [Comparison(row=anonymous(RUNNER, size), to=anonymous(NODE, size)) for size in plan.sizes]
    rows = (
        Row(name=name, unit="" if "killed" in name else "MB", values=tuple(values)) for name, values in found.items()
    )
    return Table(
        name="heavy",
        title=f"Memory of one session on a heavy page, {plan.rest:.0f} s after it was linked",
        rows=tuple(rows),
        comparisons=tuple(comparisons),
        headline=comparisons[-1],
        remarks=(
            "the page carries so many MB of models and rows; the code of the real page is missing",
            "a group's use counts the files' pages that it has read or written: the kernel takes those back before it kills",
        ),
    )
