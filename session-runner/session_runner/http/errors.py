"""The errors of the HTTP API, each with its status and code, sent as a problem (RFC 9457).

From whatever route or layer an error comes, a caller gets `application/problem+json` with type, title, status, detail
and the object `error: {code, message}`, whose code is for programs. A route raises an ApiError. The middleware
`problems` turns the framework's errors (unknown paths, wrong methods) and unexpected exceptions into one, `problem_of`
those that never reach a route. Routes in the form of another API belong in a sub-application with a middleware of its
own, made by `errors_as` with another writer: that one is nearer, so this one never sees their errors.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from session_protocol.answers import Error, Problem

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"


class ApiError(Exception):
    """Something the caller did or asked for; the text tells what to do."""

    status: HTTPStatus
    code: str
    headers: tuple[tuple[str, str], ...] = ()


class BadRequestError(ApiError):
    """A parameter or a header is wrong, or this cannot be read as a request."""

    status, code = HTTPStatus.BAD_REQUEST, "BadRequest"


class UnauthorizedError(ApiError):
    """No token, or an unknown one."""

    status, code = HTTPStatus.UNAUTHORIZED, "Unauthorized"
    headers: tuple[tuple[str, str], ...] = (("WWW-Authenticate", "Bearer"),)


class ForbiddenError(ApiError):
    """A token of another scope."""

    status, code = HTTPStatus.FORBIDDEN, "Forbidden"


class NoCodeError(ApiError):
    """There is no QR code now."""

    status, code = HTTPStatus.NOT_FOUND, "NoCode"


class NoMessageError(ApiError):
    """There is no such message."""

    status, code = HTTPStatus.NOT_FOUND, "NoMessage"


class NoFileError(ApiError):
    """There is no file of this id, or not any more."""

    status, code = HTTPStatus.NOT_FOUND, "NoFile"


class InvalidFileError(ApiError):
    """The file is too large, or empty, or there is none."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidFile"


class TooManyFilesError(ApiError):
    """Two files are being taken already, or the volume has no room for another one."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "TooManyFiles"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "30"),)


class NoChatError(ApiError):
    """There is no such chat, or nobody is known by this userId."""

    status, code = HTTPStatus.NOT_FOUND, "NoChat"


class NoPictureError(ApiError):
    """There is no profile picture, or none that is shown to this account."""

    status, code = HTTPStatus.NOT_FOUND, "NoPicture"


class NoCursorError(ApiError):
    """`after` is nothing that an answer had as `next`, or what it stands for is gone."""

    status, code = HTTPStatus.NOT_FOUND, "NoCursor"


class TooManyChecksError(ApiError):
    """Too many numbers were asked about."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "TooManyChecks"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "60"),)


class NotOnWhatsAppError(ApiError):
    """The number is not on WhatsApp."""

    status, code = HTTPStatus.NOT_FOUND, "NotOnWhatsApp"


class InvalidMessageError(ApiError):
    """The message cannot be sent as it is, or is about one that is not there."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidMessage"


class NotChangeableError(ApiError):
    """A message that was not sent, or is of a kind that cannot be edited or taken back."""

    status, code = HTTPStatus.CONFLICT, "NotChangeable"


class KeyReusedError(ApiError):
    """The Idempotency-Key belongs to another request."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "IdempotencyKeyReused"


class KeyInUseError(ApiError):
    """The same request is being stored just now."""

    status, code = HTTPStatus.CONFLICT, "IdempotencyKeyInUse"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "1"),)


class TooManyMessagesError(ApiError):
    """Too many messages wait already, or this one would wait for its turn for too long."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "TooManyMessages"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "30"),)


class FirstContactsForbiddenError(ApiError):
    """WhatsApp does not let the account write to people who have never written to it, until an end that it may not tell."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "FirstContactsForbidden"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "3600"),)


class EventsGoneError(ApiError):
    """There is no such event any more, so the stream would have a hole."""

    status, code = HTTPStatus.GONE, "EventsGone"


class TooManyStreamsError(ApiError):
    """Too many streams of events are open."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "TooManyStreams"


class StartingError(ApiError):
    """The runner is starting or ending, or its volume takes and gives nothing."""

    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "Starting"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "5"),)


class NoPairingCodeError(ApiError):
    """There is no pairing code now."""

    status, code = HTTPStatus.NOT_FOUND, "NoPairingCode"


class CannotPairError(ApiError):
    """The session is linked already, or is for another number: the one in its Secret."""

    status, code = HTTPStatus.CONFLICT, "CannotPair"


class NoAccountError(ApiError):
    """Whose account is linked is not known, or none is."""

    status, code = HTTPStatus.NOT_FOUND, "NoAccount"


class NotLinkedError(ApiError):
    """The session is not linked, and this needs one that is."""

    status, code = HTTPStatus.CONFLICT, "NotLinked"


class TooManyCommandsError(ApiError):
    """Too many commands wait for their turn."""

    status, code = HTTPStatus.TOO_MANY_REQUESTS, "TooManyCommands"


class NoPageError(ApiError):
    """The page is not open, so nothing can be done in it."""

    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "NoPage"
    headers: tuple[tuple[str, str], ...] = (("Retry-After", "5"),)


class DeadlineError(ApiError):
    """The page did not do it in time; it may still."""

    status, code = HTTPStatus.GATEWAY_TIMEOUT, "DeadlineExceeded"


class NotAcceptableError(ApiError):
    """None of the offered media types is acceptable."""

    status, code = HTTPStatus.NOT_ACCEPTABLE, "NotAcceptable"


class ExpectationError(ApiError):
    """The header Expect holds something else than 100-continue."""

    status, code = HTTPStatus.EXPECTATION_FAILED, "ExpectationFailed"


class InternalError(ApiError):
    """A fault of the runner; its log tells why."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError"


class HttpError(ApiError):
    """What HTTP itself has a status for: unknown paths, wrong methods. The code is that status in one word."""

    def __init__(self, status: int, *, allow: str | None = None) -> None:
        self.status = HTTPStatus(status)
        self.code = self.status.phrase.title().replace(" ", "")
        self.headers = () if allow is None else (("Allow", allow),)
        super().__init__(f"{self.status.description or self.status.phrase}.")


def problem(error: ApiError) -> web.Response:
    """Return the response for an error, in this API's form."""
    document = Problem(
        type="about:blank",
        title=error.status.phrase,
        status=error.status,
        detail=str(error),
        error=Error(code=error.code, message=str(error)),
    )
    headers = {"Cache-Control": "no-store", **dict(error.headers)}
    return web.Response(body=msgspec.json.encode(document), status=error.status, content_type=PROBLEM, headers=headers)


def problem_of(status: int) -> web.Response:
    """Return the response for an error of the HTTP server, which only gives the status."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem(InternalError("The runner failed to answer; its log says why."))
    if status == HTTPStatus.BAD_REQUEST:
        what = "it is malformed, has too long a line, or has too many headers"
        return problem(BadRequestError(f"This cannot be read as an HTTP request: {what}."))
    return problem(HttpError(status))


def errors_as(write: Callable[[ApiError], web.Response]) -> Middleware:
    """Return a middleware that sends every error in one form."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            return write(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return write(HttpError(error.status, allow=error.headers.get("Allow")))
        except Exception:
            logger.exception("A request failed", extra={"path": request.path})
            return write(InternalError("The runner failed to answer; its log says why."))

    return middleware


problems = errors_as(problem)
