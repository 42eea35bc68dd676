"""Has the page's garbage collected: what its start leaves, and what gathers while it is at rest.

V8 leaves garbage for as long as its heap has room, and takes the room from the system; a page at rest gives it no reason to
look. On a heavy page that is a quarter of what a session takes (docs/design/runner.md, Memory). `session` runs this beside
the page. A collection is no more than what V8 may do at any moment, and holds the page up for a fraction of a second.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from session_protocol.vocabulary import RunnerState

from session_runner.page.errors import CallFailedError, PageGoneError
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

SETTLED: Final = 30.0
""" Seconds between two looks that find the session connected: by then its start is over. """
EVERY: Final = 600.0
""" Seconds between two collections. """


class HeapPage(Protocol):
    """A page whose heap can be cleaned."""

    async def collect_garbage(self) -> None:
        """Collect all of it, now.

        :raises CallFailedError: it was not done in time.
        :raises PageGoneError: the page is dead.
        """


async def keep_small(
    page: HeapPage, store: StateStore, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Collect the page's garbage until the page is gone."""
    was_connected = False
    while True:
        await sleep(SETTLED)
        is_connected = store.snapshot.state is RunnerState.CONNECTED
        if is_connected and was_connected:
            try:
                await page.collect_garbage()
            except PageGoneError:
                return
            except CallFailedError as error:
                logger.info("The page's garbage was not collected", extra={"error": str(error)})
            await sleep(EVERY - SETTLED)
        was_connected = is_connected
