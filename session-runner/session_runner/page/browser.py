"""The one page in the one browser: the only module that calls Playwright.

`session` opens and closes it, the monitor navigates and probes. Nothing here decides anything: this module translates
between Playwright and the runner's own types, and it never reloads the page.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, CDPSession, Page, Playwright, Request, WebSocket
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from session_protocol.hosts import AllowedHosts

from session_runner.page import scripts
from session_runner.page.driver import browser_environment, stop_driver
from session_runner.page.errors import (
    CallFailedError,
    LaunchError,
    NavigationError,
    PageError,
    PageGoneError,
    ProbeTimeoutError,
    first_line,
)
from session_runner.page.launch import (
    VIEWPORT_HEIGHT,
    VIEWPORT_WIDTH,
    LaunchPlan,
    shared_memory_size,
    unwanted_defaults,
)
from session_runner.page.launch_failure import launch_error
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import (
    SCRIPT,
    FetchFailure,
    by_error,
    by_status,
    error_code,
    no_answer,
    redirected,
)

logger = logging.getLogger(__name__)

PAGE_CLOSE_SECONDS = 0.5
LEAVE_SECONDS = 2.0
""" For a page to be left; one that hangs is closed with the browser. """
CALL_SECONDS = 30.0
""" For a script that a command calls and gives no deadline of its own; the command has one, too. """
SPARE_SECONDS = 5.0
""" A driver that has not kept the deadline it was given for so long does not answer. """
LONGEST_EVENT = 60
""" Characters of what the page says of an event. """
ERROR_PAGE = "chrome-error:"
""" The scheme of what the browser shows instead of a document that it could not fetch. """
_SAME_DOCUMENT = ("sameDocument", "historySameDocument")


@dataclass(kw_only=True)
class Listeners:
    """Callbacks for events of the browser; they are called in the event loop and must not block."""

    woken: Callable[[str, str | None], None]
    """ The page reported an event: its name, and the reason of a logout. """
    blocked: Callable[[], None]
    """ A request to a host that is not allowed failed. """
    unfetched: Callable[[FetchFailure, bool], None]
    """ A script of the page failed to load, or (the second) the page's document itself: without it it may never boot. """
    navigating: Callable[[bool], None]
    """ The next document of the page was asked for, by the page or by us, or that is over (False). Meanwhile no script
    gets an answer: the browser holds them back. """
    loaded: Callable[[bool], None]
    """ The page's own document was replaced; whether by the browser's error page. """


