"""A page by another hand than the stand-in, in a real browser with the runner's own scripts and the real wa-js.

`second_page.js` is the page; with `second_page_chats.js` it has chats, too.
"""

import html
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, Route, async_playwright
from runner.conftest import BROWSER
from session_runner.page import scripts
from session_runner.states.facts import Facts
from support.waiting import async_until

URL = "https://web.whatsapp.com/"
SOURCE = (Path(__file__).parent / "second_page.js").read_text()
CHATS = (Path(__file__).parent / "second_page_chats.js").read_text()


@dataclass
class Second:
    """The page and what it told the runner."""

    page: Page
    woken: list[tuple[str, str | None]] = field(default_factory=list)

    async def control(self, name: str, *given: object) -> None:
        """Let the page be or do something."""
        await self.page.evaluate("([name, given]) => window.control[name](...given)", [name, given])

    async def ask(self, script: str, argument: object = None) -> Any:
        """Run one of the runner's scripts."""
        return await self.page.evaluate(scripts.script(script), argument)

    async def facts(self, **expected: object) -> Facts:
        """Probe until the facts have these values."""

        async def probe() -> Facts:
            return Facts.parse(await self.page.evaluate(scripts.script("probe.js")))

        def fits(facts: Facts) -> bool:
            return all(getattr(facts, name) == value for name, value in expected.items())

        return await async_until(f"facts with {expected}", probe, fits, within=20)


Open = Callable[..., Awaitable[Second]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=BROWSER)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(browser: Browser) -> AsyncIterator[Open]:
    """Open the page in a fresh profile, with the runner's scripts."""
    context = await browser.new_context()
    await context.add_init_script(scripts.init_script())

    async def opened(
        generation: str = "modern", *, early: Any = None, query: str = "", chats: bool = False, **more: object
    ) -> Second:
        given = {"generation": generation, "early": early, "late": [], "mode": "QR"} | more
        config = html.escape(json.dumps(given))
        source = f"{CHATS}{SOURCE}" if chats else SOURCE
        body = f'<!doctype html><div id="app" data-config="{config}"></div><script nonce="n">{source}</script>'

        async def serve(route: Route) -> None:
            policy = {"Content-Security-Policy": "script-src 'nonce-n'"}
            await route.fulfill(body=body, content_type="text/html", headers=policy)

        await context.route(f"{URL}**", serve)
        second = Second(await context.new_page())
        await second.page.expose_binding(scripts.BINDING, lambda _source, *given: second.woken.append(given))
        await second.page.goto(URL + query)
        await second.facts(injected=True)
        return second

    yield opened
    await context.close()
