"""The HTTP API: the handler of each route, and the server.

`__main__` serves the application from the start, so that a runner that is still starting answers, too. No route
touches the page: they read the store, or run a command with a deadline, so a page that hangs cannot block them.
`routes` lists the routes with their parameters and scopes, `errors` has the form of errors.
"""

import asyncio
import contextlib
import functools
import logging
import os
import random
import socket
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from importlib import resources
from typing import Any

import mimeparse
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.answers import KnownScopes, PairingCode, PairingRequest, State
from session_protocol.bad_requests import PEERS_FAULTS, QuietRunner, authorization_of, prove
from session_protocol.live_settings import SettingsInUse, read_live_settings
from session_protocol.scrapes import Scrapes
from session_protocol.states import STATES
from session_protocol.times import whole_seconds
from session_protocol.token_hashes import OPERATOR_FILE, TokenHashes
from session_protocol.vocabulary import LinkMethod, Presence, TokenScope

from session_runner import commands
from session_runner.appearance import Appearance
from session_runner.commands import CommandError, Commands
from session_runner.http.auth import TokenFolder, require
from session_runner.http.cloud_api import CloudApi, largest_body
from session_runner.http.codes import OFFERED, render
from session_runner.http.errors import (
    ApiError,
    BadRequestError,
    CannotPairError,
    DeadlineError,
    ForbiddenError,
    HttpError,
    NoAccountError,
    NoCodeError,
    NoPageError,
    NoPairingCodeError,
    NotAcceptableError,
    NotLinkedError,
    TooManyCommandsError,
    problem_of,
    problems,
)
from session_runner.http.event_stream import EventStreams
from session_runner.http.media import FileRoutes
from session_runner.http.message_routes import MessageRoutes
from session_runner.http.operator_calls import OperatorCalls
from session_runner.http.reading_routes import ReadingRoutes
from session_runner.http.route import Route
from session_runner.http.routes import ROUTES, DeadLettersQuery, StateQuery, read_query
from session_runner.http.webhooks import dead_letters, redrive, webhook_states
from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.logout import log_out
from session_runner.media.media import Media
from session_runner.metrics import Metrics
from session_runner.own_profile import OwnProfile
from session_runner.phone_numbers import PhoneNumbers
from session_runner.reader import Reader
from session_runner.receiving.inbox import Inbox
from session_runner.sending.messaging import Messaging
from session_runner.store import Code, Snapshot, StateStore
from session_runner.webhooks.deliverer import Deliverer

logger = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 60.0
""" Longer waits are cut to this, because proxies and load balancers drop silent connections soon after. """
LOGOUT_SECONDS = 30.0
""" For a page to log out and notify the service, including the wait for its turn. """
SHOWN_SECONDS = 10.0
""" For the state to show that the session is unlinked, once the page is. """
BODY = web.RequestKey("body", bytes)
""" Where a signed request's body is kept. """
PAIRING_SECONDS = 20.0
""" For the page to show a pairing code; WhatsApp's answer takes a second or two. """
PAIRING_PAUSE = 0.1
LARGEST_BODY = 16 * 1024
""" Bytes; the largest settings have 9 KiB. """
BODY_SECONDS = 5.0
""" For a body to arrive. """
LONGEST_ACCEPT = 4096
""" Characters of an Accept header at most; a browser's has 150. """


