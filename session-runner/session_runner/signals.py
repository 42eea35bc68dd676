"""Calls from a part to those who wait for what it does, without it knowing them: `assembly` connects the two.

Like an `asyncio.Event` that many may be woken by and nobody has to clear; what happened it does not carry.
"""

from collections.abc import Callable


class Signal:
    """Calls whoever is connected, in their order; used from one event loop only."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def connect(self, listener: Callable[[], None]) -> None:
        """Have it called each time from now on."""
        self._listeners.append(listener)

    def emit(self) -> None:
        """Call all of them."""
        for listener in self._listeners:
            listener()
