"""What one session's runner takes, split into Python, driver and browser.

    python -m session_bench.runner_memory [--seconds 60] [--untuned] [--heavy MB] [--flag=FLAG...]

Starts the real runner on the stand-in page, links it through the phone, lets it rest and reads /proc. Anonymous memory,
that of no file, is what one more session costs; where processes share a page, each counts its part of it (private memory
would leave out what a browser's processes share with each other alone). PSS has the files' pages, too, which sessions on
one node share. `--untuned` starts the driver as Playwright does by itself, for comparison; `--heavy` has the page carry as
much as a real one may; `--flag` gives the browser one flag more.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from session_runner.host.processes import descendants, processes
from session_runner.metrics.collectors import parts_of
from session_runner.page.driver import UNTUNED
from standin.harness import StandIn
from support.runner_process import Folders, link, settings_for, start_runner

from session_bench import kernel

MB = 2**20
WITH_FLAGS = "session_bench.runner_with_flags"


class Size(NamedTuple):
    """Bytes."""

    pss: int
    anonymous: int


def main() -> None:
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="rest after linking (default %(default)s)")
    parser.add_argument("--untuned", action="store_true", help="leave the driver as Playwright starts it")
    parser.add_argument("--heavy", type=int, default=0, help="MB that the page carries (default %(default)s)")
    parser.add_argument("--flag", action="append", default=[], help="one more flag for the browser")
    options = parser.parse_args()
    sizes = asyncio.run(measure(rest=options.seconds, untuned=options.untuned, heavy=options.heavy, flags=options.flag))
    print(f"{'part':10} {'PSS MB':>8} {'anonymous MB':>13}")
    for part, size in sizes.items():
        print(f"{part:10} {size.pss / MB:8.1f} {size.anonymous / MB:13.1f}")
    everything = Size(*map(sum, zip(*sizes.values(), strict=True)))
    print(f"{'all':10} {everything.pss / MB:8.1f} {everything.anonymous / MB:13.1f}")


async def measure(*, rest: float, untuned: bool, heavy: int = 0, flags: Sequence[str] = ()) -> dict[str, Size]:
    """Start, link, rest, read, stop."""
    async with StandIn.start() as standin:
        await standin.phone.set_heavy(heavy)
        with tempfile.TemporaryDirectory(prefix="runner-memory-") as name:
            folders = Folders(root=Path(name))
            environment = folders.environment(**settings_for(standin)) | (UNTUNED if untuned else {})
            async with start_runner(folders, environment, program=("-m", WITH_FLAGS, *flags)) as runner:
                await link(runner, standin)
                print(f"linked; resting {rest:g} s", file=sys.stderr)
                await asyncio.sleep(rest)
                sizes = read(runner.process.pid)
                await runner.stop()
                return sizes


def read(pid: int) -> dict[str, Size]:
    """The sizes of the runner with that pid by part."""
    everyone = processes()
    mine = [process for process in everyone if process.pid == pid] + descendants(pid, everyone)
    return {part: total(pids) for part, pids in parts_of(pid, mine).items()}


def total(pids: list[int]) -> Size:
    """Sum over these processes."""
    rollups = [kernel.parse_fields((kernel.PROC / str(pid) / "smaps_rollup").read_text()) for pid in pids]
    return Size(
        pss=sum(one["Pss"] for one in rollups), anonymous=sum(one["Pss_Anon"] + one["Pss_Shmem"] for one in rollups)
    )


if __name__ == "__main__":
    main()
