"""The door between HTTP and the page: commands with arguments, one after the other, each with a deadline.

A route says what it wants as a command, a coroutine function over the page, such as `logout.log_out`; `session` opens
the door when the page is fetched and closes it with the page. Commands go beside the probe and not through it: the
monitor goes on looking at the page while one is carried out, so a command that hangs is no page that hangs, and what a
command brings about is found by the next look as if a person had done it.

One command at a time, in the order in which they were asked for, because two that act on one page at once can not be
told apart by what the page shows then. The deadline counts from the asking: who waits behind a slow command gets an
answer in time, too. A command that ran out of time may still come true in the page; nobody takes it back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from session_runner.page.errors import PageGoneError

T = TypeVar("T")

MAX_WAITING = 16
""" Commands that are carried out or wait for their turn. People ask one by one; more is a program gone wild. """


class CommandError(Exception):
    """A command was not carried out."""


class NoPageError(CommandError):
    """There is no page: it is not open yet, stays closed, or has just died."""


class CommandTimeoutError(CommandError):
    """It did not come to its end within the deadline; it may still."""


class TooManyCommandsError(CommandError):
    """Too many wait already."""


class NotLinkedError(CommandError):
    """The command needs a linked session."""


class Page(Protocol):
    """What a command needs of the page; `page.browser.BrowserPage` is the real one."""

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run one of our scripts.

        :raises CallFailedError: the script threw, or the page went to another document meanwhile.
        :raises PageGoneError: the page is dead.
        """


class Commands:
    """The queue; used from one event loop only."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._turn = asyncio.Lock()  # fair: who asks first is first
        self._asked = 0

    def open(self, page: Page) -> None:
        """Carry out commands on this page from now on."""
        self._page = page

    def close(self) -> None:
        """The page goes: refuse whatever has not begun."""
        self._page = None

    async def run(self, command: Callable[[Page], Awaitable[T]], *, deadline: float) -> T:
        """Carry out a command when its turn comes, within so many seconds from now.

        Who is cancelled while he waits leaves the queue, and nothing of the command is done.

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
