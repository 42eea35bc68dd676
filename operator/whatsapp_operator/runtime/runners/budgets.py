"""Budgets for reading runners' answers: one for each runner, and one for all runners of a namespace.

A runner whose answers change without end would keep the operator as busy as it likes: each change is a decision about its
session, each new text a redaction. So a runner is asked again later the more it has changed, all runners of a namespace
together a little later, and of new texts only so much is read. Nothing of it is late in an honest session: the first
change after a quiet time is there at once, since what is delayed is the question after it.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, field
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
TEXT_BURST: Final = 65_536
""" Characters of new texts that the runners of a namespace may say at once … """
TEXT_PER_SECOND: Final = 4096.0
""" … and in the long run. Each costs some microseconds of redaction. """
SHORTEST: Final = 64
""" Characters that a new text counts for at least. """
_KNOWN_TEXTS: Final = 256
_TENANTS: Final = 4096


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

    def take(self, amount: float, *, now: float) -> bool:
        """Spend so much if it is there; return whether it was."""
        self._refill(now)
        if self._spent + amount > self.burst:
            return False
        self._spent += amount
        return True

    def _refill(self, now: float) -> None:
        self._spent = max(0.0, self._spent - max(0.0, now - self._at) * self.per_second)
        self._at = now


@dataclass
class _Tenant:
    changes: Allowance = field(default_factory=lambda: Allowance(TENANT_BURST, TENANT_PER_SECOND, TENANT_DELAY))
    characters: Allowance = field(default_factory=lambda: Allowance(TEXT_BURST, TEXT_PER_SECOND))
    known: OrderedDict[int, None] = field(default_factory=OrderedDict)
    """ Hashes of the texts that were said last. """


class TenantBudgets:
    """The budgets of the namespaces."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()

    def delay_after_change(self, namespace: str, *, now: float) -> float:
        """Count a change; return how many seconds later than usual its runner is asked again."""
        return self._of(namespace).changes.spend(now=now)

    def admits(self, namespace: str, text: str, *, now: float) -> bool:
        """Whether a text may be read: it is known, or the namespace has not said too many new ones."""
        tenant, name = self._of(namespace), hash(text)
        if name not in tenant.known and not tenant.characters.take(max(SHORTEST, len(text)), now=now):
            return False
        tenant.known[name] = None
        tenant.known.move_to_end(name)
        if len(tenant.known) > _KNOWN_TEXTS:
            tenant.known.popitem(last=False)
        return True

    def _of(self, namespace: str) -> _Tenant:
        tenant = self._tenants.setdefault(namespace, _Tenant())
        self._tenants.move_to_end(namespace)
        if len(self._tenants) > _TENANTS:
            self._tenants.popitem(last=False)
        return tenant
