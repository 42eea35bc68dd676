"""Opening the browser: what goes wrong in its first moments is the browser's fault, and not the runner's; and closing it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock, MagicMock

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright
from session_protocol.hosts import AllowedHosts
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.errors import LaunchError, SandboxRefusedError
from session_runner.page.launch import LaunchPlan


@pytest.mark.parametrize("step", ["new_cdp_session", "expose_binding", "add_init_script"])
async def test_a_browser_that_dies_as_it_is_prepared_did_not_start(step: str, tmp_path: Path) -> None:
    """A kill for want of memory may come between the launch and the first document."""
    context = MagicMock(
        pages=[MagicMock()], expose_binding=AsyncMock(), add_init_script=AsyncMock(), new_cdp_session=AsyncMock()
    )
    context.new_cdp_session.return_value = MagicMock(
        send=AsyncMock(return_value={"frameTree": {"frame": {"id": "main"}}})
    )
    getattr(context, step).side_effect = PlaywrightError(f"BrowserContext.{step}: Target crashed")
    chromium = SimpleNamespace(launch_persistent_context=AsyncMock(return_value=context))
    plan = LaunchPlan(
        executable=Path("/usr/bin/true"),
        user_data=tmp_path,
        cache_dir=tmp_path,
        allowed_hosts=AllowedHosts.parse("web.whatsapp.com"),
        user_agent="a browser",
    )

    with pytest.raises(LaunchError, match="Target crashed"):
        await open_browser(plan, cast("Playwright", SimpleNamespace(chromium=chromium)), cast("Listeners", MagicMock()))


NO_SANDBOX = "BrowserType.launch_persistent_context: Target page, context or browser has been closed\nBrowser logs:\n\n"


@pytest.mark.parametrize(
    "log",
    [
        "[1:1:FATAL:content/browser/zygote_host/zygote_host_impl_linux.cc:129] No usable sandbox! If you are running on",
        '[1:1:FATAL:sandbox/linux/services/credentials.cc:131] Check failed: sys_chroot("/proc/self/fdinfo/") == 0',
    ],
)
async def test_a_sandbox_that_the_node_refuses_is_reported_with_the_way_out(log: str, tmp_path: Path) -> None:
    """Chromium's own words are in the middle of its log; without the setting they mean something else."""
    chromium = SimpleNamespace(
        launch_persistent_context=AsyncMock(side_effect=PlaywrightError(f"{NO_SANDBOX}<launching> chromium\n{log}"))
    )
    plan = LaunchPlan(
        executable=Path("/usr/bin/true"),
        user_data=tmp_path,
        cache_dir=tmp_path,
        allowed_hosts=AllowedHosts.parse("web.whatsapp.com"),
        user_agent="a browser",
        sandbox=True,
    )
    playwright = cast("Playwright", SimpleNamespace(chromium=chromium))
    with pytest.raises(SandboxRefusedError, match="seccomp profile") as found:
        await open_browser(plan, playwright, cast("Listeners", MagicMock()))
    with pytest.raises(LaunchError, match="has been closed"):
        await open_browser(replace(plan, sandbox=False), playwright, cast("Listeners", MagicMock()))

    assert "BROWSER_SANDBOX" in str(found.value)
    assert [True, False] == [
        call.kwargs["chromium_sandbox"] for call in chromium.launch_persistent_context.await_args_list
    ]


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_page_is_left_before_the_browser_is_closed(*, hangs: bool) -> None:
    """As when a person closes it; one that hangs takes a part of the time, and the browser closes all the same."""
    calls: list[str] = []

    async def leave() -> None:
        calls.append("page")
        await asyncio.sleep(60 if hangs else 0)

    async def close(name: str) -> None:
        calls.append(name)

    page, context, playwright = MagicMock(close=leave), MagicMock(), MagicMock()
    context.close = lambda: close("browser")
    playwright.stop = lambda: close("driver")
    died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    browser = BrowserPage(playwright=playwright, context=context, page=page, devtools=MagicMock(), died=died)

    assert await browser.close(deadline=0.2 if hangs else 5)
    assert calls == ["page", "browser", "driver"]
