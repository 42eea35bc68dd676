"""The connections to runners, each with a budget of bytes and of reads for one answer.

How long an answer's body may be is checked by whoever reads it, but a program that wants to keep us busy need not send
one: it can send interim answers (`100 Continue`) without end, a byte at a time, headers, chunk extensions or trailers.
So everything is counted where it comes off the wire, before it is parsed, also what comes after an answer. Beyond the
budget the connection is closed at once. The CPU time of an answer is bounded by it, too: it follows bytes and reads.

aiohttp's own limits are on single lines and on the number of headers, and start anew with each interim answer.
"""

import asyncio
import functools
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

MAX_BYTES: Final = 64 * 1024
""" The most bytes of an answer's body; the longest valid one has 30 KB. """
WIRE_BYTES: Final = MAX_BYTES + 16 * 1024
""" The most bytes on the wire for one answer: the head is small, and a body in pieces grows little. """
MAX_READS: Final = 256
""" The most reads for one answer. 64 KB come in fifty packets, and no runner sends its answer in more than two pieces. """


class AnswerTooLargeError(aiohttp.ClientError):
    """An answer went beyond its budget."""


class BoundedConnector(aiohttp.TCPConnector):
    """Opens connections that have budgets."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The library has no other way to choose the connection's class; the tests against hostile servers would show it.
        self._factory = functools.partial(_Connection, loop=self._loop)  # type: ignore[assignment]


class _Connection(ResponseHandler):
    """One connection; counts from the request on."""

    _bytes = 0
    _reads = 0

    def set_response_params(self, **kwargs: Any) -> None:
        """Prepare for the answer to a new request."""
        self._bytes, self._reads = WIRE_BYTES, MAX_READS
        super().set_response_params(**kwargs)

    def data_received(self, data: bytes) -> None:
        """Count what came, and parse it if that is within the budget."""
        self._bytes -= len(data)
        self._reads -= 1
        if self._bytes >= 0 and self._reads >= 0:
            super().data_received(data)
            return
        payload, error = self._payload, AnswerTooLargeError("the answer goes beyond its budget")
        self.set_exception(error)
        if payload is not None:
            payload.set_exception(error)
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
