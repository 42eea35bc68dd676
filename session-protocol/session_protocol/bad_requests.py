"""How an HTTP server answers an invalid request: without repeating what was sent. Such requests are counted.

aiohttp's server logs the parser's error with its traceback, and in it the bytes that a stranger sent: a request of one
packet would then cost a line of kilobytes and its redaction, and put text from outside into our log. Its answer repeats
them, too. Both programs serve with `QuietRunner` instead. Its logger counts what the peer did wrong without looking at
it, and passes on our own faults: a handler that failed. What the library answers before it asks a route is
written by the program, as all its other errors are. What routes take is never packed, so nothing is unpacked.

How many connections there may be, and how long one may take to send its request, is in `connections`; here it is
enforced.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

from session_protocol.connections import IDLE, Closing, Connections, Limits

PEERS_FAULTS: Final = (HttpProcessingError, RequestPayloadError, PayloadAccessError, ConnectionError)
""" The errors that aiohttp raises for a bad head, a bad body, and a closed connection. """

LONGEST_LINE: Final = 2048
""" Bytes of a request in which its method and target must stand, so that it may have a large body. """

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


def authorization_of(request: web.BaseRequest) -> str | None:
    """Return the header Authorization. Of several, none: a proxy before us may have judged by another than we would."""
    shown = request.headers.getall("Authorization", [])
    return shown[0] if len(shown) == 1 else None


class _OurFaults(logging.Filter):
    """Counts and drops log records about errors of the peer, passes on those about our own faults."""

    def __init__(self, count: Callable[[], object]) -> None:
        super().__init__()
        self._count = count

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PEERS_FAULTS):
            self._count()
            return False
        return record.levelno >= logging.WARNING


class QuietRunner(web.AppRunner):
    """Serves an application; `answer` returns the response for an error status that the application did not handle.

    `count` is called for each request that could not be read, `closed` for each connection that went beyond `limits`.
    `largest_body` tells by a request's method and target how many bytes its body may have beyond the limit for all; its
    route looks at the token before it reads, and what it does not read stays with the peer.
    """

    __slots__ = ("_answer", "_closed", "_count", "_largest_body", "_limits")

    def __init__(
        self,
        app: web.Application,
        *,
        count: Callable[[], object],
        answer: Callable[[int], web.Response],
        closed: Callable[[Closing], object] = lambda _: None,
        limits: Limits = Limits(),  # noqa: B008 -- it cannot change
        largest_body: Callable[[str, str], int] = lambda _method, _path: 0,
        **kwargs: Any,
    ) -> None:
        kwargs.update(
            access_log=None, auto_decompress=False, keepalive_timeout=IDLE, lingering_time=1.0, max_headers=64
        )
        super().__init__(app, logger=server_logger(count), **kwargs)
        self._count = count
        self._answer = answer
        self._closed = closed
        self._limits = limits
        self._largest_body = largest_body

    async def _make_server(self) -> web.Server:
        made, answer = await super()._make_server(), self._answer

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                response = await made.request_handler(request)
                if request.body_exists:  # where it ends, and whether something is behind it, is nobody's business here
                    response.force_close()
                return _nameless(response)
            except web.HTTPException as error:  # an Expect header, say, is refused before any middleware
                if error.status < 400:
                    raise
                response = answer(error.status)
                response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
                return _nameless(response)

        # What was set on this runner (a logger, say) is the connections', too, and the server hands it on in no other way.
        kwargs = made._kwargs  # noqa: SLF001
        rules = self._count, answer, self._closed, self._limits, self._largest_body
        return _Server(handle, *rules, request_factory=made.request_factory, **kwargs)


class _Server(web.Server):
    """Creates the connections, with limits."""

    def __init__(
        self,
        handler: Any,
        count: Callable[[], object],
        answer: Callable[[int], web.Response],
        closed: Callable[[Closing], object],
        limits: Limits,
        largest_body: Callable[[str, str], int],
        **kwargs: Any,
    ) -> None:
        super().__init__(handler, **kwargs)
        self.count = count
        self.largest_body = largest_body
        self.answer = answer
        self.closed = closed
        self.limits = limits
        self.open: Connections[_Connection] = Connections(limits)

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One connection, with limits on its number, on the size and time of a request, and on the time to take an answer.

    The parser tells when a request is complete, and not whether it has begun another one. So what comes in is whole if it
    ends with an empty line, or with the end of a body; after a request with a body the connection is closed.
    """

    __slots__ = ("_answer", "_body", "_end_of_input", "_large", "_request", "_server", "_size", "_wire")

    def __init__(self, server: _Server, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._server = server
        self._wire: asyncio.Transport | None = None
        """ The transport, also after the library has let go of it and waits for the peer to take the rest. """
        self._request: asyncio.TimerHandle | None = None
        """ Runs while a request is awaited for the first time, or incomplete. """
        self._answer: asyncio.TimerHandle | None = None
        """ Runs while the peer does not take what was written. """
        self._size = 0
        """ Bytes of a request that is not complete yet, and of what came with it. """
        self._end_of_input = b""
        """ The last bytes that came. """
        self._body: StreamReader | None = None
        """ Of the last request, if it has one. """
        self._large = 0
        """ Bytes that its body may have beyond the limit for all. """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            self._wire = transport
            transport.set_write_buffer_limits(high=0)  # so that we are told whenever something is left
        peer = transport.get_extra_info("peername")
        for goes in self._server.open.open(self, str(peer[0]) if peer else "", self._loop.time()):
            if goes.after is None:
                goes.connection.end(goes.why)
            else:  # at 0, too, by a timer: the event loop reads what is there before it looks at timers
                self._loop.call_later(goes.after, goes.connection.end_leaving, goes.why)
        self._request = self._loop.call_later(self._server.limits.head, self.end, Closing.SLOW_HEAD)

    def connection_lost(self, exc: BaseException | None) -> None:
        for timer in (self._request, self._answer):
            if timer is not None:
                timer.cancel()
        self._request = self._answer = self._wire = None
        self._server.open.close(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._size == 0:
            self._large = self._server.largest_body(*_method_and_target(data))
        self._size += len(data)
        most = self._server.limits.request_bytes
        in_body = self._body is not None or (self._large > 0 and b"\r\n\r\n" in self._end_of_input[-3:] + data[:most])
        if self._size > most + (self._large if in_body else 0):
            self._server.count()
            self.end(Closing.LONG_BODY if in_body else Closing.LONG_HEAD)
            return
        before = self._request_count
        super().data_received(data)
        complete = self._request_count > before
        if not data and not complete:
            return
        self._end_of_input = (self._end_of_input + data)[-4:]
        if complete:
            body = self._messages[-1][1]
            self._body = None if body is EMPTY_PAYLOAD else body
        if self._body is not None:
            whole = self._body.is_eof()
        else:
            whole = complete and self._end_of_input.endswith((b"\r\n\r\n", b"\n\n"))
        if whole:
            self._size = 0
        large = self._large > 0 and self._body is not None
        if self._request is not None and (whole or complete or large):
            self._request.cancel()
            self._request = None
        if not whole and self._request is None:
            why = Closing.SLOW_HEAD if self._body is None else Closing.SLOW_BODY
            seconds = self._server.limits.piece if large else self._server.limits.head
            self._request = self._loop.call_later(seconds, self.end, why)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answer = self._loop.call_later(self._server.limits.answer, self.end, Closing.SLOW_READER)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None

    def prove(self, token: str) -> None:
        """Count this connection by that token from now on."""
        self._server.open.prove(self, token)

    def end_leaving(self, why: Closing) -> None:
        """Close it when its grace is over, unless it has shown a token meanwhile.

        A request that is there already is answered first, which takes milliseconds: on a busy machine all of the grace
        may have passed before anybody could look at it.
        """
        if not self._server.open.is_leaving(self):
            return
        if self._messages or self._current_request is not None:
            self.close()  # takes no more requests, and goes when this one is answered
            self._loop.call_later(self._server.limits.head, self.end, why)
        else:
            self.end(why)

    def end(self, why: Closing) -> None:
        """Close at once, without sending the rest: otherwise a peer that does not read would keep its connection."""
        self.transport = None
        if self._wire is not None:
            self._server.closed(why)
            self._wire.abort()
            self._wire = None

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


def _method_and_target(data: bytes) -> tuple[str, str]:
    """Return both of the first line of a request; empty where they are not at its beginning."""
    method, _, rest = data[:LONGEST_LINE].partition(b" ")
    target, blank, _ = rest.partition(b" ")
    return (method.decode("latin-1"), target.decode("latin-1")) if blank else ("", "")


def _nameless(response: T) -> T:
    """Remove the versions of our libraries from the answer: they would only help an attacker."""
    response.headers["Server"] = "aiohttp"
    return response
