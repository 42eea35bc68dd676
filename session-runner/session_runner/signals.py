"""Calls from a part to those who wait for what it does, without it knowing them.

`assembly` connects a part that is to be called each time; a request that waits for the next time alone takes an event.
What happened neither of them carries: whoever is called looks.
"""

import asyncio
from collections.abc import Callable


class Signal:
    """Calls whoever is connected, in their order, and wakes whoever waits; used from one event loop only."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._next = asyncio.Event()

    def connect(self, listener: Callable[[], None]) -> None:
        """Have it called each time from now on."""
        self._listeners.append(listener)

    def next(self) -> asyncio.Event:
        """Return what is set the next time. Take it before looking whether there is anything."""
        return self._next

    def emit(self) -> None:
        """Call and wake all of them."""
        self._next.set()
        self._next = asyncio.Event()
        for listener in self._listeners:
            listener()
