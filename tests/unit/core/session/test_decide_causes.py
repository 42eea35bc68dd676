"""What a session says and does about each kind of cause: its own limits, starts that do not come up, a lost node."""

from datetime import timedelta
from typing import Any

import pytest
from unit.core.fake_cluster import FakeCluster, running
from unit.core.raw_objects import without
from whatsapp_operator.api.session import RecoveryStatus
from whatsapp_operator.core.decision import DeletePod
from whatsapp_operator.core.kubelet import Probe, ProbeKill
from whatsapp_operator.core.model import PodUID

OWN_LIMIT = 'Usage of EmptyDir volume "cache" exceeds the limit "1Gi". '


def recovery(cluster: FakeCluster) -> RecoveryStatus:
    """Return what is recorded."""
    return cluster.status().recovery or RecoveryStatus()


def goes(cluster: FakeCluster) -> None:
    """The operator looks, the pod's object goes, the operator looks again."""
    cluster.resync()
    cluster.gone()
    cluster.resync()


def next_pod(cluster: FakeCluster) -> None:
    """Time passes until the next pod runs."""
    due = recovery(cluster).next_attempt_time
    cluster.now = max(cluster.now, due or cluster.now)
    cluster.settle(passes=2)


# --- inside ---------------------------------------------------------------------------------------------------------------


def test_evictions_for_its_own_limit_end_in_a_stop_with_the_kubelets_message() -> None:
    """5, 10, 20, 40, 80 s; then only a person helps, and reads why."""
    cluster = running()
    waits = []
    for _ in range(6):
        cluster.tick(5)
        cluster.evict(message=OWN_LIMIT)
        before = cluster.now
        goes(cluster)
        due = recovery(cluster).next_attempt_time
        waits.append((due - before).total_seconds() if due is not None else None)
        next_pod(cluster)

    assert [5, 10, 20, 40, 80, None] == waits
    assert ("True", "RecoveryExhausted") == cluster.says("Stalled")
    message = cluster.condition("Stalled").message
    assert message.startswith(
        "The session failed 6 times in a row (last: Evicted, exit code 137). Usage of EmptyDir volume "
        '"cache" exceeds the limit "1Gi". Fix the cause'
    )
    cluster.tick(100000)
    cluster.settle()
    assert 6 == cluster.pods_created


@pytest.mark.parametrize("probe", Probe)
def test_a_probe_that_ended_the_container_is_the_reason(probe: Probe) -> None:
    """Not "Stopped, exit code 0"; it counts, is told in the condition, and by an event."""
    cluster = running()
    uid = PodUID(cluster.pods["sales"]["metadata"]["uid"])
    cluster.end(code=0, reason="Completed")
    cluster.memory.probe_kills["sales"] = ProbeKill(pod_uid=uid, probe=probe, note="context deadline exceeded")
    cluster.resync()

    failure = recovery(cluster).last_failure
    assert failure is not None
    assert (f"{probe.capitalize()}ProbeFailed", 0, 1) == (
        failure.reason,
        failure.exit_code,
        recovery(cluster).consecutive_failures,
    )
    assert f"its {probe} probe failed: the runner did not answer" in cluster.condition("Recovering").message
    assert failure.reason in [event.reason for event in cluster.events]


def test_a_cause_is_named_once_for_the_metric() -> None:
    """With the status that is the first to tell it; an unknown one, too."""
    cluster = running()
    cluster.end(code=77)
    first = cluster.look_once()
    cluster.look()

    assert ("Unknown",) == first.causes
    assert () == cluster.decide().causes


