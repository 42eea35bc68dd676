"""Brings the history, what the phone had before it was linked, to the webhooks that want it: a piece at a time, and once.

`session` runs `work` beside the inbox, over the same outbox. It begins when the first synchronisation is over, and reads
chat after chat from the newest message backwards. Few chunks wait for a webhook at any time: what is not read yet is in
the page's store, which keeps it, and what is said now has the room.
"""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage, PageRefusedError
from session_runner.messages.incoming import Entry, News, PageMessage, Who, news_of
from session_runner.outbox import backfills, seen
from session_runner.outbox.backfills import Backfill, Receiver
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.seen import Reading
from session_runner.page.errors import CallFailedError
from session_runner.receiving.inbox import LATER, Inbox
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50
""" Messages in one chunk. """
BETWEEN: Final = 0.1
""" Seconds between two pieces, in which others have their turn. """
RETRY: Final = 5.0
""" Seconds until what failed, or had no room, is tried again. """
PAUSE: Final = 15.0
""" Seconds between two looks while there is nothing to bring. """
MOST_TRIES: Final = 5
""" To read one piece; then its chat is left out. """


class BackfillReader:
    """One session's history; used from one event loop only."""

    def __init__(
        self,
        *,
        store: StateStore,
        page: LinkedPage,
        inbox: Inbox,
        receivers: Callable[[], Sequence[Receiver]],
        stored: Callable[[], None],
    ) -> None:
        self._store = store
        self._page = page
        self._inbox = inbox
        self._receivers = receivers
        """ Who wants the history now. """
        self._stored = stored
        """ Called when there is something to deliver. """
        self._failures: Counter[int] = Counter()
        """ By the place of the chat. """

    async def work(self, outbox: Outbox) -> None:
        """Read, until it is cancelled."""
        while True:
            try:
                pause = await self._round(outbox)
            except CommandError as error:
                logger.info("The page did not tell its history", extra={"error": type(error).__name__})
                pause = RETRY
            except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                logger.exception("The history on the volume could not be read or written")
                pause = PAUSE
            await asyncio.sleep(pause)

    async def _round(self, outbox: Outbox) -> float:
        """Read a piece for each webhook that wants one; return the seconds after which there may be more."""
        snapshot = self._store.snapshot
        wanted = {receiver.name: receiver for receiver in self._receivers()}
        if not self._page.is_connected or snapshot.linked_time is None:
            return PAUSE
        linked = snapshot.linked_time.timestamp()
        now = self._inbox.taking().now.timestamp()
        todo = await outbox.run(backfills.unfinished, tuple(wanted), linked=linked, now=now)
        if not todo:
            return PAUSE
        reading = await outbox.run(seen.reading, linked=linked, now=now)
        if not reading.synchronised:
            return PAUSE
        pause = PAUSE
        for at in todo:
            if await outbox.run(backfills.has_room, at.webhook):
                pause = min(pause, await self._go_on(outbox, at, wanted[at.webhook], reading))
            else:
                pause = min(pause, RETRY)
        return pause

    async def _go_on(self, outbox: Outbox, at: Backfill, to: Receiver, reading: Reading) -> float:
        how = self._inbox.taking(reading)
        try:
            if not at.listed:
                await outbox.run(backfills.listed, to, await self._chats())
                logger.info("The history is being brought to a webhook", extra={"webhook": to.name})
            elif at.who is None:
                await outbox.run(backfills.finish, to=to, how=how)
                logger.info("The history was brought to a webhook", extra={"webhook": to.name})
                self._failures.clear()
                self._stored()
            else:
                messages, next_key = await self._piece(at.who, at.next, before=reading.linked)
                await outbox.run(backfills.take, messages, at=at, to=to, next_key=next_key, how=how)
                self._stored()
        except (CallFailedError, msgspec.ValidationError) as error:
            logger.info("A piece of the history could not be read", extra={"error": type(error).__name__})
            if at.place is not None:
                self._failures[at.place] += 1
                if self._failures[at.place] >= MOST_TRIES:
                    logger.warning("The rest of a chat's history is left out")
                    await outbox.run(backfills.skip, at)
            return RETRY
        return BETWEEN

    async def _chats(self) -> list[Who]:
        found = await self._page.read("inbox_chats.js", {"since": 0})
        return msgspec.convert(found, type=_Chats).chats[: backfills.MOST_CHATS]

    async def _piece(self, who: Who, start: str | None, *, before: float) -> tuple[list[PageMessage], str | None]:
        """Return messages of a chat from before the link, oldest first, and the key before which there are more."""
        found = msgspec.convert(
            await self._page.read("inbox_list.js", {"id": who.id, "since": 0, "from": start, "reacted": False}),
            type=_Piece,
        )
        if found.failed:
            raise PageRefusedError
        entries = [entry for entry in found.entries if _is_published(entry, before=before)]
        some, next_key = entries[-AT_ONCE:], found.next if found.next != start else None
        if len(some) < len(entries):
            next_key = some[0].key
        if not some:
            return [], next_key
        read = await self._page.read("inbox_read.js", {"keys": [entry.key for entry in some]})
        if isinstance(read, list) and LATER in read:
            raise PageRefusedError
        return [one for one in msgspec.convert(read, type=list[PageMessage | None]) if one is not None], next_key


class _Chats(msgspec.Struct, frozen=True):
    chats: list[Who]


class _Piece(msgspec.Struct, frozen=True):
    entries: list[Entry]
    next: str | None = None
    failed: bool = False


def _is_published(entry: Entry, *, before: float) -> bool:
    return entry.t < before and news_of(entry, None, now=before) is News.MESSAGE
