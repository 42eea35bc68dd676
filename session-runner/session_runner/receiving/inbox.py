"""Takes messages in: what is new in the page's store becomes rows of events on the volume, together with that it was seen.

`session` runs `work` beside the page monitor and `messaging`, over the same outbox. An event of the page, a change of the
session's state and a timer wake this loop, and carry nothing: the page is asked what it has stored. After an event that is
the chats in which something happened; after the page was away, and every minute, all chats that anything can have happened
in. Whoever sends the events on, to streams or webhooks, waits for `changed` and reads the rows.

While more waits for webhooks than has room, nothing is read: the page keeps it, and what is kept is not lost.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from session_runner.commands import CommandError
from session_runner.linked_page import Absence, LinkedPage, PageRefusedError
from session_runner.messages.errors import NotReadyError
from session_runner.messages.incoming import ChatEntries, Entry, PageMessage, Who
from session_runner.metrics.metrics import Metrics
from session_runner.outbox import events, people, readings, seen
from session_runner.outbox.events import Deliveries, Stored
from session_runner.outbox.marks import LONGEST_DELAY, SHORTEST_DELAY, Marking
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.readings import State, Touched
from session_runner.outbox.seen import Reading, Sifted, Taking
from session_runner.page.errors import CallFailedError
from session_runner.signals import Signal
from session_runner.store import StateStore
from session_runner.waker import Waker

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50
""" Messages that are read, and stored, together. """
MOST_HELD: Final = 5000
""" Entries of one chat that are held at once. """
AGAIN: Final = 2.0
""" Seconds after which the chats of an event are looked at once more: a page may tell before it has stored. """
WHOLE: Final = 60.0
""" Seconds between two readings of all chats. """
SETTLED: Final = 2.0
""" Seconds between two such readings that find the first synchronisation over. """
SYNCHRONISED_AFTER: Final = 30 * 60.0
""" Seconds after which it counts as over, whatever the page says: after a reload it may not say it any more. """
RETRY: Final = 2.0
""" Seconds until what failed is tried again. """
PAUSE: Final = 30.0
""" Seconds between two rounds of which nothing told. """
SWEEP: Final = 3600.0
""" Seconds between two removals of what is kept no longer. """
LATER: Final = "later"
""" What the page says of a message that it does not give now. """
EVENT_BYTES: Final = 12
""" Random bytes of an event's id. """
_NO_MESSAGES: Final = Reading(linked=0, synchronised=True, since=0)
""" For what does not come from the page's messages. """


class _NoRoomError(Exception):
    """So much waits by now that nothing more is read."""


class _UntoldChatError(Exception):
    """The page does not tell all that is in a chat."""


@dataclass(kw_only=True)
class _Whole:
    """When all chats are read next, on the loop's clock."""

    at: float = 0.0
    reconnected: bool = True
    """ Whether reactions have to be asked for, too: the page had nobody to tell them to. """
    settled: float | None = None
    """ When such a reading last found the first synchronisation over, and nothing new of it. """


