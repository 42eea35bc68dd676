"""Gets the files of messages ready before the page gets them: fetches what a link names, makes voice notes of sounds.

`messaging` stores such a message as every other one, answers its caller, and hands it over once its file is here; `session`
runs `work` beside it. What is under way when the runner ends is still in its row, and is begun again. A file is tried a few
times; what cannot be had makes its message `failed`, with the reason in the status.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from session_runner.live import Live
from session_runner.media.links import HOST, LinkBrokenError, fetch
from session_runner.media.media import Media
from session_runner.media.voice import ConversionError, convert
from session_runner.messages.contents import MediaContent, kind_of
from session_runner.messages.errors import MediaError, MessageError, NoMediaRoomError, NotReadyError
from session_runner.messages.links import LONGEST_WAIT, TRIES, filename_of, pause_after
from session_runner.messages.media import MediaKind, is_to_convert, largest, sniff, variant
from session_runner.metrics.messages import MessageMetrics
from session_runner.outbox import preparing
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.preparing import ToPrepare
from session_runner.outbox.schema import DamagedOutboxError
from session_runner.signals import Signal
from session_runner.waker import Waker
from session_runner.webhooks.connections import Guard, target_of
from session_runner.webhooks.guard import Destinations, address_of

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
""" Files that are fetched at the same time. """
NO_ROOM: Final = 30.0
""" Seconds until a file is tried again for which the volume had no room. """
RETRY: Final = 2.0
""" Seconds until the outbox is asked again that could not be read. """


class Preparer:
    """The files of one session's waiting messages; used from one event loop only."""

    def __init__(
        self,
        *,
        media: Media,
        live: Live,
        clock: Callable[[], datetime],
        metrics: MessageMetrics,
        extra_ca: Path | None,
        guard: Guard,
    ) -> None:
        self.media = media
        self._live = live
        self._metrics = metrics
        self._clock = clock
        self._extra_ca = extra_ca
        self._guard = guard
        self.settled = Signal()
        """ A message can go on, or has failed. """
        self._waker = Waker()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        """ When a message is tried again, by its id, on the loop's clock. """

    def wake(self) -> None:
        """Look whether a message has come whose file is to be prepared."""
        self._waker.wake()

    async def fit(self, content: MediaContent) -> tuple[MediaContent, bool]:
        """Return a content as it is stored, and whether its file is prepared before the page gets it.

        :raises MediaError: there is no such file, it cannot be sent as that, or its link leads to where nothing is fetched.
        """
        if content.link is None:
            return await self.media.fit(content)
        target = target_of(content.link, whose=HOST)
        address = address_of(target.host)
        why = None if address is None else self._guard(address, target, self._destinations())
        if why is not None:
            raise MediaError(f"{kind_of(content)}.link: {why}")
        return content, True

    async def work(self, outbox: Outbox) -> None:
        """Prepare until it is cancelled."""
        try:
            while True:
                try:
                    pause = await self._begin(outbox)
                except sqlite3.OperationalError:  # no room, say: the volume's own watch sees to that
                    logger.exception("The messages on the volume could not be read or written")
                    pause = RETRY
                await self._waker.sleep(pause)
                for identifier, task in list(self._tasks.items()):
                    if task.done():
                        self._tasks.pop(identifier).result()  # a fault of ours, or of the outbox
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._tasks.clear()

    async def _begin(self, outbox: Outbox) -> float | None:
        """Begin what is due and has room beside the others; return the seconds until there may be more."""
        now = asyncio.get_running_loop().time()
        self._not_before = {one: when for one, when in self._not_before.items() if when > now}
        waiting = await outbox.run(preparing.due, but=[*self._tasks, *self._not_before])
        for message in waiting:
            if len(self._tasks) >= AT_ONCE:
                return None
            task = asyncio.create_task(self._prepare(outbox, message))
            self._tasks[message.identifier] = task
            task.add_done_callback(lambda _: self.wake())
        return min((when - now for when in self._not_before.values()), default=None)

    async def _prepare(self, outbox: Outbox, message: ToPrepare) -> None:
        """Try one message's file; what goes wrong here holds up no other one."""
        try:
            await self._try(outbox, message)
        except DamagedOutboxError:
            raise
        except Exception:
            logger.exception("The file of a message could not be prepared")
            self._pause(message, pause_after(message.tries))

    async def _try(self, outbox: Outbox, message: ToPrepare) -> None:
        if message.tries >= TRIES:  # the last one ended its runner
            await self._fail(outbox, message, MediaError("The file could not be fetched."))
            return
        await outbox.run(preparing.begin, message.identifier)
        try:
            await self._get_ready(message)
        except (NoMediaRoomError, NotReadyError) as error:
            if self._now() - message.accepted >= LONGEST_WAIT:
                await self._fail(outbox, message, error)
                return
            await outbox.run(preparing.take_back, message.identifier)
            self._pause(message, NO_ROOM)
        except (LinkBrokenError, ConversionError) as error:
            if not error.again or message.tries + 1 >= TRIES:
                await self._fail(outbox, message, MediaError(str(error)))
                return
            self._pause(message, pause_after(message.tries))
        except MessageError as error:
            await self._fail(outbox, message, error)
        else:
            self.settled.emit()

    async def _get_ready(self, message: ToPrepare) -> None:
        content, link = message.content, message.content.link
        kind = MediaKind(kind_of(content))
        async with contextlib.AsyncExitStack() as stack:
            if link is None:
                source = await self.media.path_of(content)
            else:
                upload = await stack.enter_async_context(self.media.taking(bounded=False))
                declared = await fetch(
                    link,
                    upload,
                    most=largest(kind, ptt=content.ptt, most=self.media.most_of(kind)),
                    destinations=self._destinations(),
                    extra_ca=self._extra_ca,
                    guard=self._guard,
                )
                content = replace(content, link=None, filename=content.filename or filename_of(link))
                source, head = upload.draft.path, upload.draft.head
                if not is_to_convert(mime_type=sniff(head), form=variant(head), ptt=content.ptt):
                    await self.media.keep_for(message.identifier, content, upload, declared=declared)
                    return
            if source is None:
                raise MediaError("The file is gone.")
            note = await stack.enter_async_context(self.media.taking(bounded=False))
            await convert(source, note)
            await self.media.keep_for(message.identifier, replace(content, filename=None), note, declared="audio/ogg")

    async def _fail(self, outbox: Outbox, message: ToPrepare, error: MessageError) -> None:
        code, problem = MediaError.code, str(error)
        if await outbox.run(preparing.failed, message.identifier, error=code, problem=problem, time=self._now()):
            name = type(error).__name__
            logger.warning("The file of a message could not be had, so it is not sent", extra={"error": name})
            self._metrics.failed.labels(code).inc()
        self.settled.emit()

    def _pause(self, message: ToPrepare, seconds: float) -> None:
        self._not_before[message.identifier] = asyncio.get_running_loop().time() + seconds

    def _destinations(self) -> Destinations:
        return Destinations.parse(self._live.settings.destinations)

    def _now(self) -> float:
        return self._clock().timestamp()
