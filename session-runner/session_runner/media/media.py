"""The session's files: takes uploads onto the volume, and gives what was uploaded.

The HTTP API calls this; `session` opens it beside the outbox, whose table `media` lists the files. A file counts once it is
whole on the disk and listed, in this order, so that a runner that is killed in between leaves a file that nobody knows:
`sweep` removes those, at the start and every hour. The disk is waited for in a thread, never in the event loop.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from mimetypes import guess_extension
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from msgspec.structs import replace

from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.media import files
from session_runner.media.fetching import Fetch
from session_runner.media.files import Draft
from session_runner.messages.contents import File, MediaContent, kind_of
from session_runner.messages.errors import (
    InternalFaultError,
    MediaError,
    MessageError,
    NoFileError,
    NoMediaRoomError,
    NotReadyError,
    TooManyUploadsError,
    UnknownObjectError,
)
from session_runner.messages.media import (
    LARGEST,
    LONGEST_FILENAME,
    MB,
    MediaKind,
    check,
    is_to_convert,
    may_be_decoded,
    sniff,
    upload_id,
    variant,
)
from session_runner.messages.media_room import bound, removable
from session_runner.messages.texts import well_formed
from session_runner.outbox import media as rows
from session_runner.outbox import preparing
from session_runner.outbox.media import Medium
from session_runner.outbox.outbox import Outbox
from session_runner.profile.volume import measure, spare

logger = logging.getLogger(__name__)

PIECE: Final = 256 * 1024
""" Bytes that are read at a time. """
AT_ONCE: Final = 2
""" Files that are written at the same time. """
SWEEP: Final = 3600.0

T = TypeVar("T")


class Upload:
    """A file that is being taken."""

    def __init__(self, media: "Media", draft: Draft) -> None:
        self._media = media
        self.draft = draft
        self._room = 0
        """ Bytes for which there was room. """

    async def write(self, piece: bytes) -> None:
        """Take the next piece.

        :raises MediaError: the file is too large.
        :raises NoMediaRoomError: the volume has no room for it.
        """
        size = self.draft.size + len(piece)
        if size > LARGEST:
            raise MediaError(f"The file has more than {LARGEST} bytes, which are the most.")
        if size > self._room:
            self._room = size + MB
            await self._media.make_room(MB + len(piece))
        await self._media.in_thread(self.draft.write, piece)


class Media:
    """One session's files; used from one event loop only."""

    def __init__(
        self,
        *,
        phone_number_id: str,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        page: LinkedPage,
        live: Live,
    ) -> None:
        self._live = live
        self._page = page
        self._fetches: dict[str, Fetch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._phone_number_id = phone_number_id
        self._clock = clock
        self._random = random
        self._outbox: Outbox | None = None
        self._folder = Path()
        self._thread: ThreadPoolExecutor | None = None
        self._uploads: set[Upload] = set()
        self._bounded = 0
        """ How many of them others send us. """

    @contextlib.asynccontextmanager
    async def opened(self, outbox: Outbox, folder: Path) -> AsyncIterator[None]:
        """Take and give files for as long as the profile is ours."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="media") as self._thread:
            self._folder = folder
            await self._sweep(outbox, unknown_for=0)  # nothing is being written yet
            self._outbox = outbox
            try:
                yield
            finally:
                self._outbox = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def work(self, outbox: Outbox) -> None:
        """Remove what is not needed any more, until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            await self._sweep(outbox, unknown_for=SWEEP)

    async def _sweep(self, outbox: Outbox, *, unknown_for: float) -> None:
        """Remove the files whose time is over, and those that nobody knows; forget those that are gone."""
        try:
            await outbox.run(rows.sweep, now=self._now())
            known = {medium.identifier for medium in await outbox.run(rows.stored)}
            needed = await outbox.run(rows.needed)
            found = await self.in_thread(files.names, self._folder)
            await outbox.run(rows.forget, known - found.keys())
            for name, written in found.items():
                if name not in known | needed and written <= self._now() - unknown_for:
                    await self.in_thread(files.remove, self._folder, name)
        except (OSError, sqlite3.OperationalError):  # no room, say: the volume's own watch sees to that
            logger.exception("The files of messages could not be swept")

    @contextlib.asynccontextmanager
    async def taking(self, *, bounded: bool = True) -> AsyncIterator[Upload]:
        """Take a file; what is not kept by the end is removed.

        :param bounded: whether it counts among those that are taken at the same time; else the caller sees to that.
        :raises MessageError: it cannot be taken now.
        """
        self._ready()
        if bounded and self._bounded >= AT_ONCE:
            raise TooManyUploadsError(f"{AT_ONCE} files are being taken already; send this one when they are in.")
        self._bounded += bounded
        upload: Upload | None = None
        try:
            upload = Upload(self, await self.in_thread(Draft, self._folder))
            self._uploads.add(upload)
            yield upload
        except ConnectionError:  # whoever sends it is gone, which is no fault of the volume
            raise
        except OSError as error:
            logger.warning("A file could not be written to the volume", extra={"error": error.strerror})
            raise NoMediaRoomError("The volume does not take the file.") from error
        finally:
            self._bounded -= bounded
            if upload is not None:
                self._uploads.discard(upload)
                await self.in_thread(upload.draft.drop)

    async def keep(self, upload: Upload, *, declared: str, filename: str | None) -> str:
        """Keep an uploaded file; return its id.

        :raises MediaError: it is empty.
        """
        medium = self._medium_of(upload.draft, declared=declared, filename=filename)
        async with self._kept(upload.draft, medium):
            await self._ready().run(rows.add, medium)
        return medium.identifier

    async def keep_for(self, message: str, content: MediaContent, upload: Upload, *, declared: str) -> None:
        """Keep the file of a waiting message, for that one alone, which can go on then.

        :raises MediaError: it cannot be sent as that.
        """
        draft, kind = upload.draft, MediaKind(kind_of(content))
        medium = self._medium_of(draft, declared=declared, filename=content.filename, for_one_message=True)
        self._check(kind, medium, ptt=content.ptt)
        if is_to_convert(mime_type=medium.mime_type, form=medium.variant, ptt=content.ptt):
            raise AssertionError("what was converted is no voice note")
        waveform = content.ptt and await self._may_be_decoded(draft.path)
        ready = replace(content, media=medium.identifier, mime_type=medium.mime_type, waveform=waveform)
        ready = _named(ready, medium)
        async with self._kept(draft, medium):
            if not await self._ready().run(preparing.prepared, message, content=ready, medium=medium):
                await self.in_thread(files.remove, self._folder, medium.identifier)  # nobody waits for it any more

    def _medium_of(self, draft: Draft, *, declared: str, filename: str | None, for_one_message: bool = False) -> Medium:
        if draft.size == 0:
            raise MediaError("The file is empty.")
        now = self._now()
        return Medium(
            identifier=upload_id(self._phone_number_id, int.from_bytes(self._random(8))),
            mime_type=sniff(draft.head, declared=declared),
            variant=variant(draft.head),
            sha256=draft.sha256,
            size=draft.size,
            filename=filename and well_formed(filename[:LONGEST_FILENAME]),
            created=now,
            used=now,
            for_one_message=for_one_message,
        )

    @contextlib.asynccontextmanager
    async def _kept(self, draft: Draft, medium: Medium) -> AsyncIterator[None]:
        """Have a file under its id before it is listed; nobody would count one that is not, until it is swept."""
        await self.in_thread(draft.keep, medium.identifier)
        try:
            yield
        except Exception:
            await self.in_thread(files.remove, self._folder, medium.identifier)
            raise

    async def release(self, identifier: str) -> None:
        """Remove a file that was for one message alone, which has it now or has failed."""
        if await self._ready().run(rows.release, identifier):
            await self.in_thread(files.remove, self._folder, identifier)

    async def find(self, identifier: str) -> Medium:
        """Return what is known of a file.

        :raises UnknownObjectError: there is none of this id, or its time is over.
        """
        found = await self._ready().run(rows.find, identifier, now=self._now())
        if found is None:
            raise UnknownObjectError(
                "There is no such file, or its time is over; uploads are kept for 30 days at most."
            )
        return found

    async def fit(self, content: MediaContent) -> tuple[MediaContent, bool]:
        """Return a content with what its file is, and whether it has to be converted; it stays while the message waits.

        :raises MediaError: there is no such file, or it cannot be sent as that.
        """
        kind = MediaKind(kind_of(content))
        try:
            medium = await self.find(content.media)
        except UnknownObjectError as error:
            raise NoFileError(f"{kind}.id: {error}") from error
        if not medium.stored:
            raise MediaError(f"{kind}.id is of a message that came in; get its content first, then send it on.")
        self._check(kind, medium, ptt=content.ptt)
        await self._ready().run(rows.use, medium.identifier, now=self._now())
        to_convert = is_to_convert(mime_type=medium.mime_type, form=medium.variant, ptt=content.ptt)
        found = _named(replace(content, mime_type=medium.mime_type), medium)
        if found.ptt and not to_convert:
            found = replace(found, waveform=await self._may_be_decoded(self._folder / medium.identifier))
        return found, to_convert

    def most_of(self, kind: MediaKind) -> int | None:
        """Return the bytes that a file of a kind may have by the session's settings; None: as in the Cloud API."""
        limits = self._live.settings.media_limits
        found: int | None = None if limits is None else getattr(limits, kind)
        return found

    def _check(self, kind: MediaKind, medium: Medium, *, ptt: bool) -> None:
        """Check that a file can be sent as this kind. :raises MediaError: it cannot."""
        size, most = medium.size or 0, self.most_of(kind)
        check(kind, mime_type=medium.mime_type, size=size, form=medium.variant, ptt=ptt, most=most)

    async def _may_be_decoded(self, note: Path) -> bool:
        try:
            return may_be_decoded(await self.in_thread(files.tail, note))
        except OSError:
            return False

    async def path_of(self, content: File) -> Path | None:
        """Return where the file of a content is; None: it is gone."""
        path = self._folder / content.media
        return path if await self.in_thread(path.is_file) else None

    async def delete(self, identifier: str) -> None:
        """Forget a file, which a waiting message may still need. :raises UnknownObjectError: there is none of this id."""
        await self.find(identifier)
        await self._ready().run(rows.delete, identifier)
        if identifier not in await self._ready().run(rows.needed):
            await self.in_thread(files.remove, self._folder, identifier)

    async def open(self, medium: Medium) -> tuple[Medium, AsyncIterator[bytes]]:
        """Return a file with its size and type, and its content a piece at a time.

        :raises MessageError: it is gone, or cannot be had.
        """
        path = self._folder / medium.identifier
        fetch = self._fetches.get(medium.identifier)
        if fetch is None and not await self.in_thread(path.is_file):
            if medium.page_key is None:
                raise UnknownObjectError("The file is gone.")
            fetch = self._fetches[medium.identifier] = Fetch()
            task = asyncio.create_task(self._fetch(fetch, medium, medium.page_key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if fetch is not None:
            draft = await fetch.begun()
            with contextlib.suppress(FileNotFoundError):  # it is over meanwhile
                following: BinaryIO = await self.in_thread(draft.path.open, "rb")
                mime_type = sniff(draft.head, declared=medium.mime_type)
                return replace(medium, size=fetch.size, mime_type=mime_type), fetch.follow(following, self.in_thread)
            await fetch.over()
            medium = await self.find(medium.identifier)
        try:
            file: BinaryIO = await self.in_thread(path.open, "rb")
        except FileNotFoundError as error:
            raise UnknownObjectError("The file is gone; ask again.") from error
        await self._ready().run(rows.use, medium.identifier, now=self._now())
        size = os.fstat(file.fileno()).st_size  # a row that could not be written has the size that somebody declared
        return replace(medium, size=size), self._read(file)

    async def _fetch(self, fetch: Fetch, medium: Medium, key: str) -> None:
        try:
            async with self.taking() as upload:
                await fetch.run(self._page, key, upload)
                draft = upload.draft
                await self.in_thread(draft.keep, medium.identifier)
                await self._note(medium, draft)
        except MessageError as error:
            logger.info("A file of a message could not be fetched", extra={"error": type(error).__name__})
            fetch.fail(error)
        except Exception:
            logger.exception("A file of a message could not be kept")
            fetch.fail(InternalFaultError("The runner failed to fetch the file; its log says why."))
        finally:
            self._fetches.pop(medium.identifier, None)
            fetch.end()

    async def _note(self, medium: Medium, draft: Draft) -> None:
        try:
            await self._ready().run(
                rows.fetched,
                medium.identifier,
                size=draft.size,
                sha256=draft.sha256,
                mime_type=sniff(draft.head, declared=medium.mime_type),
                form=variant(draft.head),
                now=self._now(),
            )
        except sqlite3.OperationalError:  # no room, say: the file is there, and whoever waits for it gets it
            logger.exception("A file of a message could not be noted")

    async def _read(self, file: BinaryIO) -> AsyncIterator[bytes]:
        try:
            while piece := await self.in_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()

    async def make_room(self, more: int) -> None:
        """Have room for so many bytes more. :raises NoMediaRoomError: there is none."""
        outbox, now = self._ready(), self._now()
        volume = await self.in_thread(partial(measure, self._folder, write=False))
        removed = removable(
            await outbox.run(rows.stored),
            more=more,
            arriving=sum(upload.draft.size for upload in self._uploads),
            most=bound(volume.capacity),
            spare=spare(volume),
            needed=await outbox.run(rows.needed),
            now=now,
        )
        if removed is None:
            raise NoMediaRoomError(
                "The volume has no room for the file beside its browser, or for no further file; delete some by "
                "DELETE /{version}/{media-id}, or raise spec.profile.size."
            )
        if removed:
            await outbox.run(rows.forget, removed)
            for name in removed:
                await self.in_thread(files.remove, self._folder, name)
            logger.info("Files of messages made room for another one", extra={"count": len(removed)})

    async def in_thread(self, work: Callable[..., T], *given: object) -> T:
        """Run what waits for the disk."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _ready(self) -> Outbox:
        if self._outbox is None:
            raise NotReadyError("The runner is starting or ending, or its volume has no room; ask again in a moment.")
        return self._outbox

    def _now(self) -> float:
        return self._clock().timestamp()


def _named(content: MediaContent, medium: Medium) -> MediaContent:
    """Return a content whose file has a name."""
    extension = guess_extension(medium.mime_type) or ""
    return replace(content, filename=content.filename or medium.filename or f"{kind_of(content)}{extension}")
