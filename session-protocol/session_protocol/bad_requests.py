"""What an HTTP server says of requests that are none: nothing. They are counted.

aiohttp's server logs the parser's error with its traceback, and in it the bytes that a stranger sent: a request of one
packet would then cost a line of kilobytes and its redaction, and put foreign words into our log. Both programs give
their server the logger from here instead. It counts what the peer did wrong without looking at it, and hands on what
is a fault of our own: a handler that failed.
"""

import logging
from collections.abc import Callable
from typing import Final

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