# --- outside --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu"),
        ("UnexpectedAdmissionError", "Pod was rejected: Allocate failed, which is unexpected"),
        ("Bewitched", "Pod was rejected: for a reason of a later kubelet"),
    ],
)
def test_a_node_that_refuses_each_pod_for_an_hour_stalls_nothing(reason: str, message: str) -> None:
    """The wait grows to five minutes, the place is kept, cause and time are told; it is over by itself."""
    cluster = running(spec={"recovery": {"maxAttempts": 1}})
    cluster.gone()
    cluster.resync()
    begin = cluster.now
    while cluster.now < begin + timedelta(minutes=50):
        cluster.pods["sales"]["status"] |= {"phase": "Failed", "reason": reason, "message": message}
        goes(cluster)
        assert ("True", reason) == cluster.says("Recovering")
        assert f"The node refused the pod: {message}" in cluster.condition("Ready").message
        assert "The next pod is created at" in cluster.condition("Ready").message
        assert ("True", "Admitted") == cluster.says("Admitted")
        cluster.now = cluster.decide().requeue_at or cluster.now
        cluster.resync()
    tries = cluster.pods_created

    cluster.settle()
    cluster.tick(30)
    cluster.resync()

    assert 14 <= tries <= 20
    assert (0, 0, None) == (
        recovery(cluster).consecutive_failures,
        (recovery(cluster).failed_starts or 0),
        recovery(cluster).last_failure,
    )
    assert ("False", "NotStalled") == cluster.says("Stalled")
    assert ("False", "NotRecovering") == cluster.says("Recovering")


@pytest.mark.parametrize("scheduled", [False, True])
def test_pods_that_are_deleted_before_they_run_are_paced(*, scheduled: bool) -> None:
    """By whomever, with a node or without: the next waits longer each time, and who reads it learns how often."""
    cluster = running()
    waits = []
    cluster.gone()
    cluster.resync()
    for _ in range(9):
        made = cluster.now
        if scheduled:
            cluster.schedule()
            cluster.delete_pod()
            cluster.resync()
        cluster.gone()
        cluster.resync()
        assert ("True", "DeletedBeforeStart") == cluster.says("Recovering")
        due = cluster.decide().requeue_at
        assert due is not None
        waits.append((due - made).total_seconds())
        cluster.now = due
        cluster.resync()

    assert [5, 10, 20, 40, 80, 160, 300, 300, 300] == waits
    cluster.settle()
    assert 9 == (recovery(cluster).failed_starts or 0)
    cluster.tick(30)
    cluster.resync()
    assert (0, 0) == ((recovery(cluster).failed_starts or 0), recovery(cluster).consecutive_failures)


def test_a_running_pod_that_is_deleted_is_replaced_at_once() -> None:
    """Also right after starts that did not come up: it ran, so they are over."""
    cluster = running()
    cluster.gone()
    cluster.resync()
    cluster.gone()
    cluster.resync()
    next_pod(cluster)
    before = cluster.pods_created
    cluster.gone()
    cluster.resync()

    assert before + 1 == cluster.pods_created


@pytest.mark.parametrize("remedy", ["edit", "request", "suspension"])
def test_what_a_person_does_ends_the_wait(remedy: str) -> None:
    """It is tried at once, and the count begins anew."""
    cluster = running()
    cluster.gone()
    cluster.resync()
    for _ in range(3):
        cluster.gone()
        cluster.resync()
        cluster.now = cluster.decide().requeue_at or cluster.now
        cluster.resync()
    cluster.gone()
    cluster.resync()
    before = cluster.pods_created

    if remedy == "edit":
        cluster.apply(spec={"pod": {"image": "fixed"}})
    elif remedy == "request":
        cluster.annotate(restart_at="2026-11-22T19:00:00Z")
    else:
        cluster.apply(spec={"operatingMode": "Suspended"})
        cluster.settle()
        cluster.apply()
    cluster.resync()

    assert before + 1 == cluster.pods_created
    assert 0 == (recovery(cluster).failed_starts or 0)


def test_a_pod_that_the_operator_ends_itself_is_no_failed_start() -> None:
    """A restart request for a pod that waits: the next one comes at once."""
    cluster = running()
    cluster.gone()
    cluster.resync()
    cluster.schedule()
    cluster.annotate(restart_at="2026-11-22T19:00:00Z")
    cluster.resync()
    before = cluster.pods_created
    cluster.gone()
    cluster.resync()

    assert (before + 1, 0) == (cluster.pods_created, (recovery(cluster).failed_starts or 0))


