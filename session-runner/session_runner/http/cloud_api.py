"""The routes in the shape of Meta's Cloud API, for clients that know no other: `/vNN.N/…`.

The version is not looked at; one session has one phone-number-id, which no other object has. Every answer here, also to
what does not exist, has that API's form of errors, because its clients read nothing else. Requests are read and decided
in `messages`, carried out by `messaging`.
"""

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from session_protocol.bad_requests import authorization_of, prove
from session_protocol.vocabulary import TokenScope

from session_runner.http.auth import TokenFolder, require
from session_runner.http.errors import ForbiddenError, UnauthorizedError
from session_runner.http.media import LARGEST_UPLOAD, Answer, MediaRoutes, is_upload
from session_runner.media.media import Media
from session_runner.messages import answers
from session_runner.messages.errors import (
    BadParameterError,
    BadRequestError,
    InternalFaultError,
    MessageError,
    ScopeError,
    TokenError,
    UnknownObjectError,
)
from session_runner.messages.requests import read_request
from session_runner.messaging import Messaging

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 128 * 1024
""" Bytes: the longest text, each of its characters written as an escape of twelve, and room for the rest. """
BODY_SECONDS: Final = 5.0
""" For a body to arrive. """
LONGEST_KEY: Final = 255
""" Characters of an Idempotency-Key. """
_VERSION: Final = r"/{version:v\d{1,3}\.\d{1,3}}"
_MESSAGES: Final = re.compile(r"/v\d{1,3}\.\d{1,3}/\d+/messages(\?|$)")


class CloudApi:
    """The routes of one session."""

    def __init__(self, *, messaging: Messaging, media: Media, tokens: TokenFolder, phone_number_id: str) -> None:
        self._messaging = messaging
        self._media = MediaRoutes(media)
        self._tokens = tokens
        self._phone_number_id = phone_number_id

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        for method, path, answer in (
            ("POST", "/{phone}/messages", self.send),
            ("POST", "/{phone}/media", self.upload),
            *self._media.routes(),
            ("GET", "/{phone}", self.phone_number),
            ("*", "/{rest:.*}", self.unknown),
        ):
            app.router.add_route(method, _VERSION + path, self._answered(answer))

    async def send(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/messages: take a message, and answer when it cannot be lost any more."""
        self._check_phone(request)
        key = _idempotency_key(request)
        body = await _read_body(request)
        wanted = read_request(body)
        digest = hashlib.sha256(body).hexdigest()
        taken = await self._messaging.accept(wanted, key=key, digest=digest)
        return answers.accepted(given=taken.given, digits=taken.digits, identifier=taken.identifier)

    async def upload(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/media: take a file."""
        self._check_phone(request)
        return await self._media.upload(request)

    async def phone_number(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{phone-number-id}: the session's own number."""
        self._check_phone(request)
        return answers.phone_number(identifier=self._phone_number_id, digits=self._messaging.own_number())

    async def unknown(self, request: web.Request) -> dict[str, Any]:
        """Everything else: no such object, or nothing that can be done with it."""
        raise UnknownObjectError(f"{request.method} is not answered here, or there is no such object.")

    def _check_phone(self, request: web.Request) -> None:
        if request.match_info["phone"] != self._phone_number_id:
            raise UnknownObjectError(f"This session's phone-number-id is {self._phone_number_id}.")

    def _authorize(self, request: web.Request) -> None:
        """Count the connection by its token, which some clients put into the query."""
        header, query = authorization_of(request), request.query.getall("access_token", [])
        if "Authorization" not in request.headers and len(query) == 1:
            header = f"Bearer {query[0]}"
        try:
            prove(request, require(self._tokens, header, TokenScope.SEND))
        except UnauthorizedError as error:
            raise TokenError(str(error)) from error
        except ForbiddenError as error:
            raise ScopeError(str(error)) from error

    def _answered(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                self._authorize(request)
                answered = await answer(request)
                return answered if isinstance(answered, web.StreamResponse) else _response(answered, HTTPStatus.OK)
            except MessageError as error:
                return _failure(error)
            except Exception:
                logger.exception("A request failed", extra={"path": request.path})
                return _failure(InternalFaultError("The runner failed to answer; its log says why."))

        return answered


def largest_body(method: str, target: str) -> int:
    """Return the bytes that a request's body may have."""
    if is_upload(method, target):
        return LARGEST_UPLOAD
    return LARGEST_BODY if method == "POST" and _MESSAGES.match(target) else 0


def _response(document: dict[str, Any], status: HTTPStatus) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _failure(error: MessageError) -> web.Response:
    response = _response(answers.failed(error, trace=secrets.token_urlsafe(9)), error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _idempotency_key(request: web.Request) -> str | None:
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    if len(given) > 1 or not 0 < len(given[0]) <= LONGEST_KEY or not given[0].isascii():
        raise BadParameterError(f"Idempotency-Key is one header of up to {LONGEST_KEY} ASCII characters.")
    return given[0]


async def _read_body(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for some in request.content.iter_any():
                body += some
                if len(body) > LARGEST_BODY:
                    raise BadRequestError(f"The body has more than {LARGEST_BODY} bytes.")
    except TimeoutError as error:
        raise BadRequestError("The body did not arrive.") from error
    return bytes(body)
