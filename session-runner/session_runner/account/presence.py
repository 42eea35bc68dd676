"""Whether the session appears as a person who looks at the page.

A companion that is available takes the notifications from its phone, and shows its owner online to everybody. So a session
is unavailable: the browser has no focus (`page.launch`), the bridge says it as soon as the page has its modules, and here
it is made available for a moment every 7 days, because WhatsApp unlinks companions that it takes for unused; those that
were never available were warned after 14 days. `spec.link.presence: Available` is for those who want it otherwise.

Each document begins unavailable; the monitor calls `keep` while the session is connected. The time of the last moment is
in the state file, so that new pods begin no new week.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from session_protocol.vocabulary import Presence

from session_runner.monitoring.state_file import StateFile

WEEK: Final = timedelta(days=7)
SPREAD: Final = timedelta(hours=12)
""" A moment comes earlier by up to this, so that sessions that were linked together do not stay together. """
MOMENT: Final = 10.0
""" Seconds. """
SHOW, HIDE = "available.js", "unavailable.js"


Order = Callable[[str], Awaitable[str | None]]
""" Gives the page an order, which is a script's name; None: it was not carried out. """


def is_due(last: datetime, *, now: datetime, spread: float) -> bool:
    """Whether the session is to be available again; `spread` is a number from 0 to 1."""
    return now >= last + WEEK - SPREAD * spread


class PresenceKeeper:
    """Keeps one session as its spec says: available, or unavailable but for its moments."""

    def __init__(
        self,
        *,
        wanted: Callable[[], Presence],
        state_file: StateFile,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._wanted = wanted
        self._state_file = state_file
        self._clock = clock
        self._spread = random()
        self._shown: float | None = None
        """ Since when it is available, on the monotonic clock. """

    def document_began(self) -> None:
        """Handle a new document, which appears as nobody who looks."""
        self._shown = None

    async def keep(self, order: Order, *, now: float) -> None:
        """Have it appear otherwise, if it is time."""
        last, today = self._state_file.saved.available_time, self._clock()
        if self._wanted() is Presence.AVAILABLE:
            if self._shown is None:
                await self._show(order, now=now)
            return
        if self._shown is not None:
            if now - self._shown >= MOMENT and await order(HIDE) is not None:
                self._state_file.was_available(at=today)
                self._shown = None
            return
        if last is None or last > today:  # a person has just linked it, or a clock was wrong
            self._state_file.was_available(at=today)
        elif is_due(last, now=today, spread=self._spread):
            await self._show(order, now=now)

    async def _show(self, order: Order, *, now: float) -> None:
        self._shown = now  # before the page answers: a document that begins meanwhile takes it back
        if await order(SHOW) is None:
            self._shown = None
            return
        self._state_file.was_available(at=self._clock())
