"""A page that retries, reloads and receives without end: what the runner keeps of it does not grow.

Counted is what Playwright keeps, on both sides of its pipe, for each request, socket and frame: the figures are the same on
a slow machine. `docs/design/runner.md` has the memory that goes with it.
"""

import asyncio
import operator
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from session_protocol.hosts import AllowedHosts
from session_runner.host.processes import processes
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.driver import start_driver
from session_runner.page.launch import LaunchPlan, user_agent
from support.runner_process import Folders
from support.waiting import async_until

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")
REQUESTS, RELOADS, FRAMES = 1500, 250, 4000
RETRY = """async (count) => {
  const attempt = () => fetch(`http://not-allowed.localhost/${Math.random()}`, { mode: 'no-cors' }).catch(() => null);
  for (let at = 0; at < count; at += 50) await Promise.all(Array.from({ length: 50 }, attempt));
}"""
RECEIVE = """(url) => new Promise((done) => { const socket = new WebSocket(url); socket.onclose = () => done(); })"""


@dataclass
class OpenPage:
    """An open browser on a page of ours, and what it reported."""

    browser: BrowserPage
    port: int
    blocked: int = 0
    loads: int = 0
    counts: list[tuple[int, int, int]] = field(default_factory=list)

    def count(self) -> None:
        """Note Playwright's objects, and the open files of its driver and of this process."""
        objects = len(self.browser.context._impl_obj._connection._objects)
        driver = next(process.pid for process in processes() if process.parent == os.getpid())
        files = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (driver, os.getpid())]
        self.counts.append((objects, *files))  # type: ignore[arg-type]

    async def retry(self) -> None:
        """Ask a host that is not allowed again and again."""
        wanted = self.blocked + REQUESTS
        await self.browser.page.evaluate(RETRY, REQUESTS)
        await async_until("all to be refused", self._blocked, lambda seen: seen >= wanted, within=60)

    async def reload(self) -> None:
        """Let the page load itself anew again and again."""
        for _ in range(RELOADS):
            wanted = self.loads + 1
            reached = partial(operator.le, wanted)
            await self.browser.page.evaluate("() => { location.reload(); }")
            await async_until("the page", self._loads, reached, within=60, every=0.005)

    async def receive(self) -> None:
        """Let the page's socket receive frame after frame."""
        await self.browser.page.evaluate(RECEIVE, f"ws://page.localhost:{self.port}/socket")

    async def _blocked(self) -> int:
        return self.blocked

    async def _loads(self) -> int:
        return self.loads


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>page</title>", content_type="text/html")


async def _socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for _ in range(FRAMES):
        await socket.send_str("x" * 400)
    await socket.close()
    return socket


@pytest.fixture
async def opened(folders: Folders) -> AsyncIterator[OpenPage]:
    """The adapter's own browser on a page from loopback."""
    app = web.Application()
    app.add_routes([web.get("/", _page), web.get("/socket", _socket)])
    server = web.AppRunner(app)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    port = server.addresses[0][1]
    plan = LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts(("page.localhost",)),
        user_agent=user_agent("Chromium 156.0.1.1"),
    )

    def blocked() -> None:
        page.blocked += 1

    def loaded(_is_error: bool) -> None:  # noqa: FBT001 -- the adapter's callback
        page.loads += 1

    listeners = Listeners(
        woken=lambda *_: None,
        unfetched=lambda *_: None,
        navigating=lambda _: None,
        blocked=blocked,
        loaded=loaded,
    )
    browser = await open_browser(plan, await start_driver(), listeners)
    page = OpenPage(browser, port)
    try:
        await browser.navigate(f"http://page.localhost:{port}/", deadline=60)
        await asyncio.sleep(0.5)  # the first load's own events
        yield page
    finally:
        await browser.close(deadline=30)
        await server.cleanup()


@pytest.mark.parametrize("what", ["retry", "reload", "receive"])
async def test_what_a_restless_page_does_is_not_kept(opened: OpenPage, what: str) -> None:
    """The second half leaves as much behind as the first: a few hundred objects, and no open file."""
    opened.count()
    for _ in range(2):
        await getattr(opened, what)()
        opened.count()
    (_, driver, ours), (first, *_), (second, driver_after, ours_after) = opened.counts

    assert second <= first + 25
    assert second < 500
    assert driver_after <= driver + 2
    assert ours_after <= ours + 2