@dataclass(kw_only=True)
class BrowserPage:
    """An open browser with its page."""

    playwright: Playwright
    context: BrowserContext
    page: Page
    devtools: CDPSession
    """ For what is called often: the driver passes it on as it is. """
    died: asyncio.Future[str]
    """ Done with "page" or "browser" as soon as one of them is known to be dead. """
    closing: bool = False
    host: str = ""
    """ The page's, as it was asked for. """
    document_failure: FetchFailure | None = None
    """ What the browser's events told of the present navigation, which is more than the navigation's own error. """
    probe_script: str = field(default_factory=lambda: scripts.script("probe.js"), repr=False)

    async def navigate(self, url: str, *, deadline: float, without_cache: bool = False) -> None:
        """Fetch the document; `without_cache`: nothing that was stored before counts.

        :raises NavigationError: the document was not fetched.
        :raises PageGoneError: the page is dead.
        """
        host = self.host = urlsplit(url).hostname or ""
        self.document_failure = None
        try:
            async with asyncio.timeout(deadline + SPARE_SECONDS):
                if without_cache:
                    await self._clear_cache()
                response = await self.page.goto(url, wait_until="commit", timeout=deadline * 1000)
        except (PlaywrightTimeoutError, TimeoutError) as error:
            raise NavigationError(no_answer(host, seconds=deadline)) from error
        except PlaywrightError as error:
            if _is_gone(error):
                raise PageGoneError(first_line(error)) from error
            code = "ERR_ABORTED" if "Download is starting" in str(error) else error_code(str(error))
            raise NavigationError(self.document_failure or by_error(code, host=host)) from error
        if response is not None and not response.ok:
            raise NavigationError(by_status(response.status, host=urlsplit(response.url).hostname or host))

    async def _clear_cache(self) -> None:
        session = await self.context.new_cdp_session(self.page)
        await session.send("Network.clearBrowserCache")
        await session.detach()

    async def probe(self, *, deadline: float) -> Facts:
        """Probe the page once. If a navigation interrupts the probe, return the facts of a page that has not booted.

        :raises ProbeTimeoutError: the page did not answer in time.
        :raises PageGoneError: the page is dead.
        """
        try:
            async with asyncio.timeout(deadline):
                return Facts.parse(await self.page.evaluate(self.probe_script))
        except TimeoutError as error:
            raise ProbeTimeoutError(f"The page did not answer within {deadline:g} s.") from error
        except PlaywrightError as error:
            if _is_gone(error):
                raise PageGoneError(first_line(error)) from error
            logger.debug("A probe was interrupted", extra={"error": first_line(error)})
            return Facts()

    async def ask(self, name: str, argument: Any = None, *, deadline: float) -> str | None:
        """Run one of our scripts and return the text that it answers; None if it fails or takes too long."""
        try:
            answer = await self.call(name, argument, deadline=deadline)
        except PageError as error:
            logger.warning("The page did not carry out a script", extra={"order": name, "error": first_line(error)})
            return None
        return answer if isinstance(answer, str) and answer else None

    async def call(self, script: str, argument: Any = None, *, deadline: float = CALL_SECONDS) -> Any:
        """Run one of our scripts with an argument and return its answer, both as JSON has them.

        :raises CallFailedError: the script threw, took too long, or the page navigated meanwhile.
        :raises PageGoneError: the page, the browser or the driver is dead.
        """
        try:
            async with asyncio.timeout(deadline):
                return await self._evaluate(f"({scripts.script(script)})({json.dumps(argument)})")
        except TimeoutError as error:
            raise CallFailedError(f"The page did not answer within {deadline:g} s.") from error
        except PlaywrightError as error:
            raise _page_error(error) from error

    async def _evaluate(self, expression: str) -> Any:
        """Evaluate what gives JSON. The driver's own `evaluate` is several times as much work, on both sides of it."""
        given = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = await self._send("Runtime.evaluate", given)
        if "exceptionDetails" in answer:
            raise CallFailedError(_thrown(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def _send(self, method: str, given: dict[str, Any]) -> Any:
        """Send to DevTools, which gives no answer any more for a page that has died."""
        asked = asyncio.ensure_future(self.devtools.send(method, given))
        either: set[asyncio.Future[Any]] = {asked, self.died}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise PageGoneError(f"The {self.died.result()} died.")
        finally:
            asked.cancel()
        return asked.result()

    async def attach(self, file: Path, *, deadline: float = CALL_SECONDS) -> None:
        """Put a file into the page's input that is never shown. The browser reads it from the disk, and nobody holds it.

        :raises CallFailedError: the page has no such input, or navigated meanwhile.
        :raises PageGoneError: the page, the browser or the driver is dead.
        """
        try:
            async with asyncio.timeout(deadline):
                found = await self._send("Runtime.evaluate", {"expression": "window.__session.input"})
                handle = {"objectId": found["result"]["objectId"]}
                await self._send("DOM.setFileInputFiles", {"files": [str(file)], **handle})
                await self._send("Runtime.releaseObject", handle)
        except (TimeoutError, KeyError) as error:
            raise CallFailedError("The page did not take a file.") from error
        except PlaywrightError as error:
            raise _page_error(error) from error

    async def collect_garbage(self, *, deadline: float = CALL_SECONDS) -> None:
        """Have V8 collect all the garbage of the page.

        :raises CallFailedError: it was not done in time.
        :raises PageGoneError: the page, the browser or the driver is dead.
        """
        try:
            async with asyncio.timeout(deadline):
                session = await self.context.new_cdp_session(self.page)
                await session.send("HeapProfiler.collectGarbage")
                await session.detach()
        except TimeoutError as error:
            raise CallFailedError(f"The page did not answer within {deadline:g} s.") from error
        except PlaywrightError as error:
            raise _page_error(error) from error

    async def paint(self, *, deadline: float) -> bytes:
        """Return a picture of the page, as PNG.

        :raises CallFailedError: it was not painted in time.
        :raises PageGoneError: the page, the browser or the driver is dead.
        """
        try:
            async with asyncio.timeout(deadline + SPARE_SECONDS):
                return await self.page.screenshot(timeout=deadline * 1000)
        except TimeoutError as error:
            raise CallFailedError(f"The page was not painted within {deadline:g} s.") from error
        except PlaywrightError as error:
            raise _page_error(error) from error

    async def close(self, *, deadline: float) -> bool:
        """Close the browser, which writes its data; return whether it ended in time. If not, the caller kills it."""
        self.closing = True
        clean = True
        # First the page, as a person's browser does: it gives up what it holds against a second tab, and the next runner's
        # page need not wait for a word of it. Closed with the browser it does not come to that.
        with contextlib.suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(min(LEAVE_SECONDS, deadline / 4)):
                await self.page.close()
        try:
            async with asyncio.timeout(deadline):
                await self.context.close()
        except (TimeoutError, PlaywrightError) as error:
            logger.warning("The browser did not close cleanly", extra={"error": first_line(error)})
            clean = False
        await stop_driver(self.playwright)
        return clean and not self.died.done()


async def open_browser(plan: LaunchPlan, playwright: Playwright, listeners: Listeners) -> BrowserPage:
    """Start the browser on the profile, with listeners and scripts installed before the first document.

    :raises LaunchError: the browser did not start.
    """
    try:
        context = await playwright.chromium.launch_persistent_context(
            plan.user_data,
            executable_path=plan.executable,
            args=plan.arguments,
            ignore_default_args=unwanted_defaults(shared_memory=shared_memory_size()),
            env={**browser_environment(), **({} if plan.time_zone is None else {"TZ": plan.time_zone})},
            locale=plan.language,
            viewport={"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT},
            accept_downloads=False,
            service_workers="block",  # no cache of theirs on the volume, no request past the page
            handle_sigint=False,  # the signals are the runner's; it closes the browser itself
            handle_sigterm=False,
            handle_sighup=False,
            chromium_sandbox=plan.sandbox,
            timeout=0,  # the caller has the deadline
        )
    except PlaywrightError as error:
        raise launch_error(str(error), sandbox=plan.sandbox) from error
    page = context.pages[0]
    try:
        browser = BrowserPage(
            playwright=playwright,
            context=context,
            page=page,
            devtools=await context.new_cdp_session(page),
            died=asyncio.get_running_loop().create_future(),
        )
        _listen(browser)
        _listen_to_requests(browser, listeners, plan.allowed_hosts)
        await _listen_to_navigation(context, page, listeners)
        await context.expose_binding(scripts.BINDING, partial(_wake, page, listeners))
        await context.add_init_script(scripts.init_script())
    except PlaywrightError as error:  # it died in its first moments, of too little memory say
        raise LaunchError(f"The browser ended while it was prepared: {first_line(error)}") from error
    return browser


def _listen(browser: BrowserPage) -> None:
    def dead(who: str) -> None:
        if not browser.closing and not browser.died.done():
            browser.died.set_result(who)

    def closed(_page: Page) -> None:
        # A dying browser closes its page first: wait whether the browser's own event follows.
        asyncio.get_running_loop().call_later(PAGE_CLOSE_SECONDS, dead, "page")

    async def close_second(page: Page) -> None:
        # A second page of the same profile would take the session over from the first.
        logger.warning("The page opened a second window, which was closed")
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(CALL_SECONDS):
                await page.close()

    browser.page.on("crash", lambda _page: dead("page"))
    browser.page.on("close", closed)
    browser.context.on("close", lambda _context: dead("browser"))
    browser.context.on("page", close_second)


def _listen_to_requests(browser: BrowserPage, listeners: Listeners, allowed: AllowedHosts) -> None:
    def count(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and not allowed.allows(parts.hostname or ""):
            logger.info("A request to a host that is not allowed was refused", extra={"host": parts.hostname})
            listeners.blocked()

    def failed(request: Request) -> None:
        failure = _failure_of(request, browser=browser, allowed=allowed)
        if failure is not None:
            if request.resource_type == "document":
                browser.document_failure = failure
            listeners.unfetched(failure, request.resource_type == "document")
        count(request.url)

    def opened(socket: WebSocket) -> None:
        count(socket.url)

    browser.context.on("requestfailed", failed)
    browser.page.on("websocket", opened)


async def _listen_to_navigation(context: BrowserContext, page: Page, listeners: Listeners) -> None:
    # Playwright has no event for a navigation's begin but one for each request, of which a page makes many, and its event
    # for a new document also comes when the page only changes its address.
    session = await context.new_cdp_session(page)
    await session.send("Page.enable")
    main = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]

    def began(event: dict[str, Any]) -> None:
        if event["frameId"] == main and event.get("navigationType") not in _SAME_DOCUMENT:
            listeners.navigating(True)

    def stopped(event: dict[str, Any]) -> None:
        if event["frameId"] == main:
            listeners.navigating(False)

    def arrived(event: dict[str, Any]) -> None:
        if event["frame"]["id"] == main:
            listeners.navigating(False)
            listeners.loaded(event["frame"]["url"].startswith(ERROR_PAGE))

    session.on("Page.frameStartedNavigating", began)
    session.on("Page.frameStoppedLoading", stopped)
    session.on("Page.frameNavigated", arrived)


def _wake(page: Page, listeners: Listeners, source: Mapping[str, Any], *given: Any) -> None:
    """Pass an event of the page on; its frames, and a second window until it is closed, have none to tell."""
    if source["frame"] == page.main_frame:
        listeners.woken(*event(given))


def event(given: tuple[Any, ...]) -> tuple[str, str | None]:
    """Return an event's name and its detail: whatever runs in the page may call the binding with anything."""
    name, detail = (*given, None, None)[:2]
    return str(name)[:LONGEST_EVENT], detail[:LONGEST_EVENT] if isinstance(detail, str) else None


def _failure_of(request: Request, *, browser: BrowserPage, allowed: AllowedHosts) -> FetchFailure | None:
    """Return what a failed request means for the page; None: nothing."""
    host, code = urlsplit(request.url).hostname or "", error_code(request.failure or "")
    if code == "ERR_ABORTED":  # by another navigation
        return None
    if request.resource_type == "script":
        return by_error(code, host=host, what=SCRIPT) if allowed.allows(host) else None
    if request.resource_type != "document" or request.frame != browser.page.main_frame:
        return None
    if allowed.allows(host):
        return by_error(code, host=host)
    return redirected(browser.host, to=host)


def _page_error(error: PlaywrightError) -> PageError:
    return (PageGoneError if _is_gone(error) else CallFailedError)(first_line(error))


def _thrown(details: Any) -> str:
    """Return what a script threw, in a line."""
    thrown = details.get("exception", {})
    text = str(thrown.get("description") or thrown.get("value") or details.get("text") or "The script failed")
    return text.splitlines()[0][:300]


def _is_gone(error: Exception) -> bool:
    # By the message: the class for it, TargetClosedError, is in a private module of Playwright for Python. The message
    # is the driver's, whose version is pinned.
    text = str(error)
    return any(
        sign in text
        for sign in ("Target crashed", "has been closed", "Target closed", "Connection closed", "Page crashed")
    )
