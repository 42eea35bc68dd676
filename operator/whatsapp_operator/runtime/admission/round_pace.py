"""How soon admission rounds may follow each other. It knows no clock: all times are monotonic seconds that are given.

A round costs three LISTs, and there is reason for one with each session that comes or goes. What frees a place is
gathered for half a second after the last round, as it comes by threes: a session, its pod, its claim. Somebody who is
new waits for nothing, as long as that does not happen in a row.
"""

from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.runtime.process.token_bucket import TokenBucket

MIN_INTERVAL: Final = 0.5
""" The fewest seconds between the beginnings of two rounds; newcomers may have some that are sooner. """
EARLY: Final = 5
""" Rounds that may be sooner, at once. """
EARLY_PER_SECOND: Final = 0.5
""" The same in the long run. """
TIME_BURST: Final = 0.2
""" Seconds that rounds may take in a row. """
SHARE: Final = 0.25
""" Of the time, rounds take no more in the long run. While hundreds of sessions are applied, each round lists them all,
and the workers need the time to create the pods. """
MAX_REST: Final = 3.0
""" The longest rest for the length of rounds, in seconds: a free part of a quota is not left unused for longer. """


@dataclass
class RoundPace:
    """The pace of the rounds."""

    _began: float = -MIN_INTERVAL
    _early: TokenBucket = field(default_factory=lambda: TokenBucket(EARLY, EARLY_PER_SECOND))
    _time: TokenBucket = field(default_factory=lambda: TokenBucket(TIME_BURST, SHARE, MAX_REST))

    def gathers(self, now: float) -> float:
        """Return the seconds until the next round may begin if nobody new waits for it."""
        return max(0.0, self._began + MIN_INTERVAL - now)

    def begin(self, now: float) -> None:
        """Take note of the beginning of a round."""
        if self.gathers(now):
            self._early.take(1)
        self._began = now

    def rest(self, now: float) -> float:
        """Return the seconds to rest after the round that has ended."""
        wait = 0.0 if self._early.has(1, now=now) else self.gathers(now)
        return max(wait, self._time.spend(now - self._began, now=now))
