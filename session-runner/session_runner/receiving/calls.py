"""Calls that come in: each is told once, and rejected if the session's settings say so.

`session` runs `work` beside the inbox, over the same outbox. An event of the page wakes it, and while a call rings it looks
every two seconds: the page does not tell when that ends. What it looks at is the page's list of calls, so that a call that
began before this document is found, too; one that rings and ends while no page is connected is not: the phone tells it.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec
from session_protocol.vocabulary import CallHandling

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.outbox import calls
from session_runner.outbox.calls import PageCall
from session_runner.outbox.outbox import Outbox
from session_runner.page.errors import CallFailedError
from session_runner.receiving.inbox import Inbox
from session_runner.store import StateStore
from session_runner.waker import Waker

logger = logging.getLogger(__name__)

CALL_SECONDS: Final = 10.0
""" For the page to answer. """
WHILE_RINGING: Final = 2.0
""" Seconds between two looks while a call rings. """
PAUSE: Final = 30.0
""" Seconds between two looks while none rings and no event tells of one. """
MOST_TRIES: Final = 3
""" To reject one call. """
_MOST_TRIED: Final = 1000
""" Calls whose tries are remembered. """


class Calls:
    """One session's incoming calls; used from one event loop only."""

    def __init__(
        self, *, store: StateStore, page: LinkedPage, inbox: Inbox, handling: Callable[[], CallHandling]
    ) -> None:
        self._store = store
        self._page = page
        self._inbox = inbox
        self._handling = handling
        """ What becomes of a call now. """
        self._waker = Waker()
        store.changed.connect(self._waker.wake)
        self._tries: Counter[str] = Counter()

    def something_happened(self) -> None:
        """Handle the page's event that somebody calls."""
        self._waker.wake()

    async def work(self, outbox: Outbox) -> None:
        """Look, until it is cancelled."""
        while True:
            try:
                pause = await self._round(outbox)
            except (CommandError, CallFailedError, msgspec.ValidationError) as error:
                logger.info("The page did not tell which calls ring", extra={"error": type(error).__name__})
                pause = WHILE_RINGING
            except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                logger.exception("The calls on the volume could not be read or written")
                pause = PAUSE
            await self._waker.sleep(pause)

    async def _round(self, outbox: Outbox) -> float:
        if not self._page.is_connected:
            return PAUSE
        given = await self._page.read("calls_list.js", deadline=CALL_SECONDS)
        ringing = msgspec.convert(given, type=list[PageCall])
        still = await outbox.run(calls.note, ringing, self._inbox.taking())
        self._inbox.published(await outbox.run(calls.publish, self._inbox.taking()))
        if ringing and self._handling() is CallHandling.REJECT:
            for call in ringing:
                await self._reject(outbox, call.id)
            self._inbox.published(await outbox.run(calls.publish, self._inbox.taking()))
        return WHILE_RINGING if still else PAUSE

    async def _reject(self, outbox: Outbox, identifier: str) -> None:
        if self._tries[identifier] >= MOST_TRIES:
            return
        if len(self._tries) >= _MOST_TRIED:
            self._tries.clear()
        self._tries[identifier] += 1
        try:
            answer = await self._page.call("call_reject.js", {"id": identifier}, deadline=CALL_SECONDS)
        except (CommandError, CallFailedError) as error:
            logger.warning("A call could not be rejected", extra={"error": type(error).__name__})
            return
        if answer == "rejected":
            await outbox.run(calls.rejected, identifier, now=self._inbox.taking().now.timestamp())
            logger.info("A call was rejected")