def test_the_wait_survives_a_restart_of_the_operator() -> None:
    """It is in status, with the count."""
    cluster = running()
    for _ in range(4):
        cluster.gone()
        cluster.resync()
        cluster.now = cluster.decide().requeue_at or cluster.now
        cluster.resync()
    cluster.gone()
    cluster.resync()
    due, before = recovery(cluster).next_attempt_time, cluster.pods_created

    cluster.restart_operator()
    cluster.resync()

    assert due is not None
    assert (due, before) == (recovery(cluster).next_attempt_time, cluster.pods_created)
    assert ("True", "DeletedBeforeStart") == cluster.says("Recovering")


def test_seven_evictions_in_ten_minutes_are_replaced_at_once() -> None:
    """By the node's pressure: nothing is counted, nothing waits, and the session never stalls."""
    cluster = running(spec={"recovery": {"maxAttempts": 1}})
    for number in range(7):
        cluster.tick(85)
        cluster.evict()
        goes(cluster)
        assert number + 2 == cluster.pods_created
        cluster.settle(passes=1)

    assert (0, 7) == (recovery(cluster).consecutive_failures, recovery(cluster).restarts)
    assert ("False", "NotStalled") == cluster.says("Stalled")


def node_is_silent(cluster: FakeCluster) -> None:
    """The node controller takes the pod's readiness away, as it does when a node does not report any more."""
    pod = cluster.pods["sales"]
    conditions = [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]
    pod["status"]["conditions"] = [*without(pod, "Ready"), *conditions]


BAD: dict[str, Any] = {
    "failed": lambda cluster: cluster.end(code=30),
    "own limit": lambda cluster: cluster.evict(message=OWN_LIMIT),
    "evicted": lambda cluster: cluster.evict(),
    "drained": lambda cluster: cluster.delete_pod(disrupted=True),
    "deleted": lambda cluster: cluster.delete_pod(),
    "lost node": node_is_silent,
    "vanished": lambda cluster: cluster.gone(),
    "dead page": lambda cluster: cluster.say("Crashed"),
    "conflict": lambda cluster: cluster.say("Conflict", reason="Replaced"),
    "unknown": lambda cluster: cluster.end(code=77),
}


@pytest.mark.parametrize("state", BAD)
def test_a_session_in_any_bad_state_can_be_put_to_rest(state: str) -> None:
    """Its pod ends, its place is given back, nothing is made anew; and it comes back when it is wanted."""
    cluster = running()
    BAD[state](cluster)
    cluster.resync()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()
    cluster.tick(1000)
    cluster.settle()

    assert {} == cluster.pods
    assert ("True", "Suspended") == cluster.says("Suspended")
    assert (None, 0) == (cluster.status().admission, (recovery(cluster).failed_starts or 0))
    cluster.apply()
    cluster.settle()
    assert "sales" in cluster.pods


# --- a node that does not answer ----------------------------------------------------------------------------------------------


def test_a_silent_node_is_named_within_a_minute_with_what_can_be_done() -> None:
    """The runner is silent, and the node controller has taken the readiness away; nothing is made beside the pod."""
    cluster = running()
    cluster.tick(50)
    node_is_silent(cluster)
    cluster.resync()

    assert ("Unknown", "NodeLost") == cluster.says("Ready")
    assert ("False", "NodeLost") == cluster.says("PodReady")
    message = cluster.condition("Ready").message
    assert "The node node-1 does not report to the cluster any more" in message
    assert "kubectl taint nodes node-1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute" in message
    assert 1 == cluster.pods_created


