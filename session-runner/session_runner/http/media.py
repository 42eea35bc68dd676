"""Routes for files: upload, what is known of one, its bytes, and its end; in the Cloud API's shape, and under /v1.

`cloud_api` and `app` add them to their own, check the token before each and write the errors. A file goes between socket and disk a
piece at a time. The parts of an upload come in any order, so a file is written before its type is known: what it is, is
read from its content anyway.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.typedefs import Handler
from session_protocol.answers import StoredFile
from session_protocol.bad_requests import PEERS_FAULTS

from session_runner.http.cloud_bodies import Answer
from session_runner.http.message_routes import PROBLEMS, PROBLEMS_OF_FILES, Answering, with_problems
from session_runner.media.media import PIECE, Media, Upload
from session_runner.messages.errors import BadRequestError, MediaError, MissingParameterError, UnknownObjectError
from session_runner.messages.media import LARGEST, is_media_id
from session_runner.outbox.media import Medium

ROOM_FOR_PARTS: Final = 64 * 1024
""" Bytes of an upload beside its file. """
LARGEST_UPLOAD: Final = LARGEST + ROOM_FOR_PARTS
MOST_PARTS: Final = 16
LONGEST_FIELD: Final = 1024
""" Bytes of a part that is no file. """
PATIENCE: Final = 30.0
""" Seconds for an upload to come, and a second more for each `SLOWEST` bytes. """
SLOWEST: Final = 64 * 1024
_MALFORMED: Final = (*PEERS_FAULTS, ValueError, AssertionError)
""" What the library raises for parts that are none, or stop. """
_HOST: Final = re.compile(r"[A-Za-z0-9.\-\[\]:_]{1,255}")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]{1,100}){1,8}")


class MediaRoutes:
    """The routes of one session's files."""

    def __init__(self, media: Media) -> None:
        self._media = media

    def answers(self) -> dict[str, Answer]:
        """Return the handlers by the names of their routes; upload and info share their paths with others."""
        return {"deleteMedia": self.delete, "getMediaContent": self.content}

    async def upload(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/media: take a file; its id when it cannot be lost any more."""
        return {"id": await _take(request, self._media)}

    async def info(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{media-id}: what is known of a file, and where its bytes are."""
        medium = await self._media.find(request.match_info["phone"])
        return {
            "messaging_product": "whatsapp",
            "url": f"{_base(request)}{request.path}/content",
            "mime_type": medium.mime_type,
            "sha256": medium.sha256 or "",
            "file_size": medium.size or 0,
            "id": medium.identifier,
        }

    async def delete(self, request: web.Request) -> dict[str, Any]:
        """DELETE /{version}/{media-id}."""
        if not is_media_id(request.match_info["phone"]):
            raise UnknownObjectError("DELETE is not answered here, or there is no such object.")
        await self._media.delete(request.match_info["phone"])
        return {"success": True}

    async def content(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{media-id}/content: the bytes."""
        return await _give(request, self._media, request.match_info["phone"])


class FileRoutes:
    """The same under /v1."""

    def __init__(self, media: Media) -> None:
        self._media = media

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        answers: dict[str, Answering] = {
            "uploadFile": self.upload,
            "getFile": self.info,
            "deleteFile": self.delete,
            "getFileContent": self.content,
        }
        return {name: with_problems(answer, PROBLEMS | PROBLEMS_OF_FILES) for name, answer in answers.items()}

    async def upload(self, request: web.Request) -> StoredFile:
        """POST /v1/media: take a file."""
        return _known(await self._media.find(await _take(request, self._media)))

    async def info(self, request: web.Request) -> StoredFile:
        """GET /v1/media/{id}: what is known of a file."""
        return _known(await self._media.find(request.match_info["id"]))

    async def delete(self, request: web.Request) -> StoredFile:
        """DELETE /v1/media/{id}: forget it; the answer is what it was."""
        found = await self._media.find(request.match_info["id"])
        await self._media.delete(found.identifier)
        return _known(found)

    async def content(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/media/{id}/content: the bytes."""
        return await _give(request, self._media, request.match_info["id"])


def _known(medium: Medium) -> StoredFile:
    return StoredFile(
        id=medium.identifier,
        mime_type=medium.mime_type,
        size=medium.size,
        sha256=medium.sha256,
        filename=medium.filename,
    )


async def _take(request: web.Request, media: Media) -> str:
    """Take an upload; return its file's id."""
    if not request.content_type.startswith("multipart/form-data"):
        raise BadRequestError("A file is uploaded as multipart/form-data with the parts file and type.")
    if request.content_length is not None and request.content_length > LARGEST_UPLOAD:
        raise MediaError(f"The upload has {request.content_length} bytes; a file may have {LARGEST}.")
    seconds = PATIENCE + (request.content_length or LARGEST_UPLOAD) / SLOWEST
    try:
        async with asyncio.timeout(seconds), media.taking() as upload:
            filename, declared = await _read_parts(await request.multipart(), upload)
            return await media.keep(upload, declared=declared, filename=filename)
    except TimeoutError as error:
        raise BadRequestError(f"The file did not arrive within {seconds:.0f} s.") from error
    except _MALFORMED as error:  # of the library, which repeats what it got
        raise BadRequestError("The body is no multipart/form-data.") from error


async def _give(request: web.Request, media: Media, identifier: str) -> web.StreamResponse:
    medium, pieces = await media.open(await media.find(identifier))
    return await _stream(request, medium, pieces)


async def _stream(request: web.Request, medium: Medium, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    headers = {
        "Content-Type": medium.mime_type,
        "Content-Length": str(medium.size),
        "Content-Disposition": _disposition(medium.filename),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",  # it is somebody else's file
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        pass  # whoever asked is gone
    except Exception:  # the status is out: only a connection that breaks tells that bytes are missing
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


async def _read_parts(reader: MultipartReader, upload: Upload) -> tuple[str | None, str]:
    """Write the file; return its name and the type that the client gave."""
    fields: dict[str, str] = {}
    filename: str | None = None
    of_part = ""
    for _ in range(MOST_PARTS):
        part = await reader.next()
        if part is None:
            break
        if not isinstance(part, BodyPartReader):
            raise BadRequestError("A part holds other parts.")
        if part.name != "file":
            fields[part.name or ""] = await _read_field(part)
        elif upload.draft.size:
            raise BadRequestError("There is more than one part named file.")
        else:
            filename, of_part = part.filename, part.headers.get("Content-Type", "")
            while piece := await part.read_chunk(PIECE):
                await upload.write(piece)
    else:
        raise BadRequestError(f"There are more than {MOST_PARTS} parts.")
    if fields.get("messaging_product", "whatsapp") != "whatsapp":
        raise BadRequestError("messaging_product is whatsapp.")
    if not upload.draft.size:
        raise MissingParameterError("The part file is missing, or empty.")
    return filename, fields.get("type") or of_part


async def _read_field(part: BodyPartReader) -> str:
    value = b""
    while piece := await part.read_chunk(LONGEST_FIELD):
        value += piece
        if len(value) > LONGEST_FIELD:
            raise BadRequestError(f"A part that is no file has more than {LONGEST_FIELD} bytes.")
    return value.decode(errors="replace")


def _base(request: web.Request) -> str:
    """Return the address by which the client came, as it and the proxies on the way tell it."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    host = request.headers.get("X-Forwarded-Host", request.host)
    prefix = request.headers.get("X-Forwarded-Prefix", "")
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise BadRequestError("The headers Host and X-Forwarded-* name no host.")
    return f"{scheme}://{host}{prefix if _PREFIX.fullmatch(prefix) else ''}"


def _disposition(filename: str | None) -> str:
    return "attachment" if not filename else f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
