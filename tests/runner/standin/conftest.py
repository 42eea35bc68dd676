"""One real browser per test module, one stand-in and one browser context (a profile of its own) per test."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright
from runner.standin.tabs import Tab
from standin import Mode, StandIn, Timing
from standin.certificates import Certificates
from standin.harness import local_certificates

CHROMIUM = shutil.which("chromium-headless-shell")
WA_JS = Path(__file__).parents[3] / "session-runner/session_runner/page/wa_js/wppconnect-wa.js"
WA_JS_CONFIG = """window.WPPConfig =
  { disableGoogleAnalytics: true, linkPreviewApiServers: [], deviceName: false, sendStatusToDevice: false };"""

OpenTab = Callable[..., Awaitable[Tab]]

QUICK = Timing(first_sync=0.1, backoff_base=0.1, mutex_answer=0.3)
""" The real times are minutes; nothing here depends on more than their order. """


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here starts a browser, and shares its module's event loop with it."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.chromium)
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium-headless-shell is not installed"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates that all stand-ins of the module share, because a browser reads its authorities once."""
    return local_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Path:
    """A home folder whose certificate database trusts the authority."""
    home = tmp_path_factory.mktemp("home")
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "standin", "-i", str(certificates.ca)]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True, capture_output=True)
    return home


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(home: Path) -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, env={**os.environ, "HOME": str(home)})
        yield browser
        await browser.close()


@pytest.fixture(params=list(Mode))
def mode(request: pytest.FixtureRequest) -> Mode:
    """Both generations of the page; a test that concerns one alone overrides this by parametrize."""
    chosen: Mode = request.param
    return chosen


@pytest.fixture
def timing() -> Timing:
    """Short times; a module or test overrides them by parametrize."""
    return QUICK


@pytest_asyncio.fixture(loop_scope="module")
async def standin(mode: Mode, timing: Timing, certificates: Certificates) -> AsyncIterator[StandIn]:
    """A stand-in of the mode under test."""
    async with StandIn.start(mode=mode, timing=timing, certificates=certificates) as standin:
        yield standin


@pytest.fixture
def user_agent(browser: Browser) -> str:
    """The browser's own name without the token that the page turns away."""
    major = browser.version.split(".")[0]
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser, user_agent: str) -> AsyncIterator[BrowserContext]:
    """A fresh profile."""
    context = await browser.new_context(user_agent=user_agent)
    yield context
    await context.close()


@pytest.fixture
def open_tab(context: BrowserContext, standin: StandIn) -> OpenTab:
    """Open a tab on the stand-in; with wa-js, as injected by a runner and fully ready, if asked."""

    async def open_tab(*, wa_js: bool = False) -> Tab:
        if not wa_js:
            return await Tab.open(context, standin.page_url)
        await context.add_init_script(WA_JS_CONFIG)
        await context.add_init_script(path=WA_JS)
        tab = await Tab.open(context, standin.page_url)
        await tab.wait_for_facts(full=True)
        return tab

    return open_tab
