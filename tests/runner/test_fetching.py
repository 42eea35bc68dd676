"""The page that cannot be fetched, in a real browser: each cause by its name and host, and back when it is over."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from runner.conftest import Start
from runner.faulty_servers import APP, HOST, SCRIPTS, Server, answer, certified, serving, write_authority
from session_protocol.hosts import AllowedHosts
from session_protocol.redaction import redact
from session_protocol.vocabulary import StateReason as Reason
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.driver import start_driver
from session_runner.page.errors import NavigationError
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.profile.certificates import trust
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import FetchFailure
from session_runner.states.fetching import Fetching, looked, new_document, noticed, why_again
from standin.harness import StandIn
from standin.settings import Variant
from support.runner_process import Folders, link
from support.waiting import async_until

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")
HOSTS = (HOST, SCRIPTS, "portal.localhost", "no-such-name.invalid")


@dataclass
class Tab:
    """An open browser, and what is known of the document in it as the monitor would know it."""

    browser: BrowserPage
    authority: trustme.CA
    blocked: int = 0
    fetching: Fetching = field(default_factory=Fetching)
    navigations: list[bool] = field(default_factory=list)

    async def fetch(self, url: str, *, deadline: float = 20) -> FetchFailure | None:
        """Fetch once; return the failure of it, or why it has to be fetched again when time has passed."""
        self.fetching = new_document(Fetching(), now=0)
        try:
            await self.browser.navigate(url, deadline=deadline, without_cache=False)
        except NavigationError as error:
            await asyncio.sleep(0.3)  # until the browser's error page is there, which would interrupt the next one
            return error.failure
        return await self.failure()

    async def failure(self) -> FetchFailure | None:
        """Why it has to be fetched again when time has passed; the last events of it may still be on their way."""
        for _ in range(20):
            document = (await self.facts()).document
            if self.fetching.is_cut or (document is not None and not document.is_pending):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        facts = await self.facts()
        fetching = looked(self.fetching, facts, now=0)
        return why_again(fetching, facts, host=HOST, startup=60, now=200)

    async def is_navigating(self) -> bool:
        """By the last event."""
        return self.navigations[-1:] == [True]

    async def facts(self) -> Facts:
        """One probe."""
        return await self.browser.probe(deadline=20)


@pytest.fixture
async def tab(folders: Folders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Tab]:
    """The runner's browser, which trusts one authority."""
    monkeypatch.setenv("HOME", str(folders.home))
    authority = trustme.CA()
    await trust(write_authority(authority, tmp_path), home=folders.home, deadline=60)
    plan = LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts(HOSTS),
        user_agent=user_agent("Chromium 156.0.1.1"),
    )
    found: list[Tab] = []

    def unfetched(failure: FetchFailure, of_document: bool) -> None:  # noqa: FBT001 -- as it is called
        found[0].fetching = noticed(found[0].fetching, failure, of_document=of_document)

    def blocked() -> None:
        found[0].blocked += 1

    def loaded(is_error: bool) -> None:  # noqa: FBT001 -- the same
        found[0].fetching = new_document(found[0].fetching, now=0, is_error=is_error)

    listeners = Listeners(
        woken=lambda _name, _detail: None,
        unfetched=unfetched,
        blocked=blocked,
        navigating=lambda is_pending: found[0].navigations.append(is_pending) if found else None,
        loaded=lambda is_error: loaded(is_error) if found else None,
    )
    browser = await open_browser(plan, await start_driver(), listeners)
    found.append(Tab(browser, authority))
    try:
        yield found[0]
    finally:
        await browser.close(deadline=30)


def is_named(failure: FetchFailure | None, reason: Reason, *parts: str) -> None:
    """It has this reason and names all of that, and nothing of it is redacted."""
    assert failure is not None
    assert reason is failure.reason, failure
    assert failure.message == redact(failure.message)
    assert [] == [part for part in parts if part not in failure.message], failure


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_host_that_cannot_be_reached_is_named(tab: Tab) -> None:
    """No name, nobody there, nobody who answers: three causes."""
    is_named(
        await tab.fetch("https://no-such-name.invalid/"), Reason.NAME_NOT_RESOLVED, "no-such-name.invalid", "no address"
    )
    with free_port() as port:
        is_named(await tab.fetch(f"http://{HOST}:{port}/"), Reason.CONNECTION_REFUSED, HOST, "refuses the connection")
    async with serving(Server(b"", hangs=True)) as server:
        is_named(await tab.fetch(server.url, deadline=2), Reason.FETCH_TIMED_OUT, HOST, "does not answer within 2 s")
    async with serving(Server(b"", resets=True)) as server:
        is_named(await tab.fetch(server.url), Reason.CONNECTION_RESET, HOST, "broken off")


