"""What an HTTP server says of requests that are none: nothing of what was sent. They are counted.

aiohttp's server logs the parser's error with its traceback, and in it the bytes that a stranger sent: a request of one
packet would then cost a line of kilobytes and its redaction, and put foreign words into our log. Its answer repeats
them, too. Both programs serve with `QuietRunner` instead. Its logger counts what the peer did wrong without looking at
it, and hands on what is a fault of our own: a handler that failed. What the library answers before it asks a route is
written by the program, as all its other errors are. No route takes a body, so none is unpacked.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import PayloadAccessError, RequestPayloadError

_PEERS: Final = (HttpProcessingError, RequestPayloadError, PayloadAccessError, ConnectionError)
""" What aiohttp raises for what came over the wire: head, body, and a connection that went away. """


def server_logger(count: Callable[[], object]) -> logging.Logger:
    """Return the logger for one aiohttp server; `count` is called for each request that could not be read."""
    logger = logging.Logger("aiohttp.server", level=logging.DEBUG)  # noqa: LOG001 -- levels must not decide what is counted
    logger.parent = logging.getLogger("aiohttp.server")
    logger.addFilter(_OurFaults(count))
    return logger


class _OurFaults(logging.Filter):
    """Lets through what is about us."""

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
    """Serves an application; `answer` writes the error of a status, for all that the application did not write itself."""

    __slots__ = ("_answer",)

    def __init__(
        self, app: web.Application, *, count: Callable[[], object], answer: Callable[[int], web.Response], **kwargs: Any
    ) -> None:
        super().__init__(app, access_log=None, auto_decompress=False, logger=server_logger(count), **kwargs)
        self._answer = answer

    async def _make_server(self) -> web.Server:
        made, answer = await super()._make_server(), self._answer

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await made.request_handler(request)
            except web.HTTPException as error:  # an Expect header, say, is refused before any middleware
                if error.status < 400:
                    raise
                response = answer(error.status)
                response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
                return response

        # What was set on this runner (a logger, say) is the connections', too, and the server hands it on in no other way.
        kwargs = made._kwargs  # noqa: SLF001
        return _Server(handle, answer, request_factory=made.request_factory, **kwargs)


class _Server(web.Server):
    """Makes the connections."""

    def __init__(self, handler: Any, answer: Callable[[int], web.Response], **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self._answer = answer

    def __call__(self) -> web.RequestHandler:
        return _Connection(self._answer, self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Callable[[int], web.Response], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answer = answer

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer for what could not be read as a request, or failed outside of the application."""
        super().handle_error(request, status, exc, message)  # logs, and raises where half an answer is out already
        response = self._answer(status)
        response.force_close()
        return response
