"""The runner's own routes for messages, under /v1: the same calls of `messaging` as below `/vNN.N/`, with problems for errors.

`app` adds them to its routes and checks the token before each. Each error of messaging has one problem, in `PROBLEMS`.
"""

import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct
from session_protocol.answers import MarkedMessage, MessageWait, SentMessage
from session_protocol.times import moment_of

from session_runner.http import errors as problems
from session_runner.http.cloud_bodies import VOLUMES_FAULTS, idempotency_key, read_body, volume_trouble
from session_runner.messages import errors
from session_runner.messages.contents import Deletion
from session_runner.messages.progress import Progress
from session_runner.messages.requests import read_edit, read_mark, read_message
from session_runner.sending.messaging import Accepted, Messaging

PROBLEMS: Final[dict[type[errors.MessageError], type[problems.ApiError]]] = {
    errors.TokenError: problems.UnauthorizedError,
    errors.ScopeError: problems.ForbiddenError,
    errors.UnknownObjectError: problems.NoMessageError,
    errors.NoChatError: problems.NoChatError,
    errors.NoPictureError: problems.NoPictureError,
    errors.NoCursorError: problems.NoCursorError,
    errors.BadRequestError: problems.BadRequestError,
    errors.MissingParameterError: problems.InvalidMessageError,
    errors.BadParameterError: problems.InvalidMessageError,
    errors.NoMessageError: problems.NoMessageError,
    errors.NoUserIdError: problems.InvalidMessageError,
    errors.NoTemplateError: problems.InvalidMessageError,
    errors.UnsupportedKindError: problems.InvalidMessageError,
    errors.NotChangeableError: problems.NotChangeableError,
    errors.NotLinkedError: problems.NotLinkedError,
    errors.NobodyThereError: problems.NotOnWhatsAppError,
    errors.RefusedError: problems.InternalError,
    errors.NoFileError: problems.NoFileError,
    errors.MediaError: problems.InvalidMessageError,
    errors.MediaLostError: problems.InvalidMessageError,
    errors.NoMediaRoomError: problems.TooManyMessagesError,
    errors.TooManyUploadsError: problems.TooManyMessagesError,
    errors.QueueFullError: problems.TooManyMessagesError,
    errors.PacedError: problems.TooManyMessagesError,
    errors.PacedToOneError: problems.TooManyMessagesError,
    errors.FirstContactsForbiddenError: problems.FirstContactsForbiddenError,
    errors.KeyReusedError: problems.KeyReusedError,
    errors.KeyInUseError: problems.KeyInUseError,
    errors.NotReadyError: problems.StartingError,
    errors.PageAwayError: problems.NoPageError,
    errors.TooManyChecksError: problems.TooManyChecksError,
    errors.InternalFaultError: problems.InternalError,
}

PROBLEMS_OF_FILES: Final[dict[type[errors.MessageError], type[problems.ApiError]]] = {
    errors.UnknownObjectError: problems.NoFileError,
    errors.MissingParameterError: problems.InvalidFileError,
    errors.MediaError: problems.InvalidFileError,
    errors.MediaLostError: problems.NoFileError,
    errors.NoMediaRoomError: problems.TooManyFilesError,
    errors.TooManyUploadsError: problems.TooManyFilesError,
}
""" Where a route is about a file and no message, instead. """


Answering = Callable[[web.Request], Awaitable[Struct | web.StreamResponse]]


class MessageRoutes:
    """The routes of one session."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {
            "sendMessageV1": with_problems(self.send),
            "getMessage": with_problems(self.find),
            "editMessage": with_problems(self.edit),
            "deleteMessage": with_problems(self.delete),
            "markMessage": with_problems(self.mark),
        }

    async def send(self, request: web.Request) -> SentMessage:
        """POST /v1/messages: take a message."""
        key, body = idempotency_key(request), await read_body(request)
        return await self._taken(await self._messaging.accept(read_message(body), key=key, digest=_digest(body)))

    async def find(self, request: web.Request) -> SentMessage:
        """GET /v1/messages/{id}: how far it has come."""
        return await self._document(request.match_info["id"])

    async def edit(self, request: web.Request) -> SentMessage:
        """PATCH /v1/messages/{id}: take another text for it."""
        key, body = idempotency_key(request), await read_body(request)
        change = read_edit(body, message=request.match_info["id"])
        digest = _digest(body, change.message)
        return await self._taken(await self._messaging.change(change, key=key, digest=digest))

    async def delete(self, request: web.Request) -> SentMessage:
        """DELETE /v1/messages/{id}: take that it is to be taken back."""
        key, message = idempotency_key(request), request.match_info["id"]
        digest = _digest(b"", message)
        return await self._taken(await self._messaging.change(Deletion(message=message), key=key, digest=digest))

    async def mark(self, request: web.Request) -> MarkedMessage:
        """POST /v1/messages/{id}/read: mark a message of somebody else as read."""
        mark = read_mark(await read_body(request), message=request.match_info["id"])
        await self._messaging.mark(mark)
        return MarkedMessage(id=mark.message, typing=mark.typing)

    async def _taken(self, taken: Accepted) -> SentMessage:
        return await self._document(taken.identifier)

    async def _document(self, identifier: str) -> SentMessage:
        found = await self._messaging.find(identifier)
        if found is None:
            raise problems.NoMessageError("There is no such message, or it is older than a week.")
        return SentMessage(
            id=found.identifier,
            wa_id=found.digits,
            status=found.progress,
            times={status: moment_of(time) for status, time in found.times.items()},
            error_code=found.error,
            error_details=found.problem,
            waiting=await self._wait(identifier) if found.progress is Progress.ACCEPTED else None,
        )

    async def _wait(self, identifier: str) -> MessageWait | None:
        turn = await self._messaging.turn(identifier)
        if turn is None or turn.reason is None:
            return None
        return MessageWait(reason=turn.reason, until=moment_of(math.ceil(turn.at)))


def with_problems(
    answer: Answering, known: Mapping[type[errors.MessageError], type[problems.ApiError]] = PROBLEMS
) -> Handler:
    """Return a route's handler: its document goes out with 200, or the response that it made, an error as a problem."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            found = await answer(request)
        except errors.MessageError as error:
            problem = known[type(error)](str(error))
            if problem.headers and error.retry_after is not None:
                problem.headers = (("Retry-After", str(error.retry_after)),)
            raise problem from error
        except VOLUMES_FAULTS as error:
            raise problems.StartingError(str(volume_trouble(error))) from error
        if isinstance(found, web.StreamResponse):
            return found
        body = msgspec.json.encode(found)
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    return answered


def _digest(body: bytes, *more: str) -> str:
    return hashlib.sha256("\n".join(("v1", *more, "")).encode() + body).hexdigest()
