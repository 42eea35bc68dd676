"""How a walk that failed is cut down, and that the planted faults fit the runner as it is."""

import subprocess
import sys
from collections.abc import Sequence

from walk.faults import FAULTS
from walk.journey import Failure, shortest
from walk.steps import Step, parse, render
from walk.walk import random_walk


def failing(steps: Sequence[Step]) -> Failure:
    """That walk, with a reason."""
    return Failure(steps=tuple(steps), what="it said Connected")


async def test_only_what_is_needed_is_left() -> None:
    """Of a long walk that fails after a reload in a conflict."""
    long = parse("start; offline; online; scan; drop; busy; lock; unlock; newer_page; replaced; language(de); reload")
    played = []

    async def replay(steps: Sequence[Step]) -> Failure | None:
        played.append(steps)
        return failing(steps) if Step("replaced") in steps and steps[-1] == Step("reload") else None

    found = await shortest(failing(long), replay)

    assert "start; scan; replaced; reload" == render(found.steps)
    assert len(played) <= 30


async def test_a_walk_that_never_fails_again_stays_whole() -> None:
    """Chance had a part in it; the number of tries is limited."""
    steps = list(random_walk(seed=3, steps=60))
    tries = 0

    async def replay(_steps: Sequence[Step]) -> Failure | None:
        nonlocal tries
        tries += 1
        return None

    assert steps == list((await shortest(failing(steps), replay)).steps)
    assert tries <= 30


def test_every_planted_fault_fits() -> None:
    """A patch whose place is gone fails, and at least ten are there."""
    script = "from walk.faults import FAULTS, plant\nfor name in FAULTS: plant(name)"

    assert len(FAULTS) >= 10
    assert "" == subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stderr
