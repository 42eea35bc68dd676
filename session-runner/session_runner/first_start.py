"""Starts the browser once, as a session does, and prints what is noted of it: `python -m session_runner.first_start`.

The build of the runner's image ends with it, as the image's own user, with the flags, the driver and the environment of
a session. An image whose browser does not come up is not built: else all sessions would find out, one by one. The page
is blank, and no host is asked for anything.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from session_protocol.environment import Variable
from session_protocol.hosts import WHATSAPP_HOSTS, AllowedHosts

from session_runner.host.browser_version import ask_version, note
from session_runner.host.processes import adopt_orphans, descendants, end, processes
from session_runner.page.browser import BrowserPage, Listeners, open_browser
from session_runner.page.driver import start_driver, stop_driver
from session_runner.page.errors import CallFailedError, LaunchError, PageError, PageGoneError
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.settings import DEFAULT_BROWSER

SECONDS = 120.0
""" For the start; a machine that builds is busy. """
PAINT_SECONDS = 30.0
CLOSE_SECONDS = 30.0
SETTLE_SECONDS = 2.0
""" A browser that dies in its first moments has not come up. """
PNG = b"\x89PNG\r\n\x1a\n"


def main() -> int:
    """Print the version and the file of a browser that comes up; else say why it did not, and return 1."""
    executable = Path(os.environ.get(Variable.BROWSER_EXECUTABLE) or DEFAULT_BROWSER)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="first-start-", ignore_cleanup_errors=True) as folder:
        os.environ["HOME"] = folder  # in a build there may be none that the user can write to
        try:
            version = asyncio.run(first_start(executable, Path(folder)))
        except PageError as error:
            sys.stderr.write(f"first start of {executable}: {error}\n")
            return 1
        finally:
            end(descendants(os.getpid(), processes()))
    sys.stdout.write(f"{note(version, executable)}\n")
    return 0


async def first_start(executable: Path, folder: Path) -> str:
    """Start the browser, have it paint a blank page, and close it; return its version.

    :raises PageError: it does not do so; the message has its own words.
    """
    try:
        async with asyncio.timeout(SECONDS):
            version = await ask_version(executable)
            playwright = await start_driver()
            plan = LaunchPlan(
                executable=executable,
                user_data=folder / "profile",
                cache_dir=folder / "cache",
                allowed_hosts=AllowedHosts.parse(WHATSAPP_HOSTS),
                user_agent=user_agent(version),
            )
            try:
                browser = await open_browser(plan, playwright, _LISTENERS)
            except BaseException:
                await stop_driver(playwright)
                raise
    except TimeoutError as error:
        raise LaunchError(f"The browser did not start within {SECONDS:g} s.") from error
    await _use(browser)
    return version


async def _use(browser: BrowserPage) -> None:
    picture = b""
    try:
        picture = await browser.paint(deadline=PAINT_SECONDS)
        await asyncio.wait({browser.died}, timeout=SETTLE_SECONDS)
    finally:
        clean = await browser.close(deadline=CLOSE_SECONDS)
    if not picture.startswith(PNG):
        raise CallFailedError("The browser did not paint a page.")
    if not clean:
        raise PageGoneError("The browser ended by itself, or did not close when it was asked to.")


_LISTENERS = Listeners(
    woken=lambda _name, _detail: None,
    blocked=lambda: None,
    unfetched=lambda _failure, _of_document: None,
    navigating=lambda _is_pending: None,
    loaded=lambda _is_error: None,
)


if __name__ == "__main__":
    sys.exit(main())
