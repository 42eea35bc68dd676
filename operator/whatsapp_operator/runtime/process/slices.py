"""Long work in pieces, so that the event loop is never held for long: by turns in the loop, or in a thread.

What works on shared state stays in the loop, and lets others have their turn after each piece (`in_slices`); they may
change that state meanwhile, so each piece has to be right by itself. What only computes from data of its own runs in a
thread, which the interpreter interrupts every 5 ms (`Offload`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

SLICE: Final = 50
""" Items of one piece. The slowest take 0.3 ms each: a line of the log. """


class Offload(Protocol):
    """Runs a function that touches no shared state; `asyncio.to_thread` is one."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Return its result."""


async def inline(function: Callable[[], T], /) -> T:
    """Run the function at once, in the event loop: the simulated time of tests knows no threads."""
    return function()


def drained(items: list[T]) -> Iterator[T]:
    """Yield the items in their order and drop each from the list.

    To free ten thousand objects at once, as at the end of a function, takes as long as to make them.
    """
    items.reverse()
    while items:
        yield items.pop()


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, with a turn for the others after each `SLICE` of them; `items` must not change meanwhile."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % SLICE == 0:
            await asyncio.sleep(0)
