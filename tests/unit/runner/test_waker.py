"""The sleep between two rounds of a loop."""

import asyncio

import pytest
from session_runner.waker import Waker


@pytest.mark.parametrize("woken", ["before", "meanwhile", "never"])
async def test_a_sleep_ends_when_it_is_woken_or_after_its_time(woken: str) -> None:
    """A call from before it, while the round still went, counts."""
    waker = Waker()
    if woken == "before":
        waker.wake()
    if woken == "meanwhile":
        asyncio.get_running_loop().call_later(0.01, waker.wake)

    async with asyncio.timeout(5):
        await waker.sleep(0.01 if woken == "never" else None)


async def test_one_call_ends_one_sleep() -> None:
    """However many calls came before it."""
    waker = Waker()
    waker.wake()
    waker.wake()
    await waker.sleep(None)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await waker.sleep(None)
