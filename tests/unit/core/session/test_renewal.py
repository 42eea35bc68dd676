"""A pod whose key ends is replaced before it does: in turn, and as any pod is that a person asked to replace."""

from bisect import bisect_left
from dataclasses import replace
from datetime import timedelta

import pytest
from support.facts import T0
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.api.conditions import is_true
from whatsapp_operator.core.decision import Decision, DeletePod
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.core.session.renewal import CATCH_UP, MARGIN, WINDOW, renewal_time

LAST_DAY = T0 + timedelta(days=30)
UIDS = [SessionUID(f"session-{number}") for number in range(2000)]


def decided(cluster: FakeCluster, *, minutes: float) -> Decision:
    """Return the decision about the session where its turn is so many minutes from now."""
    seen = replace(cluster.observe(), renew_at=cluster.now + timedelta(minutes=minutes))
    return decide(seen, cluster.defaults)


def test_when_its_turn_has_come_a_running_pod_is_deleted_gracefully() -> None:
    """The next one gets the current key; it is no failure and no stop."""
    decision = decided(running(), minutes=0)

    (delete,) = decision.actions
    assert isinstance(delete, DeletePod)
    assert ("sales", "KeyEnds", None) == (delete.name, delete.reason, delete.grace)
    assert is_true(decision.status.conditions, "Recovering")
    assert decision.status.recovery is not None
    assert 0 == decision.status.recovery.consecutive_failures


def test_until_then_it_is_left_alone_and_looked_at_again() -> None:
    """At the very moment."""
    cluster = running()
    decision = decided(cluster, minutes=1 / 6)

    assert ((), cluster.now + timedelta(seconds=10)) == (decision.actions, decision.requeue_at)
    assert cluster.status().to_dict() == decision.status.to_dict()


def test_a_terminating_pod_is_not_deleted_again() -> None:
    """It ends for whatever reason; the next one has the current key in any case."""
    cluster = running()
    cluster.delete_pod()

    assert () == decided(cluster, minutes=0).actions


@pytest.mark.parametrize("state", ["Conflict", "TemporarilyBanned"])
def test_a_session_that_waits_for_a_person_keeps_its_pod(state: str) -> None:
    """A new pod would do harm: the runner goes on alone when its key ends, until somebody decides."""
    assert () == decided(running(state=state), minutes=0).actions


def test_sessions_take_turns_over_six_days() -> None:
    """All before the last day's eve, evenly, and each at a moment that never changes."""
    moments = sorted(renewal_time(uid, last_day=LAST_DAY, since=T0) for uid in UIDS)
    first, last = LAST_DAY - MARGIN - WINDOW, LAST_DAY - MARGIN

    assert first <= moments[0]
    assert moments[-1] < last
    busiest = max(bisect_left(moments, start + timedelta(hours=6)) - bisect_left(moments, start) for start in moments)
    assert busiest < 2 * len(UIDS) / 24
    assert moments == sorted(renewal_time(uid, last_day=LAST_DAY, since=first) for uid in UIDS)


def test_missed_turns_are_caught_up_within_an_hour_and_not_at_once() -> None:
    """The operator was away for a month, or the key is gone."""
    since = LAST_DAY + timedelta(days=3)
    moments = [renewal_time(uid, last_day=LAST_DAY, since=since) for uid in UIDS]

    assert since <= min(moments)
    assert max(moments) <= since + CATCH_UP
    assert len(UIDS) / 20 > sum(moment < since + CATCH_UP / 60 for moment in moments)
