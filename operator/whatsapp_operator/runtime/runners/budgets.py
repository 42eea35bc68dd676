"""Budgets for runners' changes: one for each runner, and one for all runners of a namespace.

A runner whose answers change without end would keep the operator as busy as it likes, since each change is a decision
about its session. So a runner is asked again later the more it has changed, and all runners of a namespace together a
little later. Nothing of it is late in an honest session: the first change after a quiet time is there at once, since what
is delayed is the question after it. What they say has budgets of its own (`texts`).
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

BURST: Final = 5
""" Changes of one runner that may follow each other at once: it starts, loads, shows a code, syncs, is connected. """
PER_SECOND: Final = 1.0
""" Changes of one runner in the long run. """
TENANT_BURST: Final = 1000
""" The same for all runners of a namespace: thousands may reconnect together. """
TENANT_PER_SECOND: Final = 10.0
TENANT_DELAY: Final = 5.0
""" The longest delay for the sake of others, in seconds: no runner may look silent because of them. """
TENANTS: Final = 4096
""" Namespaces that are remembered. """


@dataclass
class Allowance:
    """A token bucket. `spend` may overdraw it, `take` may not."""

    burst: float
    per_second: float
    longest: float = math.inf
    """ Seconds: what is overdrawn beyond that is forgiven. """
    _spent: float = 0.0
    _at: float = 0.0

    def spend(self, *, now: float) -> float:
        """Spend one; return the seconds until what was overdrawn is there again."""
        self._refill(now)
        self._spent = min(self._spent + 1, self.burst + self.longest * self.per_second)
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


class TenantBudgets:
    """The budgets of the namespaces."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, Allowance] = OrderedDict()

    def delay_after_change(self, namespace: str, *, now: float) -> float:
        """Count a change; return how many seconds later than usual its runner is asked again."""
        changes = self._tenants.setdefault(namespace, Allowance(TENANT_BURST, TENANT_PER_SECOND, TENANT_DELAY))
        self._tenants.move_to_end(namespace)
        if len(self._tenants) > TENANTS:
            self._tenants.popitem(last=False)
        return changes.spend(now=now)
