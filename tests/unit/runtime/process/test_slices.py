"""Long work in pieces: others have their turn in between."""

import asyncio

import pytest
from whatsapp_operator.runtime.process.slices import SLICE, in_slices, inline


@pytest.mark.parametrize(("items", "turns"), [(0, 0), (SLICE - 1, 0), (SLICE, 1), (10 * SLICE, 10)])
async def test_others_have_a_turn_after_each_slice(items: int, turns: int) -> None:
    """And no item is lost."""
    had = 0

    async def other() -> None:
        nonlocal had
        while True:
            await asyncio.sleep(0)
            had += 1

    running = asyncio.create_task(other())
    await asyncio.sleep(0)
    seen = [item async for item in in_slices(range(items))]
    running.cancel()

    assert (list(range(items)), turns) == (seen, had)


async def test_inline_is_done_at_once() -> None:
    """For tests, whose time stands still meanwhile."""
    assert 7 == await inline(lambda: 7)
