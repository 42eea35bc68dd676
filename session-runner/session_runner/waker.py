"""How a loop sleeps between two rounds: for so long, or until somebody wakes it."""

import asyncio
import contextlib


class Waker:
    """Wakes one loop; a call during its round is not lost. Used from one event loop only."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the sleep of now, or the next one at once."""
        self._woken.set()

    async def sleep(self, seconds: float | None) -> None:
        """Return once it was woken since the last sleep, or after so many seconds; None: only then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
