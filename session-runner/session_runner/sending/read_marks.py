"""Sets read marks: stored before they are answered, set at once where the page is there, else when it is back.

`messaging` asks for one when a client does, and for all that wait in each of its rounds; those that nobody asked for the
inbox stores, if the session's settings say so. That an answer is being written is
shown at once or not at all: later it would not be true.
"""

import logging
from collections.abc import Callable
from typing import Final

from session_runner.commands import CommandError
from session_runner.linked_page import CALL_SECONDS, LinkedPage
from session_runner.messages.errors import NoMessageError, QueueFullError, UnsupportedKindError
from session_runner.messages.requests import ReadMark
from session_runner.outbox import marks
from session_runner.outbox.outbox import Outbox
from session_runner.page.errors import CallFailedError

logger = logging.getLogger(__name__)

AT_ONCE_SECONDS: Final = 0.8
""" For the page to set a mark before its client is answered. """
MOST_WAITING: Final = marks.MOST
""" Beyond them one is refused. """
AT_ONCE: Final = 50
""" Marks of one round. """
PAUSE: Final = 30.0
""" Seconds until marks are tried again that the page did not set. """


class ReadMarks:
    """One session's read marks; used from one event loop only."""

    def __init__(self, *, page: LinkedPage, now: Callable[[], float]) -> None:
        self._page = page
        self._now = now
        self._again_at = 0.0
        self._may_wait = True
        """ Whether there may be any: most rounds have none, and need not look. """

    async def take(self, outbox: Outbox, mark: ReadMark) -> None:
        """Store a mark, and set it if the page is there.

        :raises QueueFullError: too many wait.
        :raises NoMessageError: the page has no such message.
        :raises UnsupportedKindError: the page marks none.
        """
        account, time = self._page.account, self._now()
        self._may_wait = True
        if not await outbox.run(marks.add, mark.message, account=account, time=time, most=MOST_WAITING):
            raise QueueFullError(f"{MOST_WAITING} read marks wait already; send again when they are set.")
        if not self._page.can_send:
            return
        try:
            answer = await self._set(outbox, mark.message, typing=mark.typing, deadline=AT_ONCE_SECONDS)
        except (CommandError, CallFailedError) as error:
            logger.info("A read mark was not set in time", extra={"error": type(error).__name__})
            return
        if answer == "unsupported":
            raise UnsupportedKindError("This page cannot mark messages as read.")
        if answer != "marked":
            raise NoMessageError("There is no such message of somebody else.")

    def wait(self) -> None:
        """Handle that marks were stored which nobody asked for."""
        self._may_wait = True

    async def set_all(self, outbox: Outbox) -> float:
        """Set what waits; the page may be connected again, or another one's. Return the seconds until there may be more."""
        if not self._may_wait or 0 < self._again_at - self._now() <= PAUSE:  # a longer one is of a clock that was ahead
            return PAUSE
        waiting, pause = await self._due(outbox)
        for message in waiting:
            try:
                await self._set(outbox, message)
            except (CommandError, CallFailedError) as error:
                logger.info("A read mark was not set", extra={"error": type(error).__name__})
                self._again_at, pause = self._now() + PAUSE, PAUSE
                if isinstance(error, CommandError):
                    break  # the page is away; else it is this message that it does not mark, and the others can be
        return pause

    async def _due(self, outbox: Outbox) -> tuple[list[str], float]:
        account, now, is_all = self._page.account, self._now(), False
        self._may_wait = False  # what is taken from here on says so again
        try:
            waiting = await outbox.run(marks.due, account=account, now=now, most=AT_ONCE)
            upcoming = await outbox.run(marks.upcoming, now=now)
            is_all = not waiting and upcoming is None and account is not None
        finally:
            if not is_all:
                self._may_wait = True
        if len(waiting) == AT_ONCE:
            return waiting, 0.0
        return waiting, PAUSE if upcoming is None else upcoming - now

    async def _set(
        self, outbox: Outbox, message: str, *, typing: bool = False, deadline: float = CALL_SECONDS
    ) -> object:
        """Have the page mark a message; return its answer. What it does not mark then it never marks."""
        chats = await outbox.run(marks.chats, message)
        argument = {"own": self._page.own, "id": message, "chats": chats, "typing": typing}
        answer = await self._page.call("mark.js", argument, deadline=deadline)
        await outbox.note(marks.remove, message)
        if answer == "unsupported":
            logger.info("The page cannot mark messages as read")
        return answer
