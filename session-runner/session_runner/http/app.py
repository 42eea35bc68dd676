"""The HTTP API: routes, errors, and starting to listen.

`__main__` builds the application and serves it from the first moment on, so that also a runner that is still starting
answers. No route ever touches the page: they read the store, so a hung page cannot hang the API.
The contract is in openapi.yaml beside this file; a test compares the two.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib import resources
from typing import TypeVar

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from session_protocol.bad_requests import server_logger
from session_protocol.vocabulary import TokenScope

from session_runner.http.auth import TokenFolder, require
from session_runner.http.codes import OFFERED, render
from session_runner.http.errors import ApiError, BadRequestError, NoCodeError, NotAcceptableError, UnauthorizedError
from session_runner.http.negotiation import best_type
from session_runner.metrics import Metrics
from session_runner.profile.marker import format_time
from session_runner.store import Snapshot, StateStore

log = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 60.0
""" Longer waits are cut to this: proxies and load balancers drop silent connections soon after. """

N = TypeVar("N", int, float)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """The routes over one store."""

    def __init__(
        self,
        *,
        store: StateStore,
        tokens: TokenFolder,
        metrics: Metrics,
        session_uid: str,
        pod_uid: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._metrics = metrics
        self._identity = {"sessionUID": session_uid, "podUID": pod_uid}
        self._clock = clock

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(middlewares=[_json_errors])
        app.router.add_get("/v1/state", self.state, allow_head=False)
        app.router.add_get("/v1/qr", self.code, allow_head=False)
        app.router.add_get("/v1/openapi.yaml", self.contract, allow_head=False)
        app.router.add_get("/healthz", self.alive)
        app.router.add_get("/readyz", self.alive)
        app.router.add_get("/metrics", self.measurements, allow_head=False)
        return app

    async def state(self, request: web.Request) -> web.Response:
        """GET /v1/state: the state, at once or after its next change."""
        self._require(request, TokenScope.STATE)
        after = _number(request, "after", int)
        wait = _number(request, "wait", float) or 0.0
        snapshot = await self._store.newer_than(after, wait=min(wait, MAX_WAIT_SECONDS))
        return web.json_response(self._document(snapshot), headers={"Cache-Control": "no-store"})

    async def code(self, request: web.Request) -> web.Response:
        """GET /v1/qr: the QR code that is on the page's screen."""
        self._require(request, TokenScope.LINK)
        media_type = best_type(request.headers.get("Accept", ""), OFFERED)
        if media_type is None:
            raise NotAcceptableError(f"Accept one of {', '.join(OFFERED)}.")
        code = self._store.code
        if code is None:
            state = self._store.snapshot.state
            raise NoCodeError(f"There is no QR code now; the session is {state}. It has one while it is QRPending.")
        headers = {"Cache-Control": "no-store", "Content-Type": media_type, "Vary": "Accept"}
        return web.Response(body=render(code, media_type), headers=headers)

    async def contract(self, _request: web.Request) -> web.Response:
        """GET /v1/openapi.yaml."""
        body = (resources.files(__package__) / "openapi.yaml").read_bytes()
        return web.Response(body=body, content_type="application/yaml")

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz and /readyz: this answer is the proof. The page is no part of it, on purpose."""
        return web.Response(text="ok\n")

    async def measurements(self, _request: web.Request) -> web.Response:
        """GET /metrics."""
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _require(self, request: web.Request, *allowed: TokenScope) -> None:
        require(self._tokens, request.headers.get("Authorization"), *allowed)

    def _document(self, snapshot: Snapshot) -> dict[str, object]:
        probed = self._store.probed
        return self._identity | {
            "revision": snapshot.revision,
            "state": snapshot.state,
            "reason": snapshot.reason,
            "message": snapshot.message,
            "since": format_time(snapshot.since),
            "linkedTime": format_time(snapshot.linked_time),
            "durableTime": format_time(snapshot.durable_time),
            "round": snapshot.round,
            "probeAgeSeconds": None if probed is None else round(max(0.0, (self._clock() - probed).total_seconds()), 1),
        }


async def serve(
    app: web.Application, *, port: int, bad_requests: Callable[[], object] = lambda: None
) -> tuple[web.AppRunner, int]:
    """Listen on all interfaces, IPv6 included where there is any; returns the runner and the port. Raises OSError."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, logger=server_logger(bad_requests))
    await runner.setup()
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    listener = socket.create_server(("", port), family=family, dualstack_ipv6=dual, backlog=128)
    await web.SockSite(runner, listener).start()
    return runner, int(listener.getsockname()[1])


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthorizedError) else {}
        return _error(error.status, error.code, str(error), headers=headers)
    except web.HTTPException as error:  # unknown paths and methods come from aiohttp itself
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _error(error.status, error.reason.title().replace(" ", ""), f"{error.reason}.", headers=headers)
    except Exception:
        log.exception("A request failed", extra={"path": request.path})
        return _error(500, "InternalError", "The runner failed to answer; its log tells why.", headers={})


def _error(status: int, code: str, message: str, *, headers: dict[str, str]) -> web.Response:
    return web.json_response(
        {"error": {"code": code, "message": message}}, status=status, headers={"Cache-Control": "no-store"} | headers
    )


def _number(request: web.Request, name: str, kind: type[N]) -> N | None:
    """A query parameter that is a number and not negative; `None` when it is absent."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        value = kind(text)
    except ValueError as error:
        raise BadRequestError(f"{name}={text[:40]!r} is not a number.") from error
    if not 0 <= value < 2**53:  # also refuses NaN and infinity
        raise BadRequestError(f"{name} must not be negative or endless.")
    return value
