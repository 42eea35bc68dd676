"""How all sessions are, in a few figures: for the line that says that all of them are healthy, or how many are not.

Each session is in one of four groups by what its status says, whichever state it is in: a new state needs no row here.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType
from whatsapp_operator.core.objects.reading import Json, items, part, text


class Group(StrEnum):
    """What a session is, as coarse as can be; the fields of the log line."""

    HEALTHY = "healthy"
    """ Ready. """
    RESTING = "resting"
    """ Suspended, as somebody asked for. """
    FAILED = "failed"
    """ Stalled, so that a person has to look; or its runner failed and it is being recovered. """
    WAITING = "waiting"
    """ On its way: for its quota, a node, its page, a phone. """


class GroupCounts(NamedTuple):
    """How many sessions there are in each group."""

    healthy: int = 0
    resting: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def sessions(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def is_healthy(self) -> bool:
        """Whether every session is as it should be."""
        return not self.failed and not self.waiting


def count_groups(sessions: Iterable[Json]) -> GroupCounts:
    """Count sessions by their JSON."""
    groups = Counter(group(session) for session in sessions)
    return GroupCounts(**{group.value: groups[group] for group in Group})


def group(session: Json) -> Group:
    """Return what a session is. A failure goes before all else: one that is ready again has no such condition."""
    true = {
        text(condition, "type")
        for condition in items(part(session, "status"), "conditions")
        if text(condition, "status") == ConditionStatus.TRUE
    }
    if true & {ConditionType.STALLED, ConditionType.RECOVERING}:
        return Group.FAILED
    if ConditionType.SUSPENDED in true:
        return Group.RESTING
    return Group.HEALTHY if ConditionType.READY in true else Group.WAITING
