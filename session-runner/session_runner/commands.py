"""The seam between HTTP and the page: commands with arguments, run one after the other, each with a deadline.

A route passes a command: a coroutine function over the page, such as `logout.log_out`. `session` opens the door when the
page is fetched and closes it with the page. Commands run beside the probe and not through it: the monitor goes on
looking at the page meanwhile, so a command that hangs does not make the page count as hung, and the next look finds
what a command did as if a person had done it.

Commands run one at a time, in the order of the requests: of two at once nobody could tell which one caused what the page
shows. The deadline counts from the request, so that a caller behind a slow command is answered in time, too. A command
that ran out of time may still take effect in the page; nothing undoes it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from session_runner.page.errors import PageGoneError

T = TypeVar("T")

MAX_WAITING = 16
""" Commands that run or wait for their turn. People send one at a time; more than this is a program out of control. """


class CommandError(Exception):
    """A command failed or was rejected."""


class NoPageError(CommandError):
    """There is no page: it is not open yet, stays closed, or has just died."""


class PageDiedError(NoPageError):
    """It died while the command ran, which may have taken effect."""


class CommandTimeoutError(CommandError):
    """It did not finish within the deadline; it may still take effect."""


class TooManyCommandsError(CommandError):
    """Too many commands wait already."""


class NotLinkedError(CommandError):
    """The command needs a linked session."""


class Page(Protocol):
    """What a command needs of the page; `page.browser.BrowserPage` is the real one."""

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run one of our scripts.

        :raises CallFailedError: the script threw, or the page navigated meanwhile.
        :raises PageGoneError: the page is dead.
        """


@runtime_checkable
class FilePage(Page, Protocol):
    """A page that takes files."""

    async def attach(self, file: Path) -> None:
        """Have the page's next script find a file of ours, which the browser itself reads from the disk.

        :raises CallFailedError: the page navigated meanwhile.
        :raises PageGoneError: the page is dead.
        """


class Commands:
    """The queue; used from one event loop only."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._turn = asyncio.Lock()  # fair: first come, first served
        self._asked = 0

    def open(self, page: Page) -> None:
        """Run commands on this page from now on."""
        self._page = page

    def close(self) -> None:
        """The page is closing: refuse every command that has not begun."""
        self._page = None

    async def run(self, command: Callable[[Page], Awaitable[T]], *, deadline: float) -> T:
        """Run a command when its turn comes; `deadline` is in seconds from now.

        A caller that is cancelled while it waits leaves the queue, and its command never begins.

        :raises NoPageError: there is no page, so that nothing was begun.
        :raises PageDiedError: it died meanwhile.
        :raises TooManyCommandsError: too many wait already.
        :raises CommandTimeoutError: it took too long, the waiting included.
        """
        if self._asked >= MAX_WAITING:
            raise TooManyCommandsError
        self._asked += 1
        try:
            async with asyncio.timeout(deadline) as timer, self._turn:
                if self._page is None:
                    raise NoPageError
                return await command(self._page)
        except PageGoneError as error:
            raise PageDiedError from error
        except TimeoutError as error:
            if timer.expired():
                raise CommandTimeoutError from error
            raise
        finally:
            self._asked -= 1
