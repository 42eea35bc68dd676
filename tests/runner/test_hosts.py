"""The allowed hosts in a real Chromium: nothing else is reached, by name or by address, in whatever way a page tries."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from host_cases import ALLOWED, HOSTS
from playwright.async_api import Page, async_playwright
from runner.outside_servers import (
    ATTEMPTS,
    FETCH,
    PAGE_HOST,
    SERVICE_WORKERS,
    UNCOUNTED,
    OutsideServers,
    outside_servers,
)
from session_protocol.hosts import AllowedHosts
from session_runner.page.browser import Listeners, open_browser, start_driver
from session_runner.page.launch import LaunchPlan, user_agent
from support.runner_process import Folders
from support.waiting import async_until

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")
FENCE = ("--host-resolver-rules=", "--no-proxy-server", "--force-webrtc-ip-handling-policy=")
""" The flags that hold the page in. """
LINGER = 0.5
""" Seconds in which what is still on its way arrives; loopback takes a thousandth of it. """


def plan(folders: Folders, allowed: str) -> LaunchPlan:
    """What the runner would start."""
    return LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts.parse(allowed),
        user_agent=user_agent("156.0.1.1"),
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


async def test_a_page_reaches_no_other_host_in_any_way(folders: Folders) -> None:
    """Names and addresses; requests, redirects, WebSockets, frames, workers of all kinds, WebRTC, WebTransport."""
    async with outside_servers() as servers, browsing(folders, servers, plan(folders, PAGE_HOST).arguments) as page:
        await try_all(page, servers)
        await asyncio.sleep(LINGER)

        assert servers.seen == {"start"}


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


async def test_the_browser_judges_hosts_as_the_settings_do(folders: Folders) -> None:
    """The table that operator and runner are held to holds in the browser's resolver."""
    async with outside_servers() as servers, browsing(folders, servers, plan(folders, ALLOWED).arguments) as page:
        for number, case in enumerate(HOSTS):
            await page.evaluate(FETCH, servers.http(case.host, f"host-{number}"))

        reached = [f"host-{number}" in servers.seen for number in range(len(HOSTS))]

    assert [case.expected for case in HOSTS] == reached


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
