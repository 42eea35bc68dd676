"""A walk over what may happen to a session, in each mode, and the walks that have found a fault before.

`make test-walk STEPS=1000` takes a longer one of another seed; docs/design/walk.md tells how it works.
"""

import pytest
from standin.settings import Mode
from walk.examples import EXAMPLES
from walk.journey import play
from walk.steps import parse
from walk.walk import random_walk

STEPS = 60
""" In each mode: about a minute of a machine that is not busy. """
SEEDS = {Mode.LEGACY: 5594, Mode.MODERN: 9680}
""" Whose walks have every kind of step between them. """


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", list(Mode))
async def test_a_random_walk(mode: Mode) -> None:
    """Whatever comes after what, the session says what the model says, in time. A busy machine is given more of it."""
    lines: list[str] = []
    failure = await play(random_walk(seed=SEEDS[mode], steps=STEPS), mode=mode, report=lines.append)

    assert failure is None, "\n".join([*lines, str(failure)])


@pytest.mark.parametrize("walk", EXAMPLES)
async def test_what_a_walk_has_found(walk: str, mode: str) -> None:
    """The shortest walk of each fault."""
    assert None is await play(parse(walk), mode=mode, report=lambda _: None)
