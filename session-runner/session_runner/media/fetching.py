"""Fetches the file of a message that came in out of the page, a piece at a time onto the volume.

Whoever reads it follows behind: the first bytes go out as soon as they are there, and a reader that gives up does not end
the fetch, so that the next one finds the file on the disk. The page downloads the whole file before the first piece; nobody
else holds more than a piece of it.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any, BinaryIO, Final, Protocol, TypeVar

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.media.files import Draft, Writer
from session_runner.messages.errors import MediaLostError, MessageError, NotReadyError
from session_runner.messages.media import LARGEST, MB
from session_runner.page.errors import CallFailedError

PIECE: Final = MB
PAGE_SECONDS: Final = 120.0
""" For the page to have the file. """
PAUSE: Final = 0.2
_GONE: Final = {
    "msg_not_found": "The message is not in the session any more.",
    "chat_not_found": "The message is not in the session any more.",
    "message_not_contains_media": "The message has no file any more.",
    "media_not_found": "Its link has expired, and the phone does not give a new one; it has to be sent again.",
}

T = TypeVar("T")


class DraftWriter(Writer, Protocol):
    """Where the file goes, and can be read before it is whole."""

    @property
    def draft(self) -> Draft:
        """What is there of it."""


class Fetch:
    """A fetch that is under way."""

    def __init__(self) -> None:
        self.size: int | None = None
        """ None: the page does not have it yet. """
        self._writer: DraftWriter | None = None
        self._error: MessageError | None = None
        self._moved = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self, page: LinkedPage, key: str, writer: DraftWriter) -> None:
        """Write all of the file. :raises MessageError: it cannot be had."""
        self._writer = writer
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                found = await _piece(page, key, 0)
                while found.get("pending"):
                    await asyncio.sleep(PAUSE)
                    found = await _piece(page, key, 0)
        except TimeoutError as error:
            raise NotReadyError("The page has not fetched the file yet; ask again.") from error
        while True:
            size, piece = found["size"], base64.b64decode(found["piece"])
            if size > LARGEST:
                await _let_go(page, key)
                raise MediaLostError(f"The file has {size} bytes; {LARGEST} are the most that is fetched.")
            await writer.write(piece)
            self.size = size
            self._moved.set()
            if writer.draft.size >= size:
                return
            found = await _piece(page, key, writer.draft.size)

    def fail(self, error: MessageError) -> None:
        """Tell the readers that there will be no more."""
        self._error = error
        self._moved.set()

    def end(self) -> None:
        """Tell that what was written is kept, or removed."""
        self._over.set()

    async def over(self) -> None:
        """Wait for that. :raises MessageError: the file cannot be had."""
        await self._over.wait()
        if self._error is not None:
            raise self._error

    async def begun(self) -> Draft:
        """Wait for the first piece; return where the pieces are. :raises MessageError: the file cannot be had."""
        while self._writer is None or self.size is None:
            await self._more()
        if self._error is not None:
            raise self._error
        return self._writer.draft

    async def follow(self, file: BinaryIO, in_thread: Callable[..., Any]) -> AsyncIterator[bytes]:
        """Give what is written, until all of it was. :raises MessageError: the rest cannot be had."""
        given = 0
        try:
            while self.size is None or given < self.size:
                piece = await in_thread(file.read, PIECE)
                given += len(piece)
                if piece:
                    yield piece
                elif self._writer is None or given >= self._writer.draft.size:  # else it came after the look
                    await self._more()
        finally:
            file.close()

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._moved.clear()
        await self._moved.wait()
        if self._error is not None:
            raise self._error


async def _piece(page: LinkedPage, key: str, start: int) -> dict[str, Any]:
    try:
        found = await page.call("download.js", {"key": key, "start": start, "length": PIECE})
    except (CommandError, CallFailedError) as error:
        raise NotReadyError("The page is away, so the file cannot be fetched now; ask again.") from error
    if not isinstance(found, dict):
        raise NotReadyError("The page did not answer; ask again.")
    if "failed" in found:
        if found["failed"] in _GONE:
            raise MediaLostError(_GONE[found["failed"]])
        raise NotReadyError("The file could not be fetched now; ask again.")
    return found


async def _let_go(page: LinkedPage, key: str) -> None:
    try:
        await page.call("download.js", {"key": key, "start": 0, "length": 0})
    except (CommandError, CallFailedError):
        return  # the page that held it is gone
