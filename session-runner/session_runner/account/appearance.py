"""Has the session appear online, or not, for a while: then it is again as its spec says.

WhatsApp shows to others that somebody writes only while that somebody is online, and a session usually is not (`presence`
tells why). So a program may ask for it, and asks again while it goes on; one that ends without a word leaves nothing behind.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from session_protocol.vocabulary import Presence

from session_runner.account.presence import HIDE, SHOW
from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.messages.errors import PageAwayError
from session_runner.page.errors import CallFailedError

LASTS: Final = 300.0
""" Seconds: enough for an answer, and the phone may show no notifications for no longer. """
CALL_SECONDS: Final = 10.0


class Appearance:
    """One session's; used from one event loop only."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        usual: Callable[[], Presence],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._page = page
        self._usual = usual
        self._sleep = sleep
        self._return: asyncio.Task[None] | None = None

    async def appear(self, presence: Presence) -> None:
        """Appear so for a while.

        :raises NotLinkedError: no phone is linked.
        :raises PageAwayError: the page is away, or did not do it.
        """
        self._page.check_reachable()
        if self._return is not None:
            self._return.cancel()
            self._return = None
        try:
            await self._order(presence)
        except (CommandError, CallFailedError) as error:
            raise PageAwayError("The session's page is away, or busy; ask again.") from error
        finally:  # it may still have done it
            if presence is not self._usual():
                self._return = asyncio.create_task(self._end())

    async def _end(self) -> None:
        await self._sleep(LASTS)
        with contextlib.suppress(CommandError, CallFailedError):  # a page that comes anew appears as usual
            await self._order(self._usual())

    async def _order(self, presence: Presence) -> None:
        await self._page.call(SHOW if presence is Presence.AVAILABLE else HIDE, deadline=CALL_SECONDS)
