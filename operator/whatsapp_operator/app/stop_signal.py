"""The signal that asks the process to stop: SIGTERM from the kubelet, or SIGINT from a terminal.

The process gives it what may take long, such as the wait for the Lease, so that a stop ends that at once.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class StopSignal:
    """Whether the process was asked to stop."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    @property
    def asked(self) -> bool:
        """The signal has come."""
        return self._asked.is_set()

    def listen(self) -> None:
        """Handle the signals from now on; again after a library has put its own handlers there."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)

    async def wait(self, *, within: float) -> None:
        """Wait for the signal, at most so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), within)

    async def unless_asked(self, work: Coroutine[Any, Any, None]) -> bool:
        """Await the work until the process is asked to stop; return whether it was finished."""
        doing, stopping = asyncio.create_task(work), asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                return False
            await doing
            return True
        finally:
            stopping.cancel()
            doing.cancel()
            await asyncio.gather(doing, stopping, return_exceptions=True)

    def _on_signal(self, number: signal.Signals) -> None:
        if not self.asked:
            logger.info("Asked to stop", extra={"signal": number.name})
        self._asked.set()
