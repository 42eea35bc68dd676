"""What follows when a pod ends: failures are counted and backed off, losses are replaced, all of it told first."""

from datetime import timedelta
from typing import Any

import pytest
from session_protocol.times import format_time
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.api.constants import TEMPLATE_HASH_ANNOTATION
from whatsapp_operator.api.session import RecoveryStatus
from whatsapp_operator.core.decision import CreatePod, DeletePod


def recovery(cluster: FakeCluster) -> RecoveryStatus:
    """Return what is recorded; it must be there."""
    found = cluster.status().recovery
    assert found is not None
    return found


def fail(cluster: FakeCluster, **termination: Any) -> None:
    """The runner fails, the pod is deleted and goes."""
    cluster.tick(5)
    cluster.end(**({"code": 30} | termination))
    cluster.resync()
    cluster.gone()
    cluster.resync()


def test_a_failure_is_in_status_before_its_pod_is_deleted() -> None:
    """The pod is the only proof: reason, exit code, last words, and what it was made from."""
    cluster = running()
    made = cluster.pods["sales"]
    cluster.tick(5)
    cluster.end(code=33, reason="OOMKilled", message="Chromium was killed at the memory limit.")

    decision = cluster.look_once()

    assert decision.commit
    assert () == decision.actions
    assert {
        "reason": "OutOfMemory",
        "exitCode": 33,
        "time": "2026-11-22T18:00:10Z",
        "message": "Chromium was killed at the memory limit.",
        "podUID": made["metadata"]["uid"],
        "image": made["spec"]["containers"][0]["image"],
        "templateHash": made["metadata"]["annotations"][TEMPLATE_HASH_ANNOTATION],
    } == recovery(cluster).to_dict()["lastFailure"]
    assert isinstance(cluster.decide().actions[0], DeletePod)


def test_it_is_counted_once_however_often_it_is_looked_at() -> None:
    """Also after the operator ended between the two steps."""
    cluster = running()
    cluster.end(code=30)
    for _ in range(3):
        cluster.look_once()
        cluster.restart_operator()

    assert 1 == recovery(cluster).consecutive_failures


def test_the_next_pod_waits_for_its_time() -> None:
    """BaseDelay after the failure, told with the time; the place is kept."""
    cluster = running()
    fail(cluster)

    assert ("True", "BackingOff") == cluster.says("Recovering")
    assert (
        "The session failed once (last: PageCrashed, exit code 30). The page's process died. The image is "
        "registry.example/runner:1. The next pod is created at 2026-11-22T18:00:15Z."
        == (cluster.condition("Recovering").message)
    )
    assert ("Recovering", 0) == (cluster.status().state, cluster.status().replicas)
    assert ("True", "Admitted") == cluster.says("Admitted")
    assert cluster.now + timedelta(seconds=5) == cluster.decide().requeue_at

    cluster.tick(4)
    cluster.resync()
    assert 1 == cluster.pods_created
    cluster.tick(1)
    cluster.resync()
    assert 2 == cluster.pods_created
    cluster.run()
    cluster.resync()
    assert 1 == recovery(cluster).restarts
    assert recovery(cluster).next_attempt_time is None


def test_each_failure_in_a_row_waits_longer_and_the_sixth_stalls() -> None:
    """5, 10, 20, 40, 80 s; then only a person helps, and is told how."""
    cluster = running()
    waits = []
    for _ in range(5):
        fail(cluster)
        due = recovery(cluster).next_attempt_time
        assert due is not None
        waits.append((due - cluster.now).total_seconds())
        cluster.now = due
        cluster.settle(passes=2)
    fail(cluster)

    assert [5, 10, 20, 40, 80] == waits
    assert ("True", "RecoveryExhausted") == cluster.says("Stalled")
    message = cluster.condition("Stalled").message
    assert "failed 6 times in a row (last: PageCrashed, exit code 30)" in message
    assert "wasession.dev/restart-at" in message
    assert ("Stalled", None) == (cluster.status().state, cluster.status().admission)
    assert ("False", "SlotReleased") == cluster.says("Admitted")
    cluster.tick(100000)
    cluster.settle()
    assert 6 == cluster.pods_created


