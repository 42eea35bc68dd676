"""A session that fetches files from a server on loopback, for the tests of what is prepared before it is sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from session_protocol.vocabulary import RunnerState
from session_runner.messages import links as rules
from session_runner.messages.contents import Image, MediaContent, Text
from session_runner.messages.errors import MediaError
from session_runner.messages.requests import SendRequest
from session_runner.outbox.outbox import Outbox
from session_runner.sending import messaging, preparing
from support.at_work import at_work
from unit.runner.messaging_harness import FRIEND, Session, running
from unit.runner.test_messaging_files import FilePage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(300_000)


class Site:
    """A server of files, which answers as a test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.raw: list[str] = []
        self.answers: dict[str, Any] = {"/a.png": lambda: web.Response(body=PNG, content_type="text/html")}
        """ By path: what makes a response, or waits first. """
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer."""
        self.asked.append(request.path)
        self.raw.append(request.raw_path)
        answer: Any = self.answers[request.path]()
        found: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
        return found


class Linked:
    """A connected session that may fetch from loopback."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.session = Session()
        self.session.say(RunnerState.CONNECTED)
        self.session.guard = lambda *_: None
        self.media, self.preparer = self.session.media, self.session.preparer
        self.page = FilePage()
        self.session.door.open(self.page)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        """Have its loops at work."""
        async with (
            running(self.session, self.folder) as outbox,
            self.media.opened(outbox, self.folder / "media"),
            at_work(self.preparer.work(outbox)),
        ):
            yield outbox

    async def ask(self, content: MediaContent | Text, *, to: str = FRIEND) -> str:
        """Ask for a message; gives its id."""
        request = SendRequest(given=to, digits=to, content=content)
        return (await self.session.messaging.accept(request)).identifier

    async def send(self, path: str = "/a.png", *, kind: type[MediaContent] = Image, to: str = FRIEND) -> str:
        """Ask for a file of the site."""
        return await self.ask(kind(link=self.site.url + path), to=to)

    async def upload(self, content: bytes) -> str:
        """Upload a file; gives its id."""
        async with self.media.taking() as upload:
            await upload.write(content)
            return await self.media.keep(upload, declared="", filename=None)

    async def failed(self, identifier: str) -> str:
        """Wait until a message has failed; gives the reason."""
        await self.session.becomes(identifier, "failed")
        found = await self.session.messaging.find(identifier)
        assert found is not None
        assert MediaError.code == found.error
        return found.problem or ""

    @property
    def files(self) -> list[str]:
        """What is in the folder."""
        return [path.name for path in (self.folder / "media").glob("*")]


@pytest.fixture
async def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Linked]:
    """A session that tries again at once, and a site."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    monkeypatch.setattr(rules, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(preparing, "NO_ROOM", 0.01)
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield Linked(site, tmp_path)
    finally:
        await runner.cleanup()
