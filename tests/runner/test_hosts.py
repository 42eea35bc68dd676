"""The allowed hosts in a real Chromium: nothing else is reached, by name or by address, in whatever way a page tries.

All of it with the session's own way out and behind a proxy of each type, where the relay holds the page in.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from host_cases import ALLOWED, HOSTS
from playwright.async_api import Page, async_playwright
from runner.outside_servers import (
    ATTEMPTS,
    CANDIDATES,
    FETCH,
    LOOK_AHEAD,
    PAGE_HOST,
    SERVICE_WORKERS,
    UNCOUNTED,
    OutsideServers,
    outside_servers,
)
from session_protocol.hosts import AllowedHosts
from session_protocol.vocabulary import ProxyType
from session_runner.page.browser import Listeners, open_browser
from session_runner.page.driver import start_driver
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.proxy.relay import relaying
from session_runner.states.proxy_failures import Proxy
from support.proxies import small_proxy
from support.runner_process import Folders
from support.waiting import async_until

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")
FENCE = ("--host-resolver-rules=", "--no-proxy-server", "--force-webrtc-ip-handling-policy=")
""" The flags that hold the page in. """
LINGER = 0.5
""" Seconds in which what is still on its way arrives; loopback takes a thousandth of it. """

Way = Callable[[str], contextlib.AbstractAsyncContextManager[int | None]]


@pytest.fixture(params=[None, *ProxyType], ids=lambda kind: kind or "direct")
def way(request: pytest.FixtureRequest) -> Way:
    """How the browser gets out, for a list of allowed hosts: by itself, or by a relay to a proxy of this type; its port."""

    @contextlib.asynccontextmanager
    async def opened(allowed: str) -> AsyncIterator[int | None]:
        if request.param is None:
            yield None
            return
        hosts = AllowedHosts.parse(allowed)
        async with small_proxy(request.param) as proxy:
            place = Proxy(proxy.type, "127.0.0.1", proxy.port)
            async with relaying(place, login_folder=None, allowed=hosts) as relay:
                assert relay is not None
                yield relay.port

    return opened


def plan(folders: Folders, allowed: str, relay_port: int | None = None) -> LaunchPlan:
    """What the runner would start."""
    return LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts.parse(allowed),
        user_agent=user_agent("156.0.1.1"),
        relay_port=relay_port,
    )


@contextlib.asynccontextmanager
async def browsing(folders: Folders, servers: OutsideServers, arguments: list[str]) -> AsyncIterator[Page]:
    """A page of the allowed host in a browser with these flags and no other limit, service workers included."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folders.profile, executable_path=PROGRAM, args=arguments, service_workers="allow"
        )
        try:
            await context.pages[0].goto(servers.http(PAGE_HOST, "start"))
            yield context.pages[0]
        finally:
            await context.close()


async def try_all(page: Page, servers: OutsideServers) -> None:
    """Try every way out, one after the other."""
    for attempt in ATTEMPTS:
        async with asyncio.timeout(30):
            await page.evaluate(attempt.script, attempt.address(servers, attempt.name))


async def test_a_page_reaches_no_other_host_in_any_way(folders: Folders, way: Way) -> None:
    """Names and addresses; requests, redirects, WebSockets, frames, workers of all kinds, WebRTC, WebTransport."""
    async with outside_servers() as servers, way(PAGE_HOST) as relay_port:
        async with browsing(folders, servers, plan(folders, PAGE_HOST, relay_port).arguments) as page:
            await try_all(page, servers)
            await asyncio.sleep(LINGER)

        assert servers.seen == {"start"}


async def test_behind_a_proxy_the_browsers_own_rule_holds_nothing(folders: Folders) -> None:
    """The control of the relay: without it the proxy resolves the names, and whatever goes by TCP arrives."""
    async with outside_servers() as servers, small_proxy(ProxyType.SOCKS5) as proxy:
        flags = [flag for flag in plan(folders, PAGE_HOST).arguments if flag != "--no-proxy-server"]
        flags += [f"--proxy-server=socks5://127.0.0.1:{proxy.port}", "--proxy-bypass-list=<-loopback>"]
        flags = [flag.replace("EXCLUDE ", "EXCLUDE 127.0.0.1, EXCLUDE ", 1) for flag in flags]
        async with browsing(folders, servers, flags) as page:
            await try_all(page, servers)

            assert {"fetch-v4", "fetch-v6", "fetch-name", "redirect-name", "websocket-name", "frame"} < servers.seen


async def test_every_one_of_these_ways_leads_out_where_nothing_holds_it(folders: Folders) -> None:
    """The control: without the flags each attempt arrives, so the test above could see it."""
    arguments = [flag for flag in plan(folders, PAGE_HOST).arguments if not flag.startswith(FENCE)]

    async with outside_servers() as servers, browsing(folders, servers, arguments) as page:
        await try_all(page, servers)
        names = {attempt.name for attempt in ATTEMPTS}

        await async_until(
            "each attempt arrives",
            lambda: asyncio.sleep(0, names - servers.seen),
            lambda missing: not missing,
            within=20,
        )


