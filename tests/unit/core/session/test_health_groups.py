"""How all sessions are: one group for each, by the conditions of its status."""

from typing import Any

import pytest
from whatsapp_operator.core.session.health_groups import Group, GroupCounts, count_groups, group


def session(**conditions: str) -> dict[str, Any]:
    """A session with these conditions."""
    found = [{"type": kind, "status": status} for kind, status in conditions.items()]
    return {"status": {"conditions": found}}


READY = session(Ready="True", Stalled="False", Recovering="False")
QUEUED = session(Ready="False")
SUSPENDED = session(Ready="False", Suspended="True")
STALLED = session(Ready="False", Stalled="True")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (READY, Group.HEALTHY),
        (SUSPENDED, Group.RESTING),
        (STALLED, Group.FAILED),
        (session(Ready="False", Recovering="True"), Group.FAILED),
        (session(Suspended="True", Stalled="True"), Group.FAILED),
        (QUEUED, Group.WAITING),
        (session(Ready="Unknown"), Group.WAITING),
        ({}, Group.WAITING),
        ({"status": {"conditions": "odd"}}, Group.WAITING),
    ],
)
def test_each_session_is_in_one_group(given: dict[str, Any], expected: Group) -> None:
    """By its conditions alone; one that nothing is known of is on its way."""
    assert expected == group(given)


@pytest.mark.parametrize(
    ("sessions", "expected", "healthy"),
    [
        ([], GroupCounts(), True),
        ([READY, READY, SUSPENDED], GroupCounts(healthy=2, resting=1), True),
        ([READY, QUEUED], GroupCounts(healthy=1, waiting=1), False),
        ([READY, STALLED], GroupCounts(healthy=1, failed=1), False),
    ],
)
def test_all_are_healthy_when_nothing_is_missing(
    sessions: list[dict[str, Any]], expected: GroupCounts, *, healthy: bool
) -> None:
    """Nothing failed and nothing waits; what somebody suspended is as it should be."""
    found = count_groups(sessions)

    assert (expected, healthy) == (found, found.is_healthy)
    assert len(sessions) == found.sessions
