"""The routes in the shape of Meta's Cloud API, for clients that know no other: `/vNN.N/…`.

The version is not looked at; one session has one phone-number-id, which no other object has. Every answer here, also to
what does not exist, has that API's form of errors, because its clients read nothing else. Requests are read and decided
in `messages`, carried out by `messaging`.
"""

import functools
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

from session_runner.account.own_profile import OwnProfile
from session_runner.http.account_routes import AccountRoutes
from session_runner.http.auth import TokenFolder, require
from session_runner.http.cloud_bodies import (
    LARGEST_BODY,
    VOLUMES_FAULTS,
    Answer,
    idempotency_key,
    read_body,
    volume_trouble,
)
from session_runner.http.cloud_routes import CLOUD_ROUTES, VERSION
from session_runner.http.errors import ForbiddenError, UnauthorizedError
from session_runner.http.media import LARGEST_UPLOAD, MediaRoutes
from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.media.media import Media
from session_runner.messages import answers
from session_runner.messages.account import why_not
from session_runner.messages.errors import (
    InternalFaultError,
    MessageError,
    ScopeError,
    TokenError,
    UnknownObjectError,
)
from session_runner.messages.media import is_media_id
from session_runner.messages.requests import ReadMark, read_request
from session_runner.sending.messaging import Messaging

logger = logging.getLogger(__name__)

_LARGE: Final = re.compile("/" + VERSION + r"/[0-9]+/(messages|media)(\?|$)")
_BELOW: Final = "/{version:" + VERSION + "}"


class CloudApi:
    """The routes of one session."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        messaging: Messaging,
        media: Media,
        tokens: TokenFolder,
        phone_number_id: str,
        live: Live,
        profile: OwnProfile,
    ) -> None:
        self._messaging = messaging
        self._live = live
        self._media = MediaRoutes(media)
        self._tokens = tokens
        self._phone_number_id = phone_number_id
        self._account = AccountRoutes(page=page, profile=profile, tokens=tokens, identifier=phone_number_id)
        ours: dict[str, Answer] = {
            "sendMessage": self.send,
            "uploadMedia": self.upload,
            "getPhoneNumber": self.session_or_file,
        }
        self._answers = self._account.answers() | self._media.answers() | ours

    def add_to(self, app: web.Application) -> None:
        """Add the routes of the table, and one for everything else."""
        for route in CLOUD_ROUTES:
            app.router.add_route(route.method, _BELOW + route.path, self._answered(self._answers[route.name]))
        app.router.add_route("*", _BELOW + "/{rest:.*}", self._answered(self.unknown))

    async def send(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/messages: take a message or a read mark, and answer when it cannot be lost."""
        self._check_phone(request)
        key = idempotency_key(request)
        body = await read_body(request)
        wanted = read_request(body, interactive=self._live.settings.interactive)
        if isinstance(wanted, ReadMark):
            await self._messaging.mark(wanted)
            return answers.success()
        digest = hashlib.sha256(body).hexdigest()
        taken = await self._messaging.accept(wanted, key=key, digest=digest)
        return answers.accepted(given=taken.given, digits=taken.digits, identifier=taken.identifier)

    async def upload(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/media: take a file."""
        self._check_phone(request)
        return await self._media.upload(request)

    async def session_or_file(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{id}: the session's own number and account, or what is known of a file."""
        of_file = is_media_id(request.match_info["phone"])
        return await (self._media.info(request) if of_file else self._account.phone_number(request))

    async def unknown(self, request: web.Request) -> dict[str, Any]:
        """Everything else: no such object, or nothing that can be done with it."""
        reason = why_not(request.match_info["rest"].split("/"))
        of_id = f"This session's phone-number-id is {self._phone_number_id}."
        raise UnknownObjectError(
            reason or f"{request.method} is not answered here, or there is no such object. {of_id}"
        )

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
        @functools.wraps(answer)
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                self._authorize(request)
                found = await answer(request)
                return found if isinstance(found, web.StreamResponse) else _response(found, HTTPStatus.OK)
            except MessageError as error:
                return _failure(error)
            except VOLUMES_FAULTS as error:
                return _failure(volume_trouble(error))
            except Exception:
                logger.exception("A request failed", extra={"path": request.path})
                return _failure(InternalFaultError("The runner failed to answer; its log says why."))

        return answered


def largest_body(method: str, target: str) -> int:
    """Return the bytes that a request's body may have beyond what every body may."""
    if method == "POST" and target.partition("?")[0] == "/v1/media":
        return LARGEST_UPLOAD
    if method in ("POST", "PATCH") and target.startswith(("/v1/messages", "/v1/dead-letters")):
        return LARGEST_BODY
    route = _LARGE.match(target) if method == "POST" else None
    if route is None:
        return 0
    return LARGEST_UPLOAD if route[1] == "media" else LARGEST_BODY


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