class Inbox:
    """One session's incoming messages; used from one event loop only."""

    def __init__(
        self,
        *,
        store: StateStore,
        page: LinkedPage,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        phone_number_id: str,
        metrics: Metrics,
        deliveries: Deliveries,
        marking: Callable[[], bool],
    ) -> None:
        self._store = store
        self._page = page
        self._clock = clock
        self._random = random
        self._phone_number_id = phone_number_id
        self._metrics = metrics
        self._deliveries = deliveries
        self._marking = marking
        """ Whether what comes now is to be marked as read. """
        self._outbox: Outbox | None = None
        self._waker = Waker()
        self._absence = Absence(store, is_there=lambda: page.is_connected)
        store.changed.connect(self._waker.wake)
        self._something = False
        """ Whether the page told that something happened. """
        self._again = False
        self._whole = _Whole()
        self._is_full = False
        self.changed = Signal()
        """ There are new events, or none can be read any more. """
        self.marks_stored = Signal()
        """ Messages were stored with their read marks. """

    def something_happened(self) -> None:
        """Handle the page's event that messages came or changed."""
        self._something = True
        self._waker.wake()

    def wake(self) -> None:
        """Look again: statuses have come, or there is room again."""
        self._waker.wake()

    async def after(self, place: int, *, most: int) -> list[Stored]:
        """Return the events behind a place.

        :raises NotReadyError: the runner is starting or ending.
        """
        return await self._opened().run(events.after, place, most=most)

    async def newest(self) -> int:
        """Return the place of the newest event.

        :raises NotReadyError: the runner is starting or ending.
        """
        return await self._opened().run(events.newest)

    async def place_of(self, identifier: str) -> int | None:
        """Return the place of an event; None: it is not known, or not any more.

        :raises NotReadyError: the runner is starting or ending.
        """
        return await self._opened().run(events.place_of, identifier)

    def _opened(self) -> Outbox:
        if self._outbox is None:
            raise NotReadyError("The runner is starting or ending, or its volume has no room; ask again in a moment.")
        return self._outbox

    async def work(self, outbox: Outbox) -> None:
        """Read, until it is cancelled."""
        self._outbox = outbox
        try:
            await self._work(outbox)
        finally:
            self._outbox = None
            self.changed.emit()

    async def _work(self, outbox: Outbox) -> None:
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        await outbox.run(seen.opened, now=self._clock().timestamp())
        while True:
            try:
                if loop.time() >= sweep_at:
                    now = self._clock().timestamp()
                    await outbox.run(seen.sweep, now=now)
                    await outbox.run(events.sweep, now=now)
                    sweep_at = loop.time() + SWEEP
                pause = await self._round(outbox, loop)
            except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                logger.exception("The events on the volume could not be read or written")
                self._whole = _Whole()  # what the page told of, it does not tell again
                pause = RETRY
            await self._waker.sleep(pause)

    async def _round(self, outbox: Outbox, loop: asyncio.AbstractEventLoop) -> float:
        """Read what there is now; return the seconds after which there may be more."""
        snapshot, linked = self._store.snapshot, self._store.snapshot.linked_time
        can_read = self._page.is_connected and linked is not None
        state = State(
            state=snapshot.state,
            reason=snapshot.reason,
            linked=snapshot.linked,
            linked_time=linked.timestamp() if can_read and linked is not None else None,
        )
        begun = await outbox.run(readings.begin, self.taking(), state)
        self._found_room(is_full=begun.is_full)
        self.published(begun.published)
        if begun.more:
            self.wake()
        if self._absence.noticed() or not can_read:
            self._whole = _Whole()  # what happens meanwhile is read as soon as it is connected
        if not can_read:
            return PAUSE
        reading = begun.reading
        if reading is None:
            return RETRY
        try:
            if self._something or self._again:
                await self._read_touched(outbox, reading)
            if loop.time() >= self._whole.at:
                await self._read_whole(outbox, reading, loop)
        except _NoRoomError:
            self._again = True  # what was being read is not lost
            return RETRY
        except (CommandError, CallFailedError) as error:
            logger.info("The page did not tell what is new", extra={"error": type(error).__name__})
            self._whole = _Whole(at=loop.time() + RETRY)
            return RETRY
        if self._again:
            return AGAIN
        return max(0.0, min(PAUSE, self._whole.at - loop.time()))

    def _found_room(self, *, is_full: bool) -> None:
        if is_full and not self._is_full:
            logger.warning("So many events wait for webhooks that no more messages are read")
        self._is_full = is_full
        self._metrics.reading_stopped.set(is_full)
        if is_full:
            self._whole = _Whole()

    async def _read_touched(self, outbox: Outbox, reading: Reading) -> None:
        """Read the chats in which something happened, and a little later once more."""
        again, self._again, self._something = self._again, self._something, False
        taken = await self._page.read("inbox_take.js", {"again": again})
        if not isinstance(taken, dict) or not isinstance(taken.get("chats"), list):
            raise PageRefusedError
        touched = []
        for given in taken["chats"]:
            with self._unreadable():
                chat = msgspec.convert(given, type=ChatEntries)
                touched.append(
                    Touched(who=chat.who, entries=self._entries(chat.entries), messages=_given_with(chat.entries))
                )
        if touched:
            await self._take_touched(outbox, touched, reading)
        if taken.get("lost"):
            self._whole = _Whole(settled=self._whole.settled)

    async def _read_whole(self, outbox: Outbox, reading: Reading, loop: asyncio.AbstractEventLoop) -> None:
        """Read all chats that may have something new."""
        whole, started, reconnected = self._whole, self._clock().timestamp(), self._whole.reconnected
        found = await self._page.read("inbox_chats.js", {"since": reading.since})
        if not isinstance(found, dict) or not isinstance(found.get("chats"), list):
            raise PageRefusedError
        history, untold = 0, 0
        for given in found["chats"]:
            with self._unreadable():
                who = msgspec.convert(given, type=Who)
                try:
                    history += await self._read_chat(outbox, who, reading, reacted=reconnected)
                except _UntoldChatError:
                    untold += 1
            if self._something:  # what has just happened does not wait for all the rest
                await self._read_touched(outbox, reading)
        if untold:  # they are read from where they were read before
            logger.warning("The page does not tell what is in chats", extra={"count": untold})
        over = (bool(found.get("synchronised")) and not untold) or started - reading.linked >= SYNCHRONISED_AFTER
        settled = None
        if over and not history:
            settled = loop.time() if whole.settled is None else whole.settled
        synchronised = reading.synchronised or (settled is not None and loop.time() - settled >= SETTLED)
        await outbox.run(seen.caught_up, time=None if untold else started, synchronised=synchronised)
        pause, is_all = WHOLE if synchronised else SETTLED, self._whole is whole
        if not is_all:  # events were lost meanwhile, in chats that were read before perhaps
            pause = min(pause, AGAIN)
        self._whole = _Whole(at=loop.time() + pause, reconnected=not is_all, settled=settled)

    async def _read_chat(self, outbox: Outbox, who: Who, reading: Reading, *, reacted: bool) -> int:
        """Take what is new of a whole chat, oldest first; return how much of it came with the link.

        Of very much the oldest is taken first, and then the chat is listed again.
        """
        history, last = 0, ""
        while True:
            news, found, is_all = await self._list(outbox, who, reading, reacted=reacted)
            history += found
            await self._publish(outbox, who, list(news), reading)
            if is_all or news[0].key == last:  # a page that lists what it does not give is asked again in a minute
                return history
            last = news[0].key

    async def _list(
        self, outbox: Outbox, who: Who, reading: Reading, *, reacted: bool
    ) -> tuple[deque[Entry], int, bool]:
        """Return what is new of a chat, oldest first, what came with the link, and whether that is all."""
        news: deque[Entry] = deque()
        history, is_all, place = 0, True, None
        while True:
            argument = {"id": who.id, "since": reading.since, "from": place, "reacted": reacted and place is None}
            found = await self._page.read("inbox_list.js", argument)
            if not isinstance(found, dict) or not isinstance(found.get("entries"), list):
                raise PageRefusedError
            if found.get("failed"):
                raise _UntoldChatError
            sifted = await self._sift(outbox, who, found["entries"], reading)
            news.extendleft(reversed(sifted.news))
            history += sifted.history
            while len(news) > MOST_HELD:
                news.pop()
                is_all = False
            if found.get("next") in (None, place):
                return news, history, is_all
            place = found["next"]

    async def _take_touched(self, outbox: Outbox, touched: Sequence[Touched], reading: Reading) -> None:
        """Take what is new of these chats."""
        how = self._taking_messages(reading)
        taken = await outbox.run(readings.take_touched, touched, how)
        self._took(taken.published, how=how, is_full=taken.is_full)
        for who, news in taken.left:
            with contextlib.suppress(_UntoldChatError):  # all chats are read within a minute
                await self._publish(outbox, who, news, reading)

    async def _sift(self, outbox: Outbox, who: Who, given: Sequence[Any], reading: Reading) -> Sifted:
        return await outbox.run(seen.sift, who, self._entries(given), self.taking(reading))

    def _entries(self, given: Sequence[Any]) -> list[Entry]:
        entries = []
        for one in given:
            with self._unreadable():
                entries.append(msgspec.convert(one, type=Entry))
        return entries

    async def _publish(self, outbox: Outbox, who: Who, news: Sequence[Entry], reading: Reading) -> None:
        """Have what is in these messages stored as events.

        :raises _UntoldChatError: the page does not give all of them now; the others are stored.
        """
        is_all = True
        for start in range(0, len(news), AT_ONCE):
            some = news[start : start + AT_ONCE]
            read = await self._page.read("inbox_read.js", {"keys": [entry.key for entry in some]})
            if not isinstance(read, list) or len(read) != len(some):
                raise PageRefusedError
            messages = []
            for entry, one in zip(some, read, strict=True):
                if one is None:
                    continue  # gone since it was listed
                if one == LATER:
                    is_all = False
                    continue
                with self._unreadable() as readable:
                    messages.append(msgspec.convert(one, type=PageMessage))
                if not readable:
                    await outbox.run(seen.mark, who, entry, self.taking(reading))
            fresh = frozenset(entry.key for entry in some if entry.fresh)
            how = self._taking_messages(reading)
            count, is_full = await outbox.run(readings.take, messages, fresh=fresh, how=how)
            self._took(count, how=how, is_full=is_full)
        if not is_all:
            raise _UntoldChatError

    def _took(self, count: int, *, how: Taking, is_full: bool) -> None:
        """Handle that messages were stored. :raises _NoRoomError: no more are to be read."""
        self.published(count)
        if count and how.marking is not None:
            self.marks_stored.emit()
        if is_full:
            self._found_room(is_full=True)
            raise _NoRoomError

    @contextlib.contextmanager
    def _unreadable(self) -> Any:
        """Pass over one thing that is not as it should be; nothing of it is logged."""
        readable = [True]
        try:
            yield readable
        except msgspec.ValidationError:
            readable.clear()
            self._metrics.unreadable.inc()
            logger.warning("The page gave something that is no message")

    def published(self, count: int) -> None:
        """Tell those who wait that there are so many new events."""
        if count:
            self._metrics.events.inc(count)
            self.changed.emit()

    def _taking_messages(self, reading: Reading) -> Taking:
        return self.taking(reading, marking=self._marks() if self._marking() else None)

    def _marks(self) -> Marking:
        part = int.from_bytes(self._random(2)) / 2**16
        delay = SHORTEST_DELAY + part * (LONGEST_DELAY - SHORTEST_DELAY)
        return Marking(account=self._page.account, delay=delay)

    def taking(self, reading: Reading = _NO_MESSAGES, *, marking: Marking | None = None) -> Taking:
        """Return with what something becomes events now."""
        return Taking(
            reading=reading,
            now=self._clock(),
            new_event=lambda: f"EV{self._random(EVENT_BYTES).hex().upper()}",
            new_user=lambda: people.user_id(self._random(people.RANDOM_BYTES)),
            phone_number_id=self._phone_number_id,
            deliveries=self._deliveries,
            marking=marking,
        )


def _given_with(entries: Sequence[Any]) -> dict[str, PageMessage]:
    """Return by key what the page gave of messages beside their entries; what is none is read, and found to be none."""
    messages = {}
    for one in entries:
        if isinstance(one, dict) and "who" in one:
            with contextlib.suppress(msgspec.ValidationError):
                message = msgspec.convert(one, type=PageMessage)
                messages[message.key] = message
    return messages
