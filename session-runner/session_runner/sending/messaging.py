"""Sends messages: takes a request onto the volume, hands it over to the page, and follows what becomes of it.

The HTTP API calls `accept` and answers once the request is stored; `session` runs `work` beside the page monitor for as
long as the profile is ours, and without messages for as long as the volume has no room for their file. The page itself
sends, and sends again; here it is only told, once, and its own store is asked for the rest: an event of the page wakes
this loop and carries nothing. What is handed over but not noted, because the runner died in between, is found in the
page's store under its id, and not handed over again. What waits for one account is never handed over to the page of
another.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from session_protocol.states import STATES

from session_runner.commands import CommandError
from session_runner.linked_page import Absence, LinkedPage
from session_runner.live import Live
from session_runner.messages.changes import check_changeable
from session_runner.messages.contents import Deletion, Edit, File, kind_of
from session_runner.messages.errors import (
    KeyInUseError,
    KeyReusedError,
    MessageError,
    NotLinkedError,
    NotReadyError,
    QueueFullError,
    UnknownObjectError,
)
from session_runner.messages.ids import RANDOM_BYTES, message_id
from session_runner.messages.pacing import Turn
from session_runner.messages.progress import unanswered_since
from session_runner.messages.requests import ReadMark, SendRequest
from session_runner.metrics.messages import MessageMetrics
from session_runner.outbox import marks, requests, turns
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.outbox.requests import Message, NewMessage
from session_runner.outbox.schema import NoRoomError
from session_runner.outbox.turns import FullError
from session_runner.page.errors import CallFailedError
from session_runner.sending.handing_over import HandingOver
from session_runner.sending.pacer import Pacer
from session_runner.sending.preparing import Preparer
from session_runner.sending.read_marks import ReadMarks
from session_runner.sending.receipts import Receipts
from session_runner.sending.recipients import Recipients
from session_runner.signals import Signal
from session_runner.store import StateStore
from session_runner.values import Private
from session_runner.waker import Waker

logger = logging.getLogger(__name__)

OPEN_SECONDS: Final = 1.0
""" How long a request waits for a runner that has just started. """
REOPEN: Final = 30.0
""" Seconds until the file is opened again that the volume had no room for. """
MOST_WAITING: Final = 1000
""" Messages that wait for the page; beyond them a request is refused. """
MEASURE: Final = 1.0
""" Seconds between two measurements at least. """
TICK: Final = 30.0
""" Seconds between two rounds of which no event told. """
RETRY: Final = 2.0
""" Seconds until a message that the page did not take is handed over again. """
SWEEP: Final = 3600.0
""" Seconds between two removals of what is kept no longer. """


class Accepted(Private, frozen=True, kw_only=True):
    """What the caller is told."""

    hidden = ("given", "digits")

    identifier: str
    given: str
    digits: str


class Messaging:
    """One session's messages; used from one event loop only."""

    def __init__(
        self,
        *,
        store: StateStore,
        page: LinkedPage,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        metrics: MessageMetrics,
        preparer: Preparer,
        live: Live,
    ) -> None:
        self._store = store
        self._page = page
        self._waker = Waker()
        self._absence = Absence(store, is_there=lambda: page.can_send)
        store.changed.connect(self._waker.wake)
        self._clock = clock
        self._random = random
        self._preparer = preparer
        preparer.settled.connect(self.wake)
        self._marks = ReadMarks(page=self._page, now=self._now)
        self._metrics = metrics
        self._recipients = Recipients(self._page, now=self._now)
        live.changed.connect(self._waker.wake)
        self._pacer = Pacer(page=self._page, store=store, live=live, now=self._now, failed=self._count_failed)
        self._handing = HandingOver(
            page=self._page,
            pacer=self._pacer,
            preparer=preparer,
            now=self._now,
            failed=self._count_failed,
        )
        self._receipts = Receipts(
            page=self._page, now=self._now, metrics=metrics, failed=self._count_failed, further=self._went_further
        )
        self._connected_since: float | None = None
        self._settled: str | None = None
        """ The account that what waits was found to be of; looked at again with each new one, and now and then. """
        self._outbox: Outbox | None = None
        self._opened = asyncio.Event()
        self._measure_at = 0.0
        """ When it is measured again at the earliest, on the loop's clock. """
        self.progressed = Signal()
        """ Statuses may have come. """
        self._has_progressed = True
        """ Whether they may have; an earlier runner may have left some. """
        self._under_way: set[str] = set()
        """ Keys of idempotency whose requests are being stored. """

    def wake(self) -> None:
        """Handle that a message can go on, or has failed."""
        self._has_progressed = True
        self._waker.wake()

    async def outbox(self) -> Outbox:
        """Return the open outbox.

        :raises NotReadyError: the runner is starting or ending.
        """
        return await self._open()

    def acks_changed(self) -> None:
        """Handle the page's event that messages have come further."""
        self._receipts.changed()
        self._waker.wake()

    async def accept(self, request: SendRequest, *, key: str | None = None, digest: str = "") -> Accepted:
        """Store a request; return what its caller is told.

        :param key: of idempotency, with the `digest` of what was asked for.
        :raises MessageError: it was not stored, and will not be sent.
        """
        try:
            with _full_volume_is_no_fault():
                return await self._accept(request, key=key, digest=digest)
        except MessageError as error:
            self._metrics.refused.labels(error.code).inc()
            raise

    async def _accept(self, request: SendRequest, *, key: str | None, digest: str) -> Accepted:
        outbox = await self._open()
        if key is None:
            return await self._store_request(outbox, request)
        if key in self._under_way:
            raise KeyInUseError("The same request is being stored; ask again in a second.")
        self._under_way.add(key)
        try:
            known = await outbox.run(requests.earlier, key)
            if known is None:
                return await self._store_request(outbox, request, key=key, digest=digest)
            if known.digest != digest:
                raise KeyReusedError("This Idempotency-Key belongs to another request; take a new one.")
            return Accepted(identifier=known.identifier, given=known.given, digits=known.digits)
        finally:
            self._under_way.discard(key)

    async def change(self, change: Edit | Deletion, *, key: str | None = None, digest: str = "") -> Accepted:
        """Store that one of our messages is to be changed; what is waiting goes out before it.

        :raises MessageError: it was not stored, and nothing will be changed.
        """
        outbox = await self._open()
        message = await outbox.run(requests.find, change.message)
        if message is None:
            raise UnknownObjectError("There is no such message, or it is older than a week.")
        check_changeable(change, kind=message.kind, progress=message.progress)
        return await self.accept(
            SendRequest(given=message.digits, digits=message.digits, content=change), key=key, digest=digest
        )

    async def mark(self, mark: ReadMark) -> None:
        """Mark a message as read, now or when the page is back.

        :raises MessageError: it will not be marked.
        """
        outbox = await self._open()
        self._page.check_linked()
        await self._marks.take(outbox, mark)
        self._waker.wake()

    def marks_wait(self) -> None:
        """Handle that messages came which are to be marked as read."""
        self._marks.wait()
        self._waker.wake()

    async def find(self, identifier: str) -> Message | None:
        """Return what is known of a message.

        :raises NotReadyError: the runner is starting or ending.
        """
        return await (await self._open()).run(requests.find, identifier)

    async def turn(self, identifier: str) -> Turn | None:
        """Return when the turn of a message is that waits for it; None: it does not.

        :raises NotReadyError: the runner is starting or ending.
        """
        return (await self._pacer.paced(await self._open())).get(identifier)

    @contextlib.asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Outbox]:
        """Take requests for as long as the profile is ours, from when there is room for their file.

        :raises DamagedOutboxError: the file cannot be read, or is a newer runner's.
        :raises OSError: it cannot be made.
        """
        async with contextlib.AsyncExitStack() as stack:
            outbox = self._outbox = await _open_with_room(stack, path)
            self._opened.set()
            try:
                yield outbox
            finally:
                self._opened.clear()
                self._outbox = None

    async def work(self, outbox: Outbox) -> None:
        """Hand over and follow, until it is cancelled."""
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        while True:
            try:
                if loop.time() >= sweep_at:
                    await outbox.run(requests.sweep, now=self._now())
                    sweep_at = loop.time() + SWEEP
                pause = await self._round(outbox, now=loop.time())
                if self._has_progressed:
                    self._has_progressed = False
                    self.progressed.emit()
            except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                logger.exception("The messages on the volume could not be read or written")
                pause = RETRY
            await self._waker.sleep(pause)

    async def _round(self, outbox: Outbox, *, now: float) -> float:
        """Do what can be done now; return the seconds after which there may be more."""
        state = self._store.snapshot.state
        if self._absence.noticed():
            self._connected_since = self._settled = None
            self._receipts.disconnected(now=now)
        if not self._page.can_send:
            pause = min(TICK, await self._measure(outbox, now=now))
            if STATES[state].linked is False:
                await self._end_waiting(outbox, but_of=None)
                await outbox.run(marks.clear)
            return pause
        if self._connected_since is None:
            self._connected_since = self._now()
        account = self._page.account
        if account is not None and (account != self._settled or self._receipts.all_due(now=now)):
            await self._end_waiting(outbox, but_of=account)
            await outbox.run(requests.belong, account=account)
            self._settled = account
        try:
            next_mark = await self._marks.set_all(outbox)
            held, next_turn = await self._handing.hand_over(outbox, account)
            pause = min(next_mark, RETRY if held else min(TICK, next_turn))
            await self._receipts.follow(outbox, now=now)
        except (CommandError, CallFailedError) as error:
            logger.info("The page did not tell of its messages", extra={"error": type(error).__name__})
            pause = RETRY
        return min(pause, await self._measure(outbox, now=now))

    async def _measure(self, outbox: Outbox, *, now: float) -> float:
        """Measure how old the oldest messages are, and tell the monitor whether WhatsApp is silent for too long.

        Not after each message; return the seconds until it is to be measured again.
        """
        if now < self._measure_at:
            return self._measure_at - now
        self._measure_at = now + MEASURE
        found = self._metrics.oldest.latest = await outbox.run(turns.measure, terms=self._pacer.terms())
        connected, before = self._connected_since, self._store.unanswered
        self._store.unanswered = unanswered_since(found.unanswered, connected=connected, now=self._now())
        if before is None and self._store.unanswered is not None:
            logger.warning("WhatsApp has not answered messages for a long time")
        return TICK

    async def _end_waiting(self, outbox: Outbox, *, but_of: str | None) -> None:
        code = NotLinkedError.code
        failed = await outbox.run(requests.end_waiting, but_of=but_of, error=code, time=self._now())
        if failed:
            self._has_progressed = True
            self._metrics.failed.labels(code).inc(failed)
            logger.warning(
                "Messages were not sent, because their phone is not linked any more", extra={"count": failed}
            )

    def _count_failed(self, code: int) -> None:
        self._went_further()
        self._metrics.failed.labels(code).inc()

    def _went_further(self) -> None:
        self._has_progressed = True

    async def _store_request(
        self, outbox: Outbox, request: SendRequest, *, key: str | None = None, digest: str | None = None
    ) -> Accepted:
        self._page.check_linked()
        account = self._page.account
        try:
            if not self._recipients.is_known(request):  # nobody is asked about for what will not be taken
                await outbox.run(turns.check_room, most=MOST_WAITING)
            content, to_prepare = request.content, False
            if isinstance(content, File):
                content, to_prepare = await self._preparer.fit(content)
            recipient = await self._recipients.of(outbox, request)
            message = NewMessage(
                identifier=message_id(self._random(RANDOM_BYTES)),
                given=request.given,
                digits=recipient.digits,
                to_stranger=recipient.is_stranger,
                content=content,
                reply_to=request.reply_to,
                accepted=self._now(),
                account=account,
                key=key,
                digest=digest,
                to_prepare=to_prepare,
                callback_data=request.callback_data,
            )
            await self._pacer.take_in(outbox, message, most=MOST_WAITING)
        except FullError as error:
            raise QueueFullError(
                f"{MOST_WAITING} messages wait to be sent already; send again when they are gone."
            ) from error
        self._handing.accepted(message.identifier)
        self._metrics.accepted.labels(kind_of(message.content)).inc()
        self._waker.wake()
        self._preparer.wake()
        return Accepted(identifier=message.identifier, given=message.given, digits=message.digits)

    async def _open(self) -> Outbox:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPEN_SECONDS):
                await self._opened.wait()
        if self._outbox is None:
            raise NotReadyError("The runner is starting or ending, or its volume has no room; send again in a moment.")
        return self._outbox

    def _now(self) -> float:
        return self._clock().timestamp()


async def _open_with_room(stack: contextlib.AsyncExitStack, path: Path) -> Outbox:
    """Open the file, again and again while the volume has no room for it."""
    logged = False
    while True:
        try:
            return await stack.enter_async_context(open_outbox(path))
        except NoRoomError as error:
            if not logged:
                logger.warning("The volume has no room for messages, so none is taken", extra={"error": str(error)})
                logged = True
        await asyncio.sleep(REOPEN)


@contextlib.contextmanager
def _full_volume_is_no_fault() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # the volume's own watch says what is wrong with it
        raise NotReadyError(
            "The session's volume did not take the message, so it is not sent; send it again later."
        ) from error
