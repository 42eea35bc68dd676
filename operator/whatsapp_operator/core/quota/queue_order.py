"""In which order sessions that wait are looked at by an admission round.

A quota is shared by namespaces that need not trust each other, and whoever may create a session may write any priority into
it. So a priority moves a session among those of its own namespace, and those of others keep their places: the places that
a namespace's sessions have in the queue, by the times since when they wait, go to the same sessions by priority.

One that gave its place back, since its pod did not run, gets none that is before its own: two that cannot run would else
take turns for ever in the place of one that can, before it and before other namespaces.
"""

from collections import defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush

from whatsapp_operator.core.quota.requeue import stored_requeue
from whatsapp_operator.core.quota.reservations import PendingSession


def in_order(pending: Iterable[PendingSession]) -> list[PendingSession]:
    """Return the sessions as a round serves them; of equal ones the order is the same for everybody who asks."""
    queue = sorted(pending, key=lambda one: (one.since, one.reservation.session_uid))
    returns = [stored_requeue(one.session) is not None for one in queue]
    by_owner: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(queue):
        if not returns[number]:
            heappush(by_owner[_owner(one)], (-one.session.spec.priority, number))
    order = []
    for number, one in enumerate(queue):
        own = by_owner[_owner(one)]
        if returns[number]:
            heappush(own, (-one.session.spec.priority, number))
        order.append(queue[heappop(own)[1]])
    return order


def _owner(one: PendingSession) -> tuple[str, str]:
    return one.reservation.quota, one.reservation.namespace