class Api:
    """The routes over one store."""

    def __init__(
        self,
        *,
        store: StateStore,
        numbers: PhoneNumbers | None = None,
        tokens: TokenFolder,
        metrics: Metrics,
        session_uid: str,
        pod_uid: str,
        clock: Callable[[], datetime],
        door: Commands | None = None,
        live: Live | None = None,
        deliverer: Deliverer | None = None,
        messaging: Messaging | None = None,
        inbox: Inbox | None = None,
        media: Media | None = None,
        phone_number_id: str = "",
        metrics_need_token: bool = False,
        presence: Presence = Presence.UNAVAILABLE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._numbers = numbers or PhoneNumbers(file=None, method=LinkMethod.QR)
        self._door = door or Commands()  # one that is never opened: there is no page
        self._messaging = messaging or Messaging(store=store, door=self._door, clock=clock, random=os.urandom)
        self._streams = EventStreams(inbox=inbox, metrics=metrics, is_closing=lambda: store.closing)
        self._live = live or Live(store=store)
        self._deliverer = deliverer or Deliverer(live=self._live, clock=clock, random=random.random)
        media = media or Media(phone_number_id=phone_number_id, clock=clock, random=os.urandom)
        page = LinkedPage(store=store, door=self._door)
        profile = OwnProfile(page)
        self._cloud_api = CloudApi(
            messaging=self._messaging,
            media=media,
            tokens=tokens,
            phone_number_id=phone_number_id,
            live=self._live,
            profile=profile,
        )
        reader = Reader(
            page=page,
            outbox=self._messaging.outbox,
            clock=clock,
            random=os.urandom,
            phone_number_id=phone_number_id,
            unreadable=metrics.unreadable.inc,
        )
        reading = ReadingRoutes(reader, Appearance(page=page, usual=presence), profile)
        self._tokens = tokens
        self._operator_calls = OperatorCalls(tokens.folder, pod_uid=pod_uid, monotonic=monotonic)
        self._scrapes = Scrapes(metrics.registry)
        self._metrics_need_token = metrics_need_token
        """ Whether the metrics need a token. """
        self._session_uid = session_uid
        self._pod_uid = pod_uid
        self._clock = clock
        self._answers: dict[str, Handler] = {
            "getState": self.state,
            "getQR": self.code,
            "getAccount": self.account,
            "getPairingCode": self.pairing_code,
            "askForPairingCode": self.ask_for_pairing_code,
            "logOut": self.logout,
            "streamEvents": self._streams.answer,
            "renewTokens": self.renew_tokens,
            "changeSettings": self.change_settings,
            "getWebhooks": self.webhooks,
            "getDeadLetters": self.dead_letters,
            "redrive": self.redrive,
            "getContract": self.contract,
            "getHealth": self.alive,
            "getReadiness": self.alive,
            "getMetrics": self.measurements,
        } | {**MessageRoutes(self._messaging).handlers(), **reading.handlers(), **FileRoutes(media).handlers()}

    def application(self) -> web.Application:
        """Return the aiohttp application with all routes."""
        app = web.Application(middlewares=[problems], client_max_size=LARGEST_BODY)
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._guarded(route))
            if route.head:
                app.router.add_head(route.path, self._guarded(route))
        self._cloud_api.add_to(app)
        return app

    async def state(self, request: web.Request) -> web.Response:
        """GET /v1/state: the state, at once or after its next change."""
        query = read_query(request.query, StateQuery)
        after = query.after if isinstance(query.after, int) else None
        snapshot = await self._store.newer_than(after, wait=min(query.wait, MAX_WAIT_SECONDS))
        return self._state_response(snapshot)

    async def logout(self, _request: web.Request) -> web.Response:
        """POST /v1/logout: unlink, and answer with the state that shows it."""
        logger.info("A logout was asked for")
        try:
            await self._door.run(log_out, deadline=LOGOUT_SECONDS)
        except CommandError as error:
            raise self._refusal(error) from error
        # The page is unlinked; the monitor publishes it with its next look.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_SECONDS):
                while self._store.snapshot.linked_time is not None and not self._store.closing:
                    await self._store.newer_than(self._store.snapshot.revision, wait=SHOWN_SECONDS)
        return self._state_response(self._store.snapshot)

    def _refusal(self, error: CommandError) -> ApiError:
        state = self._store.snapshot.state
        if STATES[state].linked is False and isinstance(error, commands.NoPageError):
            error = commands.NotLinkedError()  # also when its page opens again: asking again would not help
        match error:
            case commands.NotLinkedError():
                return NotLinkedError(f"The session is not linked, so there is nothing to log out of; it is {state}.")
            case commands.TooManyCommandsError():
                return TooManyCommandsError("Too many commands are waiting already; try again when they are done.")
            case commands.CommandTimeoutError():
                return DeadlineError(
                    f"The page did not log out within {LOGOUT_SECONDS:g} s, and may still do so; see GET /v1/state."
                )
            case _:
                return NoPageError(f"The session's page is not open, it is {state}; try again when it is Connected.")

    def _state_response(self, snapshot: Snapshot) -> web.Response:
        body = msgspec.json.encode(self.document(snapshot))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def code(self, request: web.Request) -> web.Response:
        """GET /v1/qr: the QR code that the page shows."""
        media_type = best_type(", ".join(request.headers.getall("Accept", [])))
        code = self._store.code
        if code is None:
            state = self._store.snapshot.state
            raise NoCodeError(f"There is no QR code now; the session is {state}. It has one while it is QRPending.")
        headers = {"Cache-Control": "no-store", "Content-Type": media_type, "Vary": "Accept"}
        return web.Response(body=render(code, media_type), headers=headers)

    async def account(self, _request: web.Request) -> web.Response:
        """GET /v1/account: the number of the linked account."""
        account = self._store.account
        if account is None:
            state = self._store.snapshot.state
            raise NoAccountError(f"It is not known whose account is linked, if one is; the session is {state}.")
        return _json_response(account)

    async def pairing_code(self, _request: web.Request) -> web.Response:
        """GET /v1/pairing-code: the pairing code, while there is one."""
        code = self._store.pairing_code
        if code is None:
            state = self._store.snapshot.state
            raise NoPairingCodeError(
                f"There is no pairing code now; the session is {state}. It has one while it is PairingCodePending."
            )
        return _pairing_response(code)

    async def ask_for_pairing_code(self, request: web.Request) -> web.Response:
        """POST /v1/pairing-code: want one for a number, and answer with it."""
        try:
            given = msgspec.json.decode(await read_body(request), type=PairingRequest)
        except (ValueError, RecursionError):  # no UTF-8 is another error than no JSON
            raise BadRequestError(
                'The body is wrong: send {"phoneNumber": "+15550100000"}, a number with its country\'s code.'
            ) from None
        number = given.phone_number
        if self._store.snapshot.linked:
            raise CannotPairError("The session is linked already; log it out first.")
        if not self._numbers.ask_for(number):
            raise CannotPairError("The session's Secret names another number; change it there, or leave it out.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAIRING_SECONDS):
                while not self._store.closing:
                    if (code := self._store.pairing_code_for(number)) is not None:
                        return _pairing_response(code)
                    await asyncio.sleep(PAIRING_PAUSE)
        snapshot = self._store.snapshot
        raise DeadlineError(f"There is no pairing code yet; the session is {snapshot.state}. {snapshot.message}")

    async def renew_tokens(self, request: web.Request) -> web.Response:
        """PUT /v1/tokens: know the tokens by other hashes; those of before end a little later."""
        try:
            given = msgspec.json.decode(request[BODY], type=TokenHashes)
        except (ValueError, RecursionError) as error:
            raise BadRequestError(f"The body is wrong: {error}. /v1/openapi.yaml tells what it takes.") from error
        if self._tokens.renew(given.digests()):
            logger.info("The tokens were renewed")
        body = msgspec.json.encode(KnownScopes(scopes=sorted(self._tokens.scopes())))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def change_settings(self, request: web.Request) -> web.Response:
        """PUT /v1/settings: go by other settings from now on."""
        try:
            given = read_live_settings(request[BODY])
        except (ValueError, RecursionError) as error:
            raise BadRequestError(f"The body is wrong: {error}. /v1/openapi.yaml tells what it takes.") from error
        if self._live.replace(given):
            logger.info("The settings were changed", extra={"count": len(given.webhooks)})
        return _json_response(SettingsInUse(settings_digest=self._live.digest))

    async def webhooks(self, _request: web.Request) -> web.Response:
        """GET /v1/webhooks: how they do."""
        return _json_response(await webhook_states(self._deliverer))

    async def dead_letters(self, request: web.Request) -> web.Response:
        """GET /v1/dead-letters: what webhooks refused."""
        name = read_query(request.query, DeadLettersQuery).webhook
        return _json_response(await dead_letters(self._deliverer, name if isinstance(name, str) else None))

    async def redrive(self, request: web.Request) -> web.Response:
        """POST /v1/dead-letters/redrive: send them again."""
        return _json_response(await redrive(self._deliverer, await read_body(request)))

    async def contract(self, _request: web.Request) -> web.Response:
        """GET /v1/openapi.yaml."""
        body = (resources.files(__package__) / "openapi.yaml").read_bytes()
        return web.Response(body=body, content_type="application/yaml")

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz and /readyz: the answer itself is the proof. The page is left out deliberately."""
        return web.Response(text="ok\n")

    async def measurements(self, request: web.Request) -> web.Response:
        """GET /metrics."""
        if self._metrics_need_token:
            self._authorize(request, TokenScope.STATE)
        body, headers = await self._scrapes.answer(headers=request.headers, query=request.query)
        return web.Response(body=body, headers=headers)

    def _guarded(self, route: Route) -> Handler:
        answer = self._answers[route.name]
        if route.scope is None and not route.operator:
            return answer

        @functools.wraps(answer)
        async def guarded(request: web.Request) -> web.StreamResponse:
            call = self._operator_calls.read(request)
            if call is None:
                self._authorize(request, *route.scopes)
                return await answer(request)
            if not route.operator:
                raise ForbiddenError("This is not the operator's business.")
            prove(request, OPERATOR_FILE)
            request[BODY] = await read_body(request)
            call.check(request[BODY])
            response = await answer(request)
            if isinstance(response, web.Response):
                call.sign(response, nonce=self._operator_calls.nonce())
            return response

        return guarded

    def _authorize(self, request: web.Request, *scopes: TokenScope) -> None:
        """Count the connection by its token. :raises ApiError: the token does not open a route of these scopes."""
        authorization = authorization_of(request)
        if not scopes:
            require(self._tokens, authorization, *TokenScope)
            raise ForbiddenError("This is for the operator alone; no token opens it.")
        prove(request, require(self._tokens, authorization, *scopes))

    def document(self, snapshot: Snapshot) -> State:
        """Return the answer for a snapshot, as of now."""
        probed = self._store.probed
        return State(
            session_uid=self._session_uid,
            pod_uid=self._pod_uid,
            revision=snapshot.revision,
            state=snapshot.state,
            reason=snapshot.reason,
            message=snapshot.message,
            since=whole_seconds(snapshot.since),
            linked=snapshot.linked,
            linked_time=_maybe(snapshot.linked_time),
            durable_time=_maybe(snapshot.durable_time),
            logout_time=None if snapshot.logout is None else whole_seconds(snapshot.logout.time),
            logout_reason=None if snapshot.logout is None else snapshot.logout.reason,
            round=snapshot.round,
            browser_sandbox=snapshot.sandbox and snapshot.sandbox.browser,
            user_namespace=snapshot.sandbox and snapshot.sandbox.user_namespace,
            browser_version=snapshot.browser_version,
            account_revision=snapshot.account_revision,
            account_expected=snapshot.account_expected,
            settings_digest=snapshot.settings_digest,
            probe_age_seconds=None if probed is None else round(max(0.0, (self._clock() - probed).total_seconds()), 1),
        )


def best_type(accept: str) -> str:
    """Return the offered media type that an Accept header prefers; an empty header accepts all.

    :raises NotAcceptableError: it accepts none of them.
    :raises BadRequestError: it is too long, or no list of media types.
    """
    wanted = accept.lower() if accept.strip(" ,\t") else "*/*"
    if len(wanted) > LONGEST_ACCEPT:
        raise BadRequestError(f"The Accept header is longer than {LONGEST_ACCEPT} characters.")
    try:
        best: str = mimeparse.best_match(OFFERED[::-1], wanted)  # of equals the last one wins there
    except mimeparse.MimeTypeParseException as error:
        raise BadRequestError(
            "The Accept header is not a list of media types, such as image/png, */*;q=0.1."
        ) from error
    if not best:
        raise NotAcceptableError(f"Accept one of {', '.join(OFFERED)}.")
    return best


async def read_body(request: web.Request) -> bytes:
    """Return the body of a request that was found to be signed.

    :raises HttpError: it does not arrive in time.
    :raises BadRequestError: whoever sends it is gone, or it is malformed.
    :raises HTTPRequestEntityTooLarge: it is longer than the application takes.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT) from error
    except (RuntimeError, *PEERS_FAULTS) as error:  # the first: the connection is closed already
        raise BadRequestError("The body did not arrive.") from error


async def serve(app: web.Application, *, port: int, metrics: Metrics) -> tuple[web.AppRunner, int]:
    """Listen on all interfaces, IPv6 included where available; return the aiohttp runner and the port.

    :raises OSError: the port cannot be used.
    """
    runner = QuietRunner(
        app,
        count=metrics.bad_requests.inc,
        answer=problem_of,
        closed=lambda reason: metrics.closed.labels(reason).inc(),
        largest_body=largest_body,
        shutdown_timeout=2.0,
    )
    await runner.setup()
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    listener = socket.create_server(("", port), family=family, dualstack_ipv6=dual, backlog=128)
    await web.SockSite(runner, listener).start()
    return runner, int(listener.getsockname()[1])


def _json_response(document: Any) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


def _pairing_response(code: Code) -> web.Response:
    return _json_response(
        PairingCode(
            text=code.text,
            issued_time=whole_seconds(code.issued),
            expiry_time=whole_seconds(code.expires),
            round=code.round,
        )
    )


def _maybe(moment: datetime | None) -> datetime | None:
    return None if moment is None else whole_seconds(moment)
