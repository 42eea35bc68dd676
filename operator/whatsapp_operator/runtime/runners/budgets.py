"""Budgets for runners' changes: one for each runner, and one for all runners of a namespace.

A runner whose answers change without end would keep the operator as busy as it likes, since each change is a decision
about its session. So a runner is asked again later the more it has changed, and all runners of a namespace together a
little later. Nothing of it is late in an honest session: the first change after a quiet time is there at once, since what
is delayed is the question after it. What they say has budgets of its own (`texts`).
"""

from collections import OrderedDict
from typing import Final

from whatsapp_operator.runtime.process.token_bucket import TokenBucket

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


class TenantBudgets:
    """The budgets of the namespaces."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, TokenBucket] = OrderedDict()

    def delay_after_change(self, namespace: str, *, now: float) -> float:
        """Count a change; return how many seconds later than usual its runner is asked again."""
        changes = self._tenants.setdefault(namespace, TokenBucket(TENANT_BURST, TENANT_PER_SECOND, TENANT_DELAY))
        self._tenants.move_to_end(namespace)
        if len(self._tenants) > TENANTS:
            self._tenants.popitem(last=False)
        return changes.spend(now=now)