@pytest.mark.parametrize("remedy", ["edit", "restart", "relink"])
def test_an_edit_or_a_request_goes_on_from_the_beginning(remedy: str) -> None:
    """At once, with a new count, and admitted anew."""
    cluster = running(spec={"recovery": {"maxAttempts": 1}})
    fail(cluster)
    cluster.tick(5)
    cluster.settle()
    fail(cluster)
    assert ("True", "RecoveryExhausted") == cluster.says("Stalled")

    if remedy == "edit":
        cluster.apply(spec={"recovery": {"maxAttempts": 1}, "pod": {"image": "fixed"}})
    else:
        cluster.annotate(**{f"{remedy}_at": "2026-11-22T19:00:00Z"})
    cluster.settle()

    assert (3, 0) == (cluster.pods_created, recovery(cluster).consecutive_failures)
    assert ("False", "NotStalled") == cluster.says("Stalled")
    assert "PageCrashed" == (recovery(cluster).last_failure or recovery(cluster)).to_dict()["reason"]


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_request_that_is_taken_back_forgives_nothing(request_: str, *, restarted: bool) -> None:
    """It waited for a place; without it the session is as exhausted as before. Asked again, it begins anew."""
    cluster = running(spec={"recovery": {"maxAttempts": 1}})
    fail(cluster)
    cluster.tick(5)
    cluster.settle()
    fail(cluster)
    cluster.set_quota(sessions=0)
    cluster.annotate(**{request_: "2026-11-22T19:00:00Z"})
    cluster.settle()
    assert (("False", "QuotaExceeded"), 2) == (cluster.says("Ready"), recovery(cluster).consecutive_failures)
    assert ("False", "NotStalled") == cluster.says("Stalled")

    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    if restarted:
        cluster.restart_operator()
    cluster.set_quota(sessions=1)
    cluster.settle()
    assert (2, 2) == (cluster.pods_created, recovery(cluster).consecutive_failures)
    assert ("True", "RecoveryExhausted") == cluster.says("Stalled")

    cluster.annotate(**{request_: "2026-11-22T19:00:00Z"})
    cluster.settle()
    assert (3, 0) == (cluster.pods_created, recovery(cluster).consecutive_failures)


def test_an_edit_forgives_though_a_request_waits_too() -> None:
    """And stays what it was when the request is taken back."""
    cluster = running(spec={"recovery": {"maxAttempts": 1}})
    fail(cluster)
    cluster.set_quota(sessions=0)
    cluster.annotate(restart_at="2026-11-22T19:00:00Z")
    cluster.apply(spec={"recovery": {"maxAttempts": 1}, "pod": {"image": "fixed"}})
    cluster.settle()
    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    cluster.settle()

    assert 0 == recovery(cluster).consecutive_failures


def test_an_edit_during_the_wait_is_tried_at_once() -> None:
    """The person may have fixed it."""
    cluster = running()
    fail(cluster)
    cluster.apply(spec={"pod": {"image": "fixed"}})
    cluster.resync()

    assert 2 == cluster.pods_created


def test_ten_minutes_of_one_container_forgive() -> None:
    """Linked or not; and the time to look again is message."""
    cluster = running(state=RunnerState.QR_PENDING)
    fail(cluster)
    cluster.tick(5)
    cluster.settle()
    started = cluster.now
    assert 1 == recovery(cluster).consecutive_failures

    cluster.tick(599)
    cluster.say(RunnerState.QR_PENDING)
    assert started + timedelta(minutes=10) == cluster.look().requeue_at
    assert 1 == recovery(cluster).consecutive_failures
    cluster.tick(1)
    cluster.look()
    assert 0 == recovery(cluster).consecutive_failures
    assert recovery(cluster).last_failure is not None


@pytest.mark.parametrize("state", [RunnerState.QR_PENDING, RunnerState.RESTRICTED, RunnerState.OFFLINE])
def test_waiting_for_a_person_or_the_network_is_no_failure(state: RunnerState) -> None:
    """However long."""
    cluster = running(state=state)
    for _ in range(5):
        cluster.tick(3600)
        cluster.keep_answering()
        cluster.look()

    assert (1, 0) == (cluster.pods_created, recovery(cluster).consecutive_failures)


