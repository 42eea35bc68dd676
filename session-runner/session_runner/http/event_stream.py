"""GET /v1/events: what happens, as server-sent events, from now on or from behind the last event that a client has.

The same bytes as webhooks in the own format get. An event's id is the stream's, so that a client that loses the
connection goes on where it was: browsers and libraries send the last id by themselves. A client that was away for longer
than events are kept is told so, instead of being given a stream with a hole.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from session_runner.http.errors import EventsGoneError, StartingError, TooManyStreamsError
from session_runner.http.routes import EventsQuery, read_query
from session_runner.messages.errors import NotReadyError
from session_runner.metrics.metrics import Metrics
from session_runner.outbox.events import Stored
from session_runner.receiving.inbox import Inbox

HEARTBEAT: Final = 15.0
""" Seconds without an event after which a comment is sent, so that nothing on the way takes the stream for dead. """
LONGEST: Final = 3600.0
""" Seconds of one stream; then it ends, the client comes again, and its token is looked at again. """
MOST_STREAMS: Final = 16
AT_ONCE: Final = 100
RETRY: Final = 2000
""" Milliseconds after which a client comes again. """


class EventStreams:
    """The open streams of one session."""

    def __init__(self, *, inbox: Inbox, metrics: Metrics, is_closing: Callable[[], bool]) -> None:
        self._inbox = inbox
        self._metrics = metrics
        self._is_closing = is_closing
        self._open = 0

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {"streamEvents": self.answer}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send events until the client goes, or the runner ends.

        :raises ApiError: there is no stream from that place, or there are too many.
        """
        after, inbox = read_query(request.query, EventsQuery).after, self._inbox
        if self._open >= MOST_STREAMS:
            raise TooManyStreamsError(f"{MOST_STREAMS} streams are open already; close one.")
        last = request.headers.get("Last-Event-ID") or (None if isinstance(after, msgspec.UnsetType) else after)
        self._count(+1)  # before anything is waited for
        try:
            place = await _place(inbox, last)
            response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            with contextlib.suppress(TimeoutError, ConnectionError, NotReadyError):
                await response.prepare(request)
                async with asyncio.timeout(LONGEST):
                    await self._send(inbox, response, place)
        finally:
            self._count(-1)
        return response

    def _count(self, more: int) -> None:
        self._open += more
        self._metrics.streams.set(self._open)

    async def _send(self, inbox: Inbox, response: web.StreamResponse, place: int) -> None:
        await response.write(b"retry: %d\n\n" % RETRY)
        while not self._is_closing():
            changed = inbox.changed.next()
            events = await inbox.after(place, most=AT_ONCE)
            if not events:
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
                except TimeoutError:
                    await response.write(b": nothing yet\n\n")
                continue
            if events[0].place != place + 1:
                return  # what was between is gone; the client learns that when it comes again
            await response.write(b"".join(_written(event) for event in events))
            place = events[-1].place


async def _place(inbox: Inbox, last: str | None) -> int:
    """Return the place behind which a stream begins. :raises ApiError: there is none."""
    try:
        if last is None:
            return await inbox.newest()
        place = await inbox.place_of(last) if last.isascii() else None  # bytes of a header may be no text at all
    except NotReadyError as error:
        raise StartingError(str(error)) from error
    if place is None:
        raise EventsGoneError("There is no such event, or it is kept no more; begin without an id.")
    return place


def _written(event: Stored) -> bytes:
    # JSON as it is stored has no line break.
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.id.encode(), event.kind.encode(), event.body)
