"""What the parts of messaging need of the page: whose it is, whether it can send, and calls of its scripts with a deadline."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from session_runner.commands import Commands, FilePage, Page
from session_runner.messages.errors import NotLinkedError, NotReadyError, PageAwayError
from session_runner.messages.progress import can_send, is_connected
from session_runner.messages.texts import well_formed
from session_runner.page.errors import CallFailedError
from session_runner.store import StateStore

CALL_SECONDS: Final = 20.0
""" For the page to take a message, or to tell of its messages. """


class PageRefusedError(CallFailedError):
    """A script answered in another form than it has."""


class LinkedPage:
    """The session's page, by what the monitor knows of it; used from one event loop only."""

    def __init__(self, *, store: StateStore, commands: Commands) -> None:
        self._store = store
        self._commands = commands

    @property
    def is_connected(self) -> bool:
        """Whether it is linked and connected, so that it has what comes in."""
        return is_connected(self._store.snapshot.state, self._store.snapshot.reason)

    @property
    def can_send(self) -> bool:
        """Whether messages go out of it, too."""
        return can_send(self._store.snapshot.state, self._store.snapshot.reason)

    def check_linked(self) -> None:
        """Look whether a phone may be linked. :raises NotLinkedError: none is."""
        if self._store.snapshot.linked is False:
            raise NotLinkedError(f"No phone is linked to this session; it is {self._store.snapshot.state}.")

    def check_reachable(self) -> None:
        """Look whether there is a page to ask.

        :raises NotLinkedError: no phone is linked.
        :raises PageAwayError: it is not connected.
        """
        self.check_linked()
        if not self.is_connected:
            raise PageAwayError(f"The session's page is not connected, it is {self._store.snapshot.state}; ask again.")

    @property
    def own(self) -> str | None:
        """The digits of the linked number, or None while it is not known."""
        return None if self._store.account is None else self._store.account.phone_number.removeprefix("+")

    def own_number(self) -> str:
        """Return the digits of the linked number.

        :raises NotLinkedError: there is none.
        :raises NotReadyError: only the page knows it, and it is away.
        """
        self.check_linked()
        if self.own is None:
            raise NotReadyError("The page has not told the number yet; ask again.")
        return self.own

    @property
    def account(self) -> str | None:
        """A digest of the linked number, or None while it is not known."""
        known = self._store.account
        return None if known is None else hashlib.sha256(known.phone_number.encode()).hexdigest()

    async def call(
        self, script: str, argument: Any = None, *, file: Path | None = None, deadline: float = CALL_SECONDS
    ) -> Any:
        """Run one of our scripts when its turn comes; it finds the file, if there is one, in `session.input`.

        :raises CommandError: it was not run, or not in time.
        :raises CallFailedError: it threw, or the page navigated meanwhile.
        """
        return await self._commands.run(partial(_call, script=script, argument=argument, file=file), deadline=deadline)

    async def read(self, script: str, argument: Any = None, *, deadline: float = CALL_SECONDS) -> Any:
        """Run a script that gives what is in messages, and return it with texts that can be written.

        :raises CommandError: it was not run, or not in time.
        :raises CallFailedError: it threw, or the page navigated meanwhile.
        """
        return well_formed(await self.call(script, argument, deadline=deadline))


async def _call(page: Page, *, script: str, argument: Any, file: Path | None) -> Any:
    if file is not None:
        if not isinstance(page, FilePage):
            raise CallFailedError("The page takes no files.")
        await page.attach(file)
    return await page.call(script, argument)


class Absence:
    """Notices that the page was away, also for a moment between two looks: what happened meanwhile it tells nobody."""

    def __init__(self, store: StateStore, *, is_there: Callable[[], bool]) -> None:
        self._is_there = is_there
        self._was = False
        store.changed.connect(self._look)

    def _look(self) -> None:
        self._was |= not self._is_there()

    def noticed(self) -> bool:
        """Return whether the page is away, or was since the last call."""
        self._look()
        was, self._was = self._was, False
        return was
