"""When messages pass three places: the stand-in's server on their way out, the page's store and the receiver on their way in.

All of it is in the benchmark's own process, so that there is one clock. The page tells its server that a message is stored in the moment before it tells anybody of the message.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import web
from standin.effects import Effect
from standin.frames import Frame
from standin.traffic import TRAFFIC, Context

from session_bench.errors import BenchError

LONGEST = 300.0
""" Seconds for what is waited for. """


class Times:
    """When each message passed one place, by its id; used from one event loop only."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}
        self._changed = asyncio.Event()

    def note(self, identifier: str) -> None:
        """It passes now; only the first time counts."""
        self._first.setdefault(identifier, time.monotonic())
        self._changed.set()
        self._changed = asyncio.Event()

    async def of(self, *identifiers: str) -> list[float]:
        """Wait until all of them have passed; returns when. :raises BenchError: one does not."""
        try:
            async with asyncio.timeout(LONGEST):
                while not self._first.keys() >= set(identifiers):
                    await self._changed.wait()
        except TimeoutError:
            missing = set(identifiers) - self._first.keys()
            raise BenchError(f"{len(missing)} of {len(identifiers)} messages did not pass in {LONGEST:g} s") from None
        return [self._first[one] for one in identifiers]


class Observer:
    """The three places, and where webhooks are received."""

    def __init__(self) -> None:
        self.arrived, self.stored, self.received = Times(), Times(), Times()
        self.url = ""

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Note what pages say to their server."""
        sent, stored = TRAFFIC["send"], TRAFFIC["stored"]

        def on_sent(at: Context, frame: Frame) -> list[Effect]:
            self.arrived.note(str(frame.get("id")))
            return sent(at, frame)

        def on_stored(at: Context, frame: Frame) -> list[Effect]:
            kept = next((one for one in at.device.mailbox if one["stanza"] == frame.get("stanza")), {})
            self.stored.note(str(kept.get("id")))
            return stored(at, frame)

        TRAFFIC.update(send=on_sent, stored=on_stored)
        try:
            yield
        finally:
            TRAFFIC.update(send=sent, stored=stored)

    async def _receive(self, request: web.Request) -> web.Response:
        for identifier in identifiers(await request.json()):
            self.received.note(identifier)
        return web.Response()

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch, and receive, until the block ends."""
        application = web.Application(client_max_size=2**20)
        application.router.add_post("/", self._receive)
        server = web.AppRunner(application, access_log=None)
        await server.setup()
        try:
            site = web.TCPSite(server, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{server.addresses[0][1]}/"
            with self._listening():
                yield
        finally:
            await server.cleanup()


def identifiers(document: Any) -> Iterator[str]:
    """Yield all ids in a webhook's body: those of messages are among them, whoever made the body."""
    if isinstance(document, dict):
        if isinstance(document.get("id"), str):
            yield document["id"]
        for value in document.values():
            yield from identifiers(value)
    elif isinstance(document, list):
        for value in document:
            yield from identifiers(value)
