"""How Playwright's driver, a Node process, is started so that it takes little memory.

Every session pays for its own driver, so what it takes counts as much as the browser. Untuned it holds 75 MB of
memory of its own, so 27 MB (`docs/design/runner.md` has the figures and how to repeat them). Everything goes through
environment variables that Node and the C library document, one of which loads `driver_preload.js` first: it leaves
out what the driver never uses. The driver's files stay as they are; an image has the driver cut and compiled beside them.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Mapping, MutableMapping
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Playwright, async_playwright

from session_runner.page.errors import LaunchError, first_line

logger = logging.getLogger(__name__)

PRELOAD = Path(__file__).with_name("driver_preload.js")
PREPARED = Path("/usr/share/wasession/driver")
""" Where the image's build keeps the driver cut and compiled (`first_start`); there is none outside of an image. """

START_SECONDS = 20.0
""" How long a driver that is not wanted any more may take to start, so that it can be stopped. """
STOP_SECONDS = 5.0

_DRIVER = {
    # Quoted, for a folder with blanks in its name.
    "NODE_OPTIONS": f'--require="{PRELOAD}" --max-semi-space-size=4',  # MB; the driver's garbage is small and short-lived
    "UV_THREADPOOL_SIZE": "1",
    "MALLOC_ARENA_MAX": "1",  # one heap instead of one per thread
    "MALLOC_TRIM_THRESHOLD_": "131072",  # bytes; give freed memory back early
    "MALLOC_MMAP_THRESHOLD_": "65536",
}

UNTUNED = {
    "NODE_OPTIONS": "",
    "UV_THREADPOOL_SIZE": "4",
    "MALLOC_ARENA_MAX": "16",
    "MALLOC_TRIM_THRESHOLD_": "67108864",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
}
""" What Node and the C library do by themselves, as an environment that `tune_driver` leaves alone; for comparing. """


def tune_driver(environment: MutableMapping[str, str] = os.environ, *, prepared: Path = PREPARED) -> None:
    """Set the variables that the driver inherits, before Playwright starts; the browser has its own environment."""
    for name, value in _DRIVER.items():
        environment.setdefault(name, value)
    if prepared.is_dir():
        environment.setdefault("DRIVER_PREPARED", str(prepared))


@contextlib.asynccontextmanager
async def logged_stderr() -> AsyncIterator[None]:
    """Let what a program writes to standard error that is started meanwhile be lines of our log, and nothing between them.

    Playwright gives its driver whatever `sys.stderr` is. The pipe closes when the driver ends.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as end, contextlib.redirect_stderr(end):
        await asyncio.get_running_loop().connect_read_pipe(_ToLog, os.fdopen(reading, "rb"))
        yield


class _ToLog(asyncio.Protocol):
    """Logs what comes out of a pipe; what was written at once is one line."""

    def data_received(self, data: bytes) -> None:
        if text := data.decode(errors="replace").strip():
            logger.warning("The browser's driver reported something", extra={"text": text})


def browser_environment(environment: MutableMapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the browser's environment: folders, language and time zone, but no setting and no path of a token."""
    kept = ("HOME", "PATH", "TMPDIR", "TZ", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH")
    return {"LANG": "C.UTF-8"} | {name: environment[name] for name in kept if name in environment}


async def start_driver() -> Playwright:
    """Start Playwright's driver with little memory. :raises LaunchError: it did not start.

    Cancelled while it starts, it is stopped as soon as it is there: Playwright forgets it, but not its process and pipes.
    """
    tune_driver()
    starting = asyncio.ensure_future(_start_driver())
    try:
        return await asyncio.shield(starting)
    except Exception as error:
        # Playwright raises a bare one for a driver that ends at its start, of too little memory say.
        raise LaunchError(f"The browser's driver did not start: {first_line(error)}") from error
    except asyncio.CancelledError:
        await asyncio.wait({starting}, timeout=START_SECONDS)
        if starting.done() and starting.exception() is None:
            await stop_driver(starting.result())
        starting.cancel()
        raise


async def _start_driver() -> Playwright:
    async with logged_stderr():
        return await async_playwright().start()


async def stop_driver(playwright: Playwright) -> None:
    """Stop the driver; if it does not stop in time, the session kills it with the remaining processes."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await playwright.stop()
    except (TimeoutError, PlaywrightError) as error:
        logger.warning("The browser's driver did not stop cleanly", extra={"error": first_line(error)})


class EarlyDriver:
    """A driver that is started beside Python's imports, before it is known whether a browser is wanted."""

    def __init__(self) -> None:
        self._starting: asyncio.Task[Playwright] | None = None

    def start(self) -> None:
        """Begin its start."""
        self._starting = asyncio.create_task(start_driver())

    async def take(self) -> Playwright:
        """Return the one that was started, the first time, and else another. :raises LaunchError: it did not start."""
        starting, self._starting = self._starting, None
        return await (start_driver() if starting is None else starting)

    async def drop(self) -> None:
        """End it, unless it was taken."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await stop_driver(starting.result())
