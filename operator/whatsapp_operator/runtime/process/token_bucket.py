"""The token bucket: how often something may be done at once, and how often in the long run. It knows no clock."""

import math
from dataclasses import dataclass


@dataclass
class TokenBucket:
    """A token bucket. `spend` may overdraw it, `take` may not."""

    burst: float
    per_second: float
    longest: float = math.inf
    """ Seconds: what is overdrawn beyond that is forgiven. """
    _spent: float = 0.0
    _at: float = 0.0

    def spend(self, amount: float = 1, *, now: float) -> float:
        """Spend so much; return the seconds until what was overdrawn is there again."""
        self._refill(now)
        self._spent = min(self._spent + amount, self.burst + self.longest * self.per_second)
        return max(0.0, self._spent - self.burst) / self.per_second

    def has(self, amount: float, *, now: float) -> bool:
        """Whether so much is there; of what is more than it can ever have, whether it is full."""
        self._refill(now)
        return self._spent + min(amount, self.burst) <= self.burst

    def take(self, amount: float) -> None:
        """Spend what it has."""
        self._spent += amount

    def _refill(self, now: float) -> None:
        self._spent = max(0.0, self._spent - max(0.0, now - self._at) * self.per_second)
        self._at = now