async def test_a_certificate_that_is_wrong_is_named(tab: Tab) -> None:
    """Another name, out of date, another authority, no TLS at all: each is told from the others."""
    stranger = trustme.CA()
    page = Server(answer(APP))
    for context, reason, part in (
        (certified(tab.authority, "other.localhost"), Reason.CERTIFICATE_NOT_TRUSTED, "for another name"),
        (certified(tab.authority, HOST, expired=True), Reason.CERTIFICATE_NOT_TRUSTED, "has expired"),
        (certified(stranger, HOST), Reason.CERTIFICATE_NOT_TRUSTED, "EXTRA_CA_FILE"),
    ):
        async with serving(page, tls=context):
            is_named(await tab.fetch(f"https://{HOST}:{page.port}/"), reason, HOST, part)
    async with serving(Server(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        server.waits = False
        is_named(await tab.fetch(f"https://{HOST}:{server.port}/"), Reason.TLS_FAILED, HOST, "speaks no TLS")


ANSWERS = [
    ("503 Service Unavailable", "", Reason.HTTP_ERROR, "HTTP 503"),
    ("500 Internal Server Error", "", Reason.HTTP_ERROR, "HTTP 500"),
    ("404 Not Found", "", Reason.HTTP_ERROR, "HTTP 404"),
    ("401 Unauthorized", "WWW-Authenticate: Basic realm=x", Reason.HTTP_ERROR, "HTTP 401"),
    ("407 Login", "Proxy-Authenticate: Basic realm=x", Reason.PROXY_REFUSED, "asks for a login (HTTP 407)"),
    ("511 Network Authentication Required", "", Reason.PROXY_REFUSED, "asks for a login (HTTP 511)"),
    ("302 Found", "Location: http://portal.example/login", Reason.REDIRECTED, "redirects to portal.example"),
    ("302 Found", "Location: http://192.168.1.1/", Reason.REDIRECTED, "redirects to 192.168.1.1"),
    ("302 Found", "Location: /", Reason.REDIRECTED, "in a circle"),
    ("302 Found", "Location: portal:login", Reason.INVALID_RESPONSE, "no page"),
    ("204 No Content", "", Reason.INVALID_RESPONSE, "no page"),
    ("200 OK", "Content-Disposition: attachment", Reason.INVALID_RESPONSE, "no page"),
]


async def test_an_answer_that_is_not_the_page_is_named(tab: Tab) -> None:
    """By its status, or by where it leads; with a text and without."""
    for status, header, reason, part in ANSWERS:
        for body in ("", "<p>no</p>"):
            headers = (header,) if header else ()
            async with serving(Server(answer(body, *headers, status=status))) as server:
                is_named(await tab.fetch(server.url), reason, HOST, part)


async def test_an_answer_that_is_none_is_named(tab: Tab) -> None:
    """Also where the browser counts the document as fetched."""
    for server, reason, part in (
        (Server(b""), Reason.INVALID_RESPONSE, "without an answer"),
        (Server(b"\x00\x01 nonsense\r\n\r\n"), Reason.INVALID_RESPONSE, "cannot be read"),
        (Server(answer(APP, length=1000)), Reason.INVALID_RESPONSE, "broke off"),
        (Server(answer(APP, length=1000), hangs=True), Reason.FETCH_TIMED_OUT, "does not end"),
        (Server(answer("<p>Welcome to our network")), Reason.NOT_THE_PAGE, "not WhatsApp Web"),
        (Server(answer("{}", kind="application/json")), Reason.NOT_THE_PAGE, "not WhatsApp Web"),
        (Server(answer("")), Reason.NOT_THE_PAGE, "not WhatsApp Web"),
    ):
        async with serving(server):
            is_named(await tab.fetch(server.url), reason, HOST, part)


async def test_a_portal_that_moves_on_by_script_is_named(tab: Tab) -> None:
    """The document itself came with 200 and sends the browser away, to an allowed host or to another one."""
    async with serving(Server(answer("<script>location = 'http://portal.example/'</script>"))) as server:
        is_named(await tab.fetch(server.url), Reason.REDIRECTED, HOST, "portal.example")
        assert tab.blocked == 1
    async with serving(Server(answer("<p>Welcome"))) as portal:
        away = answer("", f"Location: http://portal.localhost:{portal.port}/", status="302 Found")
        async with serving(Server(away)) as server:
            is_named(await tab.fetch(server.url), Reason.NOT_THE_PAGE, "portal.localhost")


CORS = "Access-Control-Allow-Origin: *"
SCRIPT_FAULTS = [
    (Server(b"", resets=True), "", Reason.CONNECTION_RESET, "broken off"),
    (Server(answer("no", status="503 X")), "", Reason.INVALID_RESPONSE, "no script"),
    (Server(answer("no", CORS, status="503 X")), "crossorigin", Reason.HTTP_ERROR, "HTTP 503"),
    (Server(answer("<p>Welcome", CORS)), "crossorigin", Reason.INVALID_RESPONSE, "no script"),
    (Server(answer("var a", kind="text/javascript", length=999)), "", Reason.INVALID_RESPONSE, "broke off"),
    (Server(answer("var a", kind="text/javascript", length=999), hangs=True), "", Reason.FETCH_TIMED_OUT, "not end"),
]


@pytest.mark.parametrize("late", [False, True], ids=["in the document", "added by a script"])
async def test_a_script_that_cannot_be_fetched_is_named(tab: Tab, *, late: bool) -> None:
    """Although the document could: its host is another one."""
    for server, cors, reason, part in SCRIPT_FAULTS:
        async with serving(server):
            element = f'<script src="http://{SCRIPTS}:{server.port}/x.js" {cors}></script>'
            if late:
                add = f"document.body.append(document.createRange().createContextualFragment(`{element}`))"
                element = f"<script>onload = () => {add.replace('</', '<`+`/')}</script>"
            async with serving(Server(answer(APP + element))) as page:
                is_named(await tab.fetch(page.url), reason, SCRIPTS, part, "A script of the page")


async def test_a_script_that_is_not_allowed_is_no_fault_of_the_network(tab: Tab) -> None:
    """It is refused by ourselves; the page has to do without, and nothing is fetched again for it."""
    async with serving(Server(answer(APP + "<script src='http://foreign.example/x.js'></script>"))) as page:
        await tab.browser.navigate(page.url, deadline=20, without_cache=False)
        await asyncio.sleep(1)
        facts = await tab.facts()

    assert tab.blocked == 1
    assert tab.fetching.seen is None
    assert facts.document is not None
    assert not facts.document.is_pending


async def test_a_document_in_the_cache_is_not_taken_for_the_page(tab: Tab) -> None:
    """A portal whose answer may be kept for a year: without the cache the page itself is fetched."""
    portal = Server(answer("<p>Welcome", "Cache-Control: max-age=31536000"))
    async with serving(portal):
        await tab.fetch(portal.url)
    page = Server(answer(APP))
    async with serving(page, port=portal.port):
        await tab.browser.navigate(page.url, deadline=20, without_cache=True)
        facts = await tab.facts()

    assert page.requests == 1
    assert facts.document is not None
    assert facts.document.is_app


async def test_navigations_of_the_page_are_reported(tab: Tab) -> None:
    """Begin and end, of a reload that is answered and of one that is not; other moves within the page are none."""
    async with serving(Server(answer(APP))) as page:
        await tab.browser.navigate(page.url, deadline=20, without_cache=False)
        await tab.facts()
        assert tab.navigations[0] is True
        await async_until("its end", tab.is_navigating, lambda seen: not seen, within=20)
        tab.navigations.clear()
        await tab.browser.page.evaluate("history.pushState({}, '', '#here')")
        await tab.facts()
        assert True not in tab.navigations
        page.text, page.hangs = b"", True
        await tab.browser.page.evaluate("void setTimeout(() => location.reload(), 50)")
        await async_until("a navigation", tab.is_navigating, within=20)
    await async_until("its end with the server", tab.is_navigating, lambda seen: not seen, within=20)


async def test_all_of_an_outage(start: Start, standin: StandIn) -> None:
    """The host answers 503, then refuses, then is there: one runner, no end, its page at last."""
    await standin.phone.set_variant(Variant.UNAVAILABLE)
    async with start(STARTUP_TIMEOUT="5s") as runner:
        document = await runner.wait_for_state("LoadError", reason="HTTPError")
        assert "web.standin.localhost answers with HTTP 503" in document["message"]
        await asyncio.sleep(8)  # longer than the startup timeout
        assert runner.process.returncode is None
        assert (await runner.state())["state"] == "LoadError"
        await standin.phone.set_variant(Variant.NORMAL)
        await link(runner, standin)
        failures = 'whatsapp_runner_page_fetch_failures_total{reason="HTTPError"}'
        assert await runner.metric(failures) >= 2

    assert ["Loading", "LoadError"] == [state for state, _ in runner.seen if state in ("Loading", "LoadError")]


async def test_a_linked_page_that_reloads_into_an_outage_comes_back(start: Start, standin: StandIn) -> None:
    """Connected, a reload by the page itself into a 503, and Connected again without a code."""
    async with start() as runner:
        device = await link(runner, standin)
        await standin.phone.set_variant(Variant.UNAVAILABLE)
        await standin.phone.needs_update(device, reload=True)
        document = await runner.wait_for_state("LoadError", reason="HTTPError")
        assert document["linked"] is True
        await standin.phone.set_variant(Variant.NORMAL)
        await runner.wait_for_state("Connected")

        assert "LoggedOut" not in [state for state, _ in runner.seen]
        assert "QRPending" not in [state for state, _ in runner.seen[-4:]]
