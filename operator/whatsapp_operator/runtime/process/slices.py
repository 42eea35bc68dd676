"""Long work in pieces, so that the event loop is never held for long: by turns in the loop, or in a thread.

What works on shared state stays in the loop, and lets others have their turn after each piece (`in_slices`); they may
change that state meanwhile, so each piece has to be right by itself. What only computes from data of its own runs in a
thread, which the interpreter interrupts every 5 ms (`Offload`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

SLICE: Final = 200
""" Items of one piece, each of which takes up to 0.1 ms. """


class Offload(Protocol):
    """Runs a function that touches no shared state; `asyncio.to_thread` is one."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Return its result."""


async def inline(function: Callable[[], T], /) -> T:
    """Run it here and now: for tests, in which time stands still until all is done."""
    return function()


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, with a turn for the others after each `SLICE` of them; `items` must not change meanwhile."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % SLICE == 0:
            await asyncio.sleep(0)