def test_a_deleted_pod_is_replaced_at_once_and_not_counted() -> None:
    """When its object is gone, never before: there is one pod at a time."""
    cluster = running()
    cluster.delete_pod()
    cluster.resync()
    assert 1 == cluster.pods_created
    assert ("True", "PodTerminating") == cluster.says("Recovering")
    cluster.settle()

    assert (2, 0, 1) == (cluster.pods_created, recovery(cluster).consecutive_failures, recovery(cluster).restarts)


def test_a_pod_whose_deletion_nobody_saw_is_replaced_too() -> None:
    """It is simply not there."""
    cluster = running()
    cluster.gone()
    cluster.resync()

    assert 2 == cluster.pods_created
    cluster.run()
    cluster.resync()
    assert (0, 1) == (recovery(cluster).consecutive_failures, recovery(cluster).restarts)
    assert ("False", "NotRecovering") == cluster.says("Recovering")


def test_an_evicted_pod_is_reported_then_deleted_then_replaced() -> None:
    """Its object stays as failed until somebody deletes it; its message is kept in status first."""
    cluster = running()
    cluster.tick(5)
    cluster.evict()

    assert cluster.look_once().commit
    assert ("True", "Evicted") == cluster.says("Recovering")
    assert "The node ran short of a resource and evicted the pod: The node was low on resource: memory." == (
        cluster.condition("Recovering").message
    )
    cluster.look()
    assert isinstance(cluster.done[-1], DeletePod)
    cluster.gone()
    cluster.resync()

    assert (2, 0) == (cluster.pods_created, recovery(cluster).consecutive_failures)


def test_a_node_that_evicts_at_once_makes_no_storm() -> None:
    """After a pod that never started the next one waits, longer each time; the cause and the time stay message."""
    cluster = running()
    cluster.gone()
    cluster.resync()
    for wait in (5, 10, 20, 40, 80, 160, 300, 300):
        before = cluster.pods_created
        made = cluster.now
        cluster.tick(1)
        cluster.evict()
        cluster.resync()
        cluster.gone()
        cluster.resync()
        assert before == cluster.pods_created
        assert made + timedelta(seconds=wait) == cluster.decide().requeue_at
        assert ("True", "Evicted") == cluster.says("Recovering")
        message = cluster.condition("Recovering").message
        assert message.startswith(
            "The node ran short of a resource and evicted the pod: The node was low on resource: memory."
        )
        assert message.endswith(f". The next pod is created at {format_time(made + timedelta(seconds=wait))}.")
        cluster.tick(wait - 1)
        cluster.resync()
        assert before + 1 == cluster.pods_created
    assert 0 == recovery(cluster).consecutive_failures


def test_a_pod_that_was_deleted_while_failing_does_not_count() -> None:
    """Somebody asked it to end; how it did is its own business."""
    cluster = running()
    cluster.delete_pod()
    cluster.end(code=40)
    cluster.resync()
    cluster.gone()
    cluster.resync()

    assert (2, 0) == (cluster.pods_created, recovery(cluster).consecutive_failures)


@pytest.mark.parametrize("health_check", ["3s", "45s", "24h"])
def test_a_runner_that_keeps_saying_crashed_is_replaced(health_check: str) -> None:
    """It should have exited by itself; 45 s later its word counts as a failure, however long a page may be silent."""
    cluster = running(spec={"timeouts": {"healthCheck": health_check}})
    cluster.say(RunnerState.CRASHED, message="The page died.")
    cluster.look()
    assert cluster.now + timedelta(seconds=15) == cluster.decide().requeue_at
    for _ in range(4):
        cluster.tick(10)
        cluster.keep_answering()
        cluster.look()
    assert [] == [action for action in cluster.done if isinstance(action, DeletePod)]
    cluster.tick(5)
    cluster.keep_answering()
    assert cluster.look_once().commit
    cluster.look()

    failure = recovery(cluster).last_failure
    assert failure is not None
    assert ("Crashed", None, "The page died.") == (failure.reason, failure.exit_code, failure.message)
    assert isinstance(cluster.done[-1], DeletePod)
    cluster.end(code=30)
    cluster.resync()
    assert 1 == recovery(cluster).consecutive_failures


