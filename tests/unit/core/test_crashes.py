"""The operator ends after each of its requests, once per request, and the end is the same as if it had not.

The same story is told again and again, each time with a crash one request later, and a new operator that knows only
what stands in the objects. Compared are the end state and how often pods and claims were made and deleted.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.fake_cluster import Crash, FakeCluster

pytestmark = pytest.mark.slow

Scenario = Callable[[FakeCluster], None]


class Restarting(FakeCluster):
    """A cluster whose operator is replaced by a new one where it ends."""

    def resync(self) -> None:
        """Let the operator look at everything, and its successor if it ends."""
        try:
            super().resync()
        except Crash:
            reports = self.memory.reports  # the runners still run, and say the same to the next one
            self.restart_operator()
            self.memory.reports = reports
            super().resync()


def start(cluster: FakeCluster) -> None:
    """A session comes up and is connected."""
    cluster.set_quota(sessions=1)
    cluster.apply()
    cluster.settle()
    cluster.say(RunnerState.CONNECTED, linked_time=cluster.now)
    cluster.settle()


def fail_and_recover(cluster: FakeCluster) -> None:
    """Its runner fails; the next pod comes after its wait."""
    start(cluster)
    cluster.tick(60)
    cluster.end(code=33, message="out of memory")
    cluster.resync()
    cluster.gone()
    cluster.resync()
    cluster.tick(6)
    cluster.settle()


def exhaust(cluster: FakeCluster) -> None:
    """It fails too often."""
    cluster.set_quota()
    cluster.apply(spec={"recovery": {"maxAttempts": 1}})
    for _ in range(2):
        cluster.settle()
        cluster.tick(10)
        cluster.end(code=30)
        cluster.resync()
        cluster.gone()
        cluster.tick(10)
    cluster.settle()


def evict(cluster: FakeCluster) -> None:
    """It is evicted and replaced."""
    start(cluster)
    cluster.tick(60)
    cluster.evict()
    cluster.settle()


def replaced_and_evicted(cluster: FakeCluster) -> None:
    """It is in a conflict when it is evicted."""
    start(cluster)
    cluster.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    cluster.resync()
    cluster.evict()
    cluster.settle()


def replaced_and_restarted(cluster: FakeCluster) -> None:
    """Then a person takes over."""
    replaced_and_evicted(cluster)
    cluster.annotate(restart_at="2026-11-22T19:00:00Z")
    cluster.settle()


def suspend_and_resume(cluster: FakeCluster) -> None:
    """It rests and wakes."""
    start(cluster)
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()
    cluster.apply(spec={})
    cluster.settle()


def hand_over(cluster: FakeCluster) -> None:
    """Two want one place; the first is suspended."""
    cluster.set_quota(sessions=1)
    cluster.apply("sales")
    cluster.tick(1)
    cluster.apply("support")
    cluster.settle()
    cluster.apply("sales", spec={"operatingMode": "Suspended"})
    cluster.settle()


def delete_and_apply_again(cluster: FakeCluster) -> None:
    """Deleted and re-applied: the claim is the same."""
    start(cluster)
    cluster.delete_session()
    cluster.memory.reports.clear()
    cluster.apply(uid="another")
    cluster.settle()


def edit_the_pvc(cluster: FakeCluster) -> None:
    """The profile grows and will go with the session."""
    start(cluster)
    cluster.apply(spec={"profile": {"size": "2Gi", "retention": "Delete"}})
    cluster.settle()


def end_of(cluster: FakeCluster) -> dict[str, Any]:
    """Return what matters at the end: the statuses without times and UIDs of pods, the objects, what was created."""
    statuses = {}
    for name in cluster.sessions:
        status = cluster.status(name)
        recovery = status.recovery
        statuses[name] = {
            "state": status.state,
            "conditions": {found.type: (str(found.status), found.reason) for found in status.conditions},
            "failures": recovery and (recovery.consecutive_failures, recovery.restarts),
            "admitted": status.admission is not None,
            "handled": status.handled_requests,
        }
    made = Counter((type(action).__name__) for action in cluster.done)
    return {
        "statuses": statuses,
        "pods": sorted(cluster.pods),
        "claims": {name: pvc["spec"] for name, pvc in cluster.pvcs.items()},
        "made": {kind: made[kind] for kind in ("CreatePod", "DeletePod", "CreatePVC", "PatchPVC")},
    }


@pytest.mark.parametrize(
    "scenario",
    [
        start,
        fail_and_recover,
        exhaust,
        evict,
        replaced_and_evicted,
        replaced_and_restarted,
        suspend_and_resume,
        hand_over,
        delete_and_apply_again,
        edit_the_pvc,
    ],
)
def test_a_crash_after_any_request_changes_nothing_in_the_end(scenario: Scenario) -> None:
    """Neither the end state nor how many pods and claims were made, deleted or changed."""
    undisturbed = Restarting()
    scenario(undisturbed)
    expected = end_of(undisturbed)

    assert undisturbed.writes > 4
    for request in range(undisturbed.writes):
        cluster = Restarting(crash_after=request)
        scenario(cluster)
        assert expected == end_of(cluster), f"crash after request {request}"
