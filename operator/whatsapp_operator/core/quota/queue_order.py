"""In which order sessions that wait are looked at by an admission round.

A quota is shared by namespaces that need not trust each other, and whoever may create a session may write any priority into
it. So a priority moves a session among those of its own namespace, and those of others keep their places: the places that
a namespace's sessions have in the queue, by the times since when they wait, go to the same sessions by priority.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from whatsapp_operator.core.quota.reservations import PendingSession


def in_order(pending: Iterable[PendingSession]) -> list[PendingSession]:
    """Return the sessions as a round serves them; of equal ones the order is the same for everybody who asks."""
    queue = sorted(pending, key=lambda one: (one.since, one.reservation.session_uid))
    by_owner: dict[tuple[str, str], list[PendingSession]] = defaultdict(list)
    for one in queue:
        by_owner[_owner(one)].append(one)
    turns: dict[tuple[str, str], Iterator[PendingSession]] = {
        owner: iter(sorted(own, key=lambda one: -one.session.spec.priority)) for owner, own in by_owner.items()
    }
    return [next(turns[_owner(one)]) for one in queue]


def _owner(one: PendingSession) -> tuple[str, str]:
    return one.reservation.quota, one.reservation.namespace
