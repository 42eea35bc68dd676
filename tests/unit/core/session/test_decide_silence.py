"""Silence is not failure: it is told, and nothing is touched."""

from dataclasses import replace
from datetime import timedelta

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import DEFAULTS, FakeCluster, running
from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.core.model import Rejection
from whatsapp_operator.core.session.decide import decide


def test_fifteen_seconds_without_an_answer_are_reported() -> None:
    """Ready is Unknown, Linked keeps its value, the state is Unreachable; not a second earlier."""
    cluster = running()
    assert cluster.now + timedelta(seconds=15) == cluster.decide().requeue_at
    cluster.tick(14)
    cluster.look()
    assert ("Connected", ("True", "Connected")) == (cluster.status().state, cluster.says("Ready"))
    cluster.tick(1)
    cluster.look()

    assert ("Unreachable", ("Unknown", "RunnerUnreachable")) == (cluster.status().state, cluster.says("Ready"))
    assert ("True", "Linked") == cluster.says("Linked")
    assert cluster.status().link is not None


def test_no_silence_touches_the_pod() -> None:
    """However long, and whatever the last word was."""
    for state in (RunnerState.CONNECTED, RunnerState.CRASHED, RunnerState.UNRESPONSIVE, RunnerState.CONFLICT):
        cluster = running(state=state)
        done = len(cluster.done)
        for _ in range(10):
            cluster.tick(3600)
            cluster.look()
        assert done == len(cluster.done)
        assert "Unreachable" == cluster.status().state


def test_silence_at_rest_writes_nothing() -> None:
    """The message has no growing age in it."""
    cluster = running()
    cluster.tick(15)
    cluster.look()
    writes = cluster.writes
    for _ in range(5):
        cluster.tick(100)
        cluster.look()

    assert writes == cluster.writes
    assert cluster.decide().requeue_at is None


def test_answers_that_do_not_count_are_reported_as_such() -> None:
    """Not as a matter of the network: somebody has to look at the pod's own image."""
    cluster = running()
    cluster.tick(60)
    observation = replace(cluster.observe(), rejection=Rejection.TOO_LARGE)
    ready = find_condition(decide(observation, DEFAULTS).status.conditions, ConditionType.READY)

    assert ready is not None
    assert ("Unknown", "RunnerUnreachable") == (ready.status, ready.reason)
    assert "too many pieces" in ready.message


def test_an_answer_ends_the_silence() -> None:
    """With its own word."""
    cluster = running()
    cluster.tick(60)
    cluster.look()
    cluster.say(RunnerState.CONNECTED)
    cluster.look()

    assert ("True", "Connected") == cluster.says("Ready")


def test_a_runner_that_never_answered_is_reported_too() -> None:
    """From when it is listened to; until then the pod is only starting."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    cluster.settle()
    assert ("Pending", ("False", "RunnerStarting")) == (cluster.status().state, cluster.says("Ready"))
    cluster.tick(15)
    cluster.look()

    assert ("Unreachable", ("Unknown", "RunnerUnreachable")) == (cluster.status().state, cluster.says("Ready"))
    assert ("Unknown", "NotKnown") == cluster.says("Linked")


@pytest.mark.parametrize("state", [RunnerState.CONNECTED, RunnerState.QR_PENDING, RunnerState.CONFLICT])
def test_an_operators_own_restart_is_nobodys_silence(state: RunnerState) -> None:
    """What was said stays until the new operator has listened; then it is told."""
    cluster = running(state=state)
    writes = cluster.writes
    cluster.restart_operator()
    cluster.tick(300)
    cluster.look()
    assert writes == cluster.writes
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.decide().poll
    assert cluster.now + timedelta(seconds=15) == cluster.decide().requeue_at

    cluster.tick(5)
    cluster.say(state, linked_time=cluster.status().link and cluster.status().link.linked_time)  # type: ignore[union-attr]
    cluster.look()
    assert writes == cluster.writes
    cluster.tick(15)
    cluster.look()
    assert "Unreachable" == cluster.status().state


def test_a_report_of_another_pod_is_no_answer() -> None:
    """Nor is one of another session."""
    cluster = running()
    report = cluster.memory.reports["sales"]
    cluster.delete_pod()
    cluster.settle()
    cluster.memory.reports["sales"] = report
    cluster.tick(15)
    cluster.look()

    assert "Unreachable" == cluster.status().state


def test_who_cannot_answer_is_not_listened_to() -> None:
    """A pending pod, an ended one, none."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    assert cluster.decide().poll is None
    cluster.resync()
    cluster.schedule()
    assert cluster.decide().poll is None
    cluster.run()
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.decide().poll
    cluster.end()
    assert cluster.decide().poll is None


def test_a_pod_that_is_terminating_is_polled_and_not_called_unreachable() -> None:
    """Its last word may be that it must not be replaced; its silence is to be expected."""
    cluster = running()
    cluster.delete_pod()
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.decide().poll
    cluster.tick(30)
    cluster.look()

    assert ("Recovering", ("False", "PodTerminating")) == (cluster.status().state, cluster.says("Ready"))