async def test_the_browser_judges_hosts_as_the_settings_do(folders: Folders, way: Way) -> None:
    """The table that operator and runner are held to holds in the browser's resolver, and in the relay."""
    async with outside_servers() as servers, way(ALLOWED) as relay_port:
        async with browsing(folders, servers, plan(folders, ALLOWED, relay_port).arguments) as page:
            for number, case in enumerate(HOSTS):
                await page.evaluate(FETCH, servers.http(case.host, f"host-{number}"))

        reached = [f"host-{number}" in servers.seen for number in range(len(HOSTS))]

    assert [case.expected for case in HOSTS] == reached


async def test_webrtc_leaks_no_address(folders: Folders, way: Way) -> None:
    """Neither the pod's own nor one that a server saw: where the browser is stays its proxy's secret."""
    async with (
        outside_servers() as servers,
        way(PAGE_HOST) as relay_port,
        browsing(folders, servers, plan(folders, PAGE_HOST, relay_port).arguments) as page,
    ):
        assert [] == await page.evaluate(CANDIDATES, f"stun:127.0.0.1:{servers.ports['stun-udp-v4']}")


async def test_behind_a_proxy_the_browser_resolves_no_name(folders: Folders) -> None:
    """Not the page's, and none that it is to look up ahead of a request: by its own log."""
    log = folders.root / "net-log.json"
    async with (
        outside_servers() as servers,
        small_proxy(ProxyType.HTTP) as proxy,
        relaying(
            Proxy(proxy.type, "127.0.0.1", proxy.port), login_folder=None, allowed=AllowedHosts((PAGE_HOST,))
        ) as relay,
    ):
        assert relay is not None
        flags = [*plan(folders, PAGE_HOST, relay.port).arguments, f"--log-net-log={log}"]
        async with browsing(folders, servers, flags) as page:
            await page.evaluate(LOOK_AHEAD, "leak.invalid")
            await page.evaluate(FETCH, servers.http(PAGE_HOST, "second"))
            await asyncio.sleep(LINGER)

    # One event a line; the browser may end before it has written the last ones.
    first, _, *lines = [line.removesuffix(",") for line in log.read_text().splitlines()]
    job = json.loads(first + "}")["constants"]["logEventTypes"]["HOST_RESOLVER_MANAGER_JOB"]
    types = [json.loads(line)["type"] for line in lines if line.startswith("{") and line.endswith("}")]
    assert {"start", "second"} <= servers.seen
    assert len(types) > 100
    assert job not in types


async def test_what_is_refused_is_counted(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt is one refusal for the metric, apart from those that the browser tells nobody of."""
    monkeypatch.setenv("HOME", str(folders.home))
    refused: list[None] = []
    listeners = Listeners(
        woken=lambda _name, _detail: None,
        unfetched=lambda _failure, _of_document: None,
        blocked=lambda: refused.append(None),
        navigating=lambda _is_pending: None,
        loaded=lambda _is_error: None,
    )
    tried = [attempt for attempt in ATTEMPTS if attempt.name not in SERVICE_WORKERS]
    async with outside_servers() as servers:
        browser = await open_browser(plan(folders, PAGE_HOST), await start_driver(), listeners)
        try:
            await browser.navigate(servers.http(PAGE_HOST, "start"), deadline=60, without_cache=False)
            counts: dict[str, int] = {}
            for attempt in tried:
                before = len(refused)
                await browser.page.evaluate(attempt.script, attempt.address(servers, attempt.name))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER if attempt.name in UNCOUNTED else 20):
                        while len(refused) == before:  # noqa: ASYNC110 -- the browser tells when it likes
                            await asyncio.sleep(0.02)
                counts[attempt.name] = len(refused) - before
        finally:
            assert await browser.close(deadline=30)

    assert counts == {attempt.name: int(attempt.name not in UNCOUNTED) for attempt in tried}
    assert servers.seen == {"start"}


async def test_a_page_gets_no_service_worker(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the runner's own browser registering one leads to none."""
    monkeypatch.setenv("HOME", str(folders.home))
    listeners = Listeners(
        woken=lambda _name, _detail: None,
        unfetched=lambda _failure, _of_document: None,
        blocked=lambda: None,
        navigating=lambda _is_pending: None,
        loaded=lambda _is_error: None,
    )
    async with outside_servers() as servers:
        browser = await open_browser(plan(folders, PAGE_HOST), await start_driver(), listeners)
        try:
            await browser.navigate(servers.http(PAGE_HOST, "start"), deadline=60, without_cache=False)
            count = await browser.page.evaluate(
                "async () => { try { await navigator.serviceWorker.register('/service.js') } catch {}"
                " return (await navigator.serviceWorker.getRegistrations()).length }"
            )
        finally:
            assert await browser.close(deadline=30)

    assert count == 0
