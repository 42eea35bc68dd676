"""`make bench-send`: both sides on stand-ins of their own, and everything measured in one run."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from session_devtools.progress import Progress
from standin.harness import StandIn, local_certificates

from session_bench.figures import Table
from session_bench.one_process.programs import PUPPETEER
from session_bench.sending.measures import Measures
from session_bench.sending.observer import Observer
from session_bench.sending.sides import node_side, runner_side
from session_bench.sending.table import send_table

SETTLED = 8.0
""" Seconds after the links: before that the first synchronisation may not be over, and what comes in be history. """
MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured."""

    texts: int = 200
    burst: int = 240
    rounds: int = 3
    backlog: int = 1000
    file: int = 64 * MB


def measure_send(plan: Plan, *, progress: Progress) -> Table:
    """Measure, and give the table."""
    PUPPETEER.prepare(progress)
    found = asyncio.run(_measure(plan, progress))
    title = f"Messages: {plan.texts} texts one at a time, bursts of {plan.burst}, a backlog of {plan.backlog}, files of {plan.file // MB} MB"
    return send_table(found, title=title)


async def _measure(plan: Plan, progress: Progress) -> dict[str, list[float]]:
    # Not in the folder for temporary files, which may be in memory: this one is for the disk's sake.
    with tempfile.TemporaryDirectory(prefix="bench-send-", dir="/var/tmp") as name:
        folder, observer = Path(name), Observer()
        certificates = local_certificates(folder)
        async with (
            observer.watching(),
            StandIn.start(certificates=certificates) as first,
            StandIn.start(certificates=certificates) as second,
            runner_side(first, observer, _made(folder / "runner")) as runner,
            node_side(second, observer, _made(folder / "node")) as node,
        ):
            measures = Measures(observer=observer, runner=runner, node=node, folder=folder)
            await asyncio.sleep(SETTLED)
            steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
                ("a first text to each chat", measures.warm),
                ("texts out, one at a time", partial(measures.sends, plan.texts)),
                ("texts in, one at a time", partial(measures.webhooks, plan.texts)),
                ("bursts", partial(measures.bursts, plan.burst, plan.rounds)),
                ("files", partial(measures.files, plan.file, plan.rounds)),
                ("a backlog out", partial(measures.backlog_out, plan.backlog)),
                ("a backlog in", partial(measures.backlog_in, plan.backlog)),
            ]
            for what, step in steps:
                with progress.step(f"send: {what}", status=lambda: "measuring"):
                    await step()
            return measures.found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
