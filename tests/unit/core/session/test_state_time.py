"""Since when a session is in its state: a time in status, that only another state changes."""

from dataclasses import replace
from datetime import timedelta

from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.session.decide import decide


def say(cluster: FakeCluster, state: str, *, after: float) -> None:
    """The runner reports a state, so many seconds later, and the operator looks until it is written."""
    cluster.tick(after)
    cluster.say(state)
    for _ in range(3):
        cluster.tick(1)
        cluster.keep_answering()
        cluster.resync()


def test_it_is_the_time_of_the_change() -> None:
    """And stays while the state does, whatever else is written."""
    cluster = running()
    say(cluster, "Offline", after=100)
    first = cluster.status().state_transition_time
    say(cluster, "Offline", after=100)
    second = cluster.status().state_transition_time
    say(cluster, "Connected", after=100)
    third = cluster.status().state_transition_time

    assert first is not None
    assert third is not None
    assert first == second
    assert timedelta(seconds=200) <= third - first <= timedelta(seconds=210)


def test_it_outlives_the_operators_process() -> None:
    """A new process writes nothing, and goes by what is stored."""
    cluster = running()
    say(cluster, "Restricted", after=100)
    before, writes = cluster.status().state_transition_time, cluster.status_writes
    cluster.tick(600)
    cluster.restart_operator()
    cluster.resync()
    cluster.say("Restricted")
    cluster.resync()

    assert (before, writes) == (cluster.status().state_transition_time, cluster.status_writes)


def test_a_status_without_it_stays_without_it() -> None:
    """Another release wrote it: nobody knows since when, and an upgrade writes no status for that."""
    cluster = running()
    say(cluster, "Connected", after=10)
    older = cluster.session("sales").with_status(cluster.status().model_copy(update={"state_transition_time": None}))
    decision = decide(replace(cluster.observe("sales"), session=older), cluster.defaults)

    assert decision.status.state == older.status.state
    assert decision.status.state_transition_time is None
