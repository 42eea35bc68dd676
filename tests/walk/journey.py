"""A whole walk: played and judged step by step; and of one that fails the shortest that can be found that still does.

A walk that failed is cut down by playing parts of it anew: first its end alone, with ever more of what came before, then
without some of its steps. Each part gets a new profile, and the model says what is possible of it. hypothesis' state
machines would do the same in their own way; they ask for hundreds of runs, and here each one starts a browser.
"""

import dataclasses
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path

from standin.harness import StandIn
from standin.settings import Timing
from support.runner_process import RUNNER, Folders

from walk.controls import CONTROLS
from walk.model import sanitized, take
from walk.player import Player
from walk.scene import BEGIN
from walk.steps import Step, render
from walk.witness import Unexpected

__all__ = ["Failure", "play", "shortest"]

TIMING = Timing(first_ref=30, next_ref=10, first_sync=0.3, backoff_base=0.3, backoff_limit=1, mutex_answer=0.3)
TRIES = 30
""" How many parts of a failed walk are played at most. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """A walk whose last step was followed by something unexpected."""

    steps: tuple[Step, ...]
    what: str

    def __str__(self) -> str:
        """Give walk and reason, in two lines."""
        return f"{render(self.steps)}\n    {self.what}"


async def play(
    steps: Iterable[Step],
    *,
    mode: str,
    report: Callable[[str], object],
    program: Sequence[str] = RUNNER,
    go_on: bool = False,
) -> Failure | None:
    """Play a walk from the beginning; returns where it failed first. With `go_on` the rest is played all the same."""
    scene, first = BEGIN, None
    played: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="was-walk-") as folder:
        async with (
            StandIn.start(mode=mode, timing=TIMING) as standin,
            Player(standin=standin, folders=Folders(root=Path(folder)), program=program) as player,
        ):
            for step in steps:
                scene, expected = take(scene, step)
                played.append(step)
                began = time.monotonic()
                try:
                    await player.play(step, expected, CONTROLS[step.name])
                except Unexpected as fault:
                    first = first or Failure(steps=tuple(played), what=str(fault))
                    report(f"{step}: {fault}")
                    if not go_on:
                        break
                else:
                    report(f"{step}: {' or '.join(sorted(expected.final))} ({time.monotonic() - began:.1f} s)")
    return first


async def shortest(failure: Failure, replay: Callable[[Sequence[Step]], Awaitable[Failure | None]]) -> Failure:
    """Give the shortest walk found that fails, too; `replay` plays a part of it anew."""
    tries = 0
    parts = _parts(failure.steps)
    while tries < TRIES and (part := next(parts, None)) is not None:
        tries += 1
        found = await replay(part)
        if found is not None:
            failure = found
            parts = _parts(failure.steps)
    return failure


def _parts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Give shorter walks with the same last step: its end with a new beginning, then the walk without some of its steps."""
    seen = {tuple(steps)}
    ends = [
        [Step("start"), *middle, *steps[-size:]]
        for size in (2**power for power in range(10) if 2**power < len(steps))
        for middle in ((), (Step("scan"),))
    ]
    cut = [[*steps[:at], *steps[at + size :]] for size in (8, 4, 2, 1) for at in range(len(steps) - 1 - size, -1, -1)]
    for candidate in [*ends, *cut]:
        part = sanitized(candidate)
        if part and part[-1] == steps[-1] and len(part) < len(steps) and tuple(part) not in seen:
            seen.add(tuple(part))
            yield part
