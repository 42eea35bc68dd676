"""A wall clock that never jumps, for times that are compared with each other.

The machine's wall clock may be set at any moment, by a person or by NTP: by seconds, by an hour, by years. Code that
subtracts two of its readings then sees silence, patience or a code's life end at once, or never. So operator and runner
read this clock: it starts with the wall clock, goes on with the monotonic one, and when the two differ it goes a little
faster or slower until it has caught up, as NTP itself does with small differences. What it says can be stored and shown;
what is subtracted is at most 5 % wrong, whatever happens to the wall clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

RATE: Final = 0.05
""" How much faster or slower it goes while it catches up: 20 s take seven minutes, an hour takes most of a day. """


class SteadyClock:
    """One clock of one process."""

    def __init__(
        self, *, monotonic: Callable[[], float], wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._read = monotonic()
        self._now = wall()

    def now(self) -> datetime:
        """Return the time, aware, in UTC; never earlier than before."""
        read = self._monotonic()
        elapsed, self._read = max(0.0, read - self._read), read
        self._now += timedelta(seconds=elapsed)
        most = RATE * elapsed
        self._now += timedelta(seconds=min(most, max(-most, self._behind())))
        return self._now

    @property
    def behind(self) -> float:
        """How many seconds the wall clock is ahead of this one; negative: behind it."""
        self.now()
        return self._behind()

    def _behind(self) -> float:
        return (self._wall() - self._now).total_seconds()
