"""The seam between HTTP and the page: commands with arguments, run one after the other, each with a deadline.

A command is a coroutine function over the page, such as `logout.log_out`; a route passes it to `Commands.run`.
`session` opens the queue when the page is loaded and closes it with the page. Commands run beside the probe: the
monitor goes on probing meanwhile, so a command that hangs does not count as a page that hangs, and the next probe finds
what a command has done as if a person had done it.

They run one at a time, in the order of their requests, because the page does not show which of two concurrent commands
caused a change. The deadline counts from the request, so a caller that waits behind a slow command gets its answer in
time, too. A command that timed out may still take effect in the page; nothing undoes it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from session_runner.page.errors import PageGoneError

T = TypeVar("T")

MAX_WAITING = 16
""" Commands that run or wait, at most. People send them one by one; more come from a program out of control. """


class CommandError(Exception):
    """A command failed or was rejected."""


class NoPageError(CommandError):
    """There is no page: it is not open yet, stays closed, or has just died."""


class CommandTimeoutError(CommandError):
    """The command did not finish within the deadline, but may still take effect."""


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
        """Reject all commands that have not begun, because the page is being closed."""
        self._page = None

    async def run(self, command: Callable[[Page], Awaitable[T]], *, deadline: float) -> T:
        """Run a command when its turn comes, within so many seconds from now, and return its result.

        A caller that is cancelled while it waits leaves the queue, and its command does not run.

        :raises NoPageError: there is no page, or it died.
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
            raise NoPageError from error
        except TimeoutError as error:
            if timer.expired():
                raise CommandTimeoutError from error
            raise
        finally:
            self._asked -= 1
