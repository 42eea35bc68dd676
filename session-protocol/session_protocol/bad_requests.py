"""How an HTTP server answers an invalid request: without repeating what was sent. Such requests are counted.

aiohttp's server logs the parser's error with its traceback, and in it the bytes that a stranger sent: a request of one
packet would then cost a line of kilobytes and its redaction, and put text from outside into our log. Its answer repeats
them, too. Both programs serve with `QuietRunner` instead. Its logger counts what the peer did wrong without looking at
it, and passes on our own faults: a handler that failed. What the library answers before it asks a route is
written by the program, as all its other errors are. No route takes a body, so none is unpacked.

How many connections there may be, and how long one may take to send its request, is in `connections`; here it is
enforced.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

from session_protocol.connections import IDLE, Closing, Connections, Limits

_PEERS: Final = (HttpProcessingError, RequestPayloadError, PayloadAccessError, ConnectionError)
""" The errors that aiohttp raises for a bad head, a bad body, and a closed connection. """


T = TypeVar("T", bound=web.StreamResponse)


def server_logger(count: Callable[[], object]) -> logging.Logger:
    """Return the logger for one aiohttp server; `count` is called for each request that could not be read."""
    logger = logging.Logger("aiohttp.server", level=logging.DEBUG)  # noqa: LOG001 -- levels must not decide what is counted
    logger.parent = logging.getLogger("aiohttp.server")
    logger.addFilter(_OurFaults(count))
    return logger


def prove(request: web.BaseRequest, token: str) -> None:
    """Record that this request's connection has shown a valid token; `token` is a name for it, not its text."""
    connection = request.protocol
    if isinstance(connection, _Connection):
        connection.prove(token)


class _OurFaults(logging.Filter):
    """Counts and drops log records about errors of the peer, passes on those about our own faults."""

    def __init__(self, count: Callable[[], object]) -> None:
        super().__init__()
        self._count = count

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _PEERS):
            self._count()
            return False
        return record.levelno >= logging.WARNING


class QuietRunner(web.AppRunner):
    """Serves an application; `answer` returns the response for an error status that the application did not handle.

    `count` is called for each request that could not be read, `closed` for each connection that went beyond `limits`.
    """

    __slots__ = ("_answer", "_closed", "_limits")

    def __init__(
        self,
        app: web.Application,
        *,
        count: Callable[[], object],
        answer: Callable[[int], web.Response],
        closed: Callable[[Closing], object] = lambda _: None,
        limits: Limits = Limits(),  # noqa: B008 -- it cannot change
        **kwargs: Any,
    ) -> None:
        kwargs.update(
            access_log=None, auto_decompress=False, keepalive_timeout=IDLE, lingering_time=1.0, max_headers=64
        )
        super().__init__(app, logger=server_logger(count), **kwargs)
        self._answer = answer
        self._closed = closed
        self._limits = limits

    async def _make_server(self) -> web.Server:
        made, answer = await super()._make_server(), self._answer

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return _nameless(await made.request_handler(request))
            except web.HTTPException as error:  # an Expect header, say, is refused before any middleware
                if error.status < 400:
                    raise
                response = answer(error.status)
                response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
                return _nameless(response)

        # What was set on this runner (a logger, say) is the connections', too, and the server hands it on in no other way.
        kwargs = made._kwargs  # noqa: SLF001
        return _Server(handle, answer, self._closed, self._limits, request_factory=made.request_factory, **kwargs)


class _Server(web.Server):
    """Creates the connections, with limits."""

    def __init__(
        self,
        handler: Any,
        answer: Callable[[int], web.Response],
        closed: Callable[[Closing], object],
        limits: Limits,
        **kwargs: Any,
    ) -> None:
        super().__init__(handler, **kwargs)
        self.answer = answer
        self.closed = closed
        self.limits = limits
        self.open: Connections[_Connection] = Connections(limits)

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One connection, with limits on its number and on the size and time of a request's head."""

    __slots__ = ("_head", "_read", "_server")

    def __init__(self, server: _Server, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._server = server
        self._head: asyncio.TimerHandle | None = None
        """ Runs while a request's head is awaited or incomplete. """
        self._read = 0
        """ Bytes of that head so far. """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        goes = self._server.open.open(self, str(peer[0]) if peer else "")
        if goes is not None:
            goes[0].end(goes[1])
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_is_there()
        self._server.open.close(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages or self._waiter is None:  # it waits only for a head: what comes before is a body's rest
            self._head_is_there()
            return
        self._await_head()
        self._read += len(data)
        if self._read > self._server.limits.head_bytes:
            self.end(Closing.LONG_HEAD)

    def prove(self, token: str) -> None:
        """Count this connection by that token from now on."""
        self._server.open.prove(self, token)

    def end(self, why: Closing) -> None:
        """Close at once, without sending the rest: otherwise a peer that does not read would keep its connection."""
        transport, self.transport = self.transport, None
        if isinstance(transport, asyncio.Transport):
            self._server.closed(why)
            transport.abort()

    def _await_head(self) -> None:
        if self._head is None and self.transport is not None:
            self._head = self._loop.call_later(self._server.limits.head, self.end, Closing.SLOW_HEAD)

    def _head_is_there(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head, self._read = None, 0

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the response for an invalid request, or for a failure outside of the application."""
        super().handle_error(request, status, exc, message)  # logs, and raises where half an answer is out already
        response = self._server.answer(status)
        response.force_close()
        return _nameless(response)


def _nameless(response: T) -> T:
    """Remove the versions of our libraries from the answer: they would only help an attacker."""
    response.headers["Server"] = "aiohttp"
    return response