PAUSED = "Recovery is paused"


def fleet(*, failing: int, of: int) -> FakeCluster:
    """Return a cluster with that many sessions, of which some fail together."""
    cluster = FakeCluster()
    cluster.set_quota()
    for number in range(of):
        cluster.apply(f"s{number}")
    cluster.settle()
    cluster.tick(10)
    for number in range(failing):
        cluster.end(f"s{number}", code=21)
    for _ in range(3):
        cluster.resync()
        for name in [name for name, pod in cluster.pods.items() if pod["metadata"].get("deletionTimestamp")]:
            cluster.gone(name)
    cluster.tick(10)
    return cluster


def test_recovery_pauses_when_more_than_a_third_fail_together() -> None:
    """What failed waits; it is told why."""
    cluster = fleet(failing=3, of=6)
    cluster.resync()

    assert ("True", "RecoveryPaused") == cluster.says("Recovering", "s0")
    assert cluster.condition("Recovering", "s0").message.startswith(PAUSED)
    assert ("Recovering", 6) == (cluster.status("s0").state, cluster.pods_created)


def test_a_third_is_not_more_than_a_third() -> None:
    """Two of six go on as usual."""
    cluster = fleet(failing=2, of=6)
    cluster.resync()

    assert 8 == cluster.pods_created


def test_during_a_pause_first_starts_and_lost_pods_go_on() -> None:
    """Only what would answer a failure waits."""
    cluster = fleet(failing=3, of=6)
    cluster.resync()
    cluster.apply("late")
    cluster.gone("s5")
    cluster.settle()

    assert {"late", "s3", "s4", "s5"} == cluster.pods.keys()


def test_during_a_pause_a_bad_report_is_left_alone() -> None:
    """The pod lives; it may end by itself, and its end will be counted."""
    cluster = fleet(failing=3, of=6)
    cluster.resync()
    cluster.say(RunnerState.CRASHED, "s4")
    cluster.tick(60)
    cluster.keep_answering()
    cluster.resync()

    assert "s4" in cluster.pods
    assert cluster.pods["s4"]["metadata"].get("deletionTimestamp") is None
    assert "Crashed" == cluster.status("s4").state


def test_the_pause_ends_after_five_quiet_minutes() -> None:
    """By itself; an operator that restarted meanwhile knew it too."""
    cluster = fleet(failing=3, of=6)
    cluster.restart_operator()
    cluster.resync()
    cluster.resync()
    assert 6 == cluster.pods_created

    cluster.tick(291)
    cluster.settle()
    assert 9 == cluster.pods_created
    assert ("False", "NotRecovering") == cluster.says("Recovering", "s0")


def test_each_pod_that_was_never_in_status_is_a_restart() -> None:
    """Two pods between two writes of status are two restarts, and the next look counts none of them again."""
    cluster = running()
    for _ in range(2):
        cluster.gone()
        cluster.look_once()
        assert "sales" in cluster.pods
    cluster.settle()
    cluster.settle()

    recovery = cluster.status().recovery
    assert recovery is not None
    assert 2 == recovery.restarts
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.status().pod_uid


def test_a_first_pod_that_nobody_wrote_down_is_no_restart() -> None:
    """The one that followed it is."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    cluster.look()
    cluster.admission_round()
    for _ in range(2):
        cluster.look_once()
    assert "sales" in cluster.pods
    cluster.gone()
    cluster.look_once()
    cluster.settle()

    recovery = cluster.status().recovery
    assert recovery is not None
    assert 1 == recovery.restarts


def test_a_pod_that_was_never_in_status_is_named_as_the_last_one() -> None:
    """Its UID is in status with its loss: nobody waits for it, and it is counted once."""
    cluster = running()
    cluster.set_quota(sessions=1)
    cluster.gone()
    cluster.look_once()
    second = cluster.pods["sales"]["metadata"]["uid"]
    cluster.gone()
    cluster.refuse.add(CreatePod)
    cluster.look()

    status = cluster.status()
    assert (second, 0) == (status.pod_uid, status.replicas)
    cluster.refuse.clear()
    cluster.tick(60)
    cluster.settle()
    recovery = cluster.status().recovery
    assert recovery is not None
    assert 2 == recovery.restarts