def test_a_deleted_pod_on_a_silent_node_is_waited_for_and_never_forced() -> None:
    """The cluster deletes it after five minutes, and it stays; hours later there is still one pod, and the same words."""
    cluster = running()
    cluster.tick(50)
    node_is_silent(cluster)
    cluster.delete_pod(disrupted=True)
    for _ in range(4):
        cluster.resync()
        assert ("True", "NodeLost") == cluster.says("Recovering")
        assert "out-of-service" in cluster.condition("Ready").message
        cluster.tick(3600)

    assert 1 == cluster.pods_created
    assert [] == [action for action in cluster.done if isinstance(action, DeletePod)]
    cluster.gone()
    cluster.settle()
    assert ("False", "NotRecovering") == cluster.says("Recovering")
    assert 0 == recovery(cluster).consecutive_failures


def test_a_deletion_that_no_kubelet_confirms_is_reported_when_its_time_is_over() -> None:
    """A kubelet that hangs looks like this; the operator looks again at that time by itself."""
    cluster = running()
    cluster.delete_pod()
    cluster.resync()
    assert ("True", "PodTerminating") == cluster.says("Recovering")
    due = cluster.decide().requeue_at
    assert due == cluster.now + timedelta(seconds=75)
    cluster.now = due
    cluster.resync()

    assert ("True", "NodeLost") == cluster.says("Recovering")
    assert "has not confirmed that the pod has ended" in cluster.condition("Recovering").message
    assert cluster.decide().requeue_at is None


def test_a_pod_that_finalizers_keep_names_them() -> None:
    """Whoever set them has to remove them."""
    cluster = running()
    cluster.pods["sales"]["metadata"]["finalizers"] = ["backup.example/copy"]
    cluster.delete_pod()
    cluster.end(code=0)
    cluster.tick(80)
    cluster.resync()

    assert "finalizers keep its object: backup.example/copy" in cluster.condition("Recovering").message


def test_a_node_that_comes_back_ends_the_doubt() -> None:
    """The kubelet reports again, and the session is what its runner says."""
    cluster = running()
    cluster.tick(50)
    node_is_silent(cluster)
    cluster.resync()
    cluster.run()
    cluster.keep_answering()
    cluster.resync()

    assert ("True", "Connected") == cluster.says("Ready")
    assert ("True", "PodReady") == cluster.says("PodReady")


def test_a_session_that_is_put_to_rest_on_a_lost_node_says_what_it_waits_for() -> None:
    """Its pod cannot end there: the place is kept until it does, and the person reads how to go on."""
    cluster = running()
    cluster.tick(50)
    node_is_silent(cluster)
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.resync()

    assert ("False", "Suspending") == cluster.says("Suspended")
    assert "out-of-service" in cluster.condition("Ready").message
    assert cluster.status().admission is not None
    cluster.gone()
    cluster.resync()
    assert ("True", "Suspended") == cluster.says("Suspended")
    assert cluster.status().admission is None


# --- a runner that must not go on -----------------------------------------------------------------------------------------

FULL = "ProfileUnusable: The profile volume is full: 0Mi of 54Mi are free."


def test_an_unusable_profile_is_shown_until_the_next_pod_and_tried_again_more_and_more_slowly() -> None:
    """Also while its pod goes, and while the next one waits: nobody else has deleted it."""
    cluster = running()
    waits, shown = [], set()
    for _ in range(4):
        cluster.end(code=12, message=FULL)
        before = cluster.now
        cluster.resync()
        shown.add(cluster.says("Recovering"))
        cluster.resync()
        shown.add(cluster.says("Recovering"))
        cluster.gone()
        cluster.resync()
        shown.add(cluster.says("Recovering"))
        due = recovery(cluster).next_attempt_time
        assert due is not None
        waits.append((due - before).total_seconds())
        next_pod(cluster)

    assert {("True", "ProfileUnusable")} == shown
    assert ([5, 10, 20, 40], 4) == (waits, recovery(cluster).failed_starts)
    cluster.tick(31)
    cluster.resync()
    assert (None, 0) == (recovery(cluster).failed_starts, recovery(cluster).consecutive_failures)
