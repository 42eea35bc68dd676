"""What follows when a pod ends: failures are counted and backed off, losses are replaced, all of it told first."""

from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.world import World, running
from whatsapp_operator.api.session import RecoveryStatus
from whatsapp_operator.core.model import CreatePod, DeletePod


def recovery(world: World) -> RecoveryStatus:
    """Return what is recorded; it must be there."""
    found = world.status().recovery
    assert found is not None
    return found


def created(world: World) -> int:
    """Return how many pods were made."""
    return sum(isinstance(action, CreatePod) for action in world.done)


def fail(world: World, **ending: Any) -> None:
    """The runner fails, the pod is deleted and goes."""
    world.tick(5)
    world.end(**({"code": 30} | ending))
    world.resync()
    world.gone()
    world.resync()


def test_a_failure_is_in_status_before_its_pod_is_deleted() -> None:
    """The pod is the only proof: reason, exit code, last words."""
    world = running()
    world.tick(5)
    world.end(code=33, reason="OOMKilled", message="Chromium was killed at the memory limit.")

    decision = world.look_once()

    assert decision.commit
    assert () == decision.actions
    assert {
        "reason": "OutOfMemory",
        "exitCode": 33,
        "time": "2026-11-22T18:00:10Z",
        "message": "Chromium was killed at the memory limit.",
        "podUID": world.pods["sales"]["metadata"]["uid"],
    } == recovery(world).to_dict()["lastFailure"]
    assert isinstance(world.decide().actions[0], DeletePod)


def test_it_is_counted_once_however_often_it_is_looked_at() -> None:
    """Also after the operator ended between the two steps."""
    world = running()
    world.end(code=30)
    for _ in range(3):
        world.look_once()
        world.restart_operator()

    assert 1 == recovery(world).consecutive_failures


def test_the_next_pod_waits_for_its_time() -> None:
    """BaseDelay after the failure, told with the time; the place is kept."""
    world = running()
    fail(world)

    assert ("True", "BackingOff") == world.says("Recovering")
    assert (
        "The session failed once (last: PageCrashed, exit code 30). The next pod is made at 2026-11-22T18:00:15Z."
        == (world.condition("Recovering").message)
    )
    assert ("Recovering", 0) == (world.status().state, world.status().replicas)
    assert ("True", "Admitted") == world.says("Admitted")
    assert world.now + timedelta(seconds=5) == world.decide().requeue_at

    world.tick(4)
    world.resync()
    assert 1 == created(world)
    world.tick(1)
    world.resync()
    assert 2 == created(world)
    world.run()
    world.resync()
    assert 1 == recovery(world).restarts
    assert recovery(world).next_attempt_time is None


def test_each_failure_in_a_row_waits_longer_and_the_sixth_stalls() -> None:
    """5, 10, 20, 40, 80 s; then only a person helps, and is told how."""
    world = running()
    waits = []
    for _ in range(5):
        fail(world)
        due = recovery(world).next_attempt_time
        assert due is not None
        waits.append((due - world.now).total_seconds())
        world.now = due
        world.settle(passes=2)
    fail(world)

    assert [5, 10, 20, 40, 80] == waits
    assert ("True", "RecoveryExhausted") == world.says("Stalled")
    message = world.condition("Stalled").message
    assert "failed 6 times in a row (last: PageCrashed, exit code 30)" in message
    assert "wasession.dev/restart-at" in message
    assert ("Stalled", None) == (world.status().state, world.status().admission)
    assert ("False", "SlotReleased") == world.says("Admitted")
    world.tick(100000)
    world.settle()
    assert 6 == created(world)


@pytest.mark.parametrize("remedy", ["edit", "restart", "relink"])
def test_an_edit_or_a_request_goes_on_from_the_beginning(remedy: str) -> None:
    """At once, with a new count, and admitted anew."""
    world = running(spec={"recovery": {"maxAttempts": 1}})
    fail(world)
    world.tick(5)
    world.settle()
    fail(world)
    assert ("True", "RecoveryExhausted") == world.says("Stalled")

    if remedy == "edit":
        world.apply(spec={"recovery": {"maxAttempts": 1}, "pod": {"image": "fixed"}})
    else:
        world.annotate(**{f"{remedy}_at": "2026-11-22T19:00:00Z"})
    world.settle()

    assert (3, 0) == (created(world), recovery(world).consecutive_failures)
    assert ("False", "NotStalled") == world.says("Stalled")
    assert "PageCrashed" == (recovery(world).last_failure or recovery(world)).to_dict()["reason"]


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_request_that_is_taken_back_forgives_nothing(request_: str, *, restarted: bool) -> None:
    """It waited for a place; without it the session is as exhausted as before. Asked again, it begins anew."""
    world = running(spec={"recovery": {"maxAttempts": 1}})
    fail(world)
    world.tick(5)
    world.settle()
    fail(world)
    world.set_quota(sessions=0)
    world.annotate(**{request_: "2026-11-22T19:00:00Z"})
    world.settle()
    assert (("False", "QuotaExceeded"), 2) == (world.says("Ready"), recovery(world).consecutive_failures)
    assert ("False", "NotStalled") == world.says("Stalled")

    world.sessions["sales"]["metadata"]["annotations"].clear()
    if restarted:
        world.restart_operator()
    world.set_quota(sessions=1)
    world.settle()
    assert (2, 2) == (created(world), recovery(world).consecutive_failures)
    assert ("True", "RecoveryExhausted") == world.says("Stalled")

    world.annotate(**{request_: "2026-11-22T19:00:00Z"})
    world.settle()
    assert (3, 0) == (created(world), recovery(world).consecutive_failures)


def test_an_edit_forgives_though_a_request_waits_too() -> None:
    """And stays what it was when the request is taken back."""
    world = running(spec={"recovery": {"maxAttempts": 1}})
    fail(world)
    world.set_quota(sessions=0)
    world.annotate(restart_at="2026-11-22T19:00:00Z")
    world.apply(spec={"recovery": {"maxAttempts": 1}, "pod": {"image": "fixed"}})
    world.settle()
    world.sessions["sales"]["metadata"]["annotations"].clear()
    world.settle()

    assert 0 == recovery(world).consecutive_failures


def test_an_edit_during_the_wait_is_tried_at_once() -> None:
    """The person may have fixed it."""
    world = running()
    fail(world)
    world.apply(spec={"pod": {"image": "fixed"}})
    world.resync()

    assert 2 == created(world)


def test_ten_minutes_of_one_container_forgive() -> None:
    """Linked or not; and the time to look again is told."""
    world = running(state=RunnerState.QR_PENDING)
    fail(world)
    world.tick(5)
    world.settle()
    started = world.now
    assert 1 == recovery(world).consecutive_failures

    world.tick(599)
    world.say(RunnerState.QR_PENDING)
    assert started + timedelta(minutes=10) == world.look().requeue_at
    assert 1 == recovery(world).consecutive_failures
    world.tick(1)
    world.look()
    assert 0 == recovery(world).consecutive_failures
    assert recovery(world).last_failure is not None


@pytest.mark.parametrize("state", [RunnerState.QR_PENDING, RunnerState.LINK_EXPIRED, RunnerState.OFFLINE])
def test_waiting_for_a_person_or_the_network_is_no_failure(state: RunnerState) -> None:
    """However long."""
    world = running(state=state)
    for _ in range(5):
        world.tick(3600)
        world.keep_answering()
        world.look()

    assert (1, 0) == (created(world), recovery(world).consecutive_failures)


def test_a_deleted_pod_is_replaced_at_once_and_not_counted() -> None:
    """When its object is gone, never before: there is one pod at a time."""
    world = running()
    world.delete_pod()
    world.resync()
    assert 1 == created(world)
    assert ("True", "PodTerminating") == world.says("Recovering")
    world.settle()

    assert (2, 0, 1) == (created(world), recovery(world).consecutive_failures, recovery(world).restarts)


def test_a_pod_whose_deletion_nobody_saw_is_replaced_too() -> None:
    """It is simply not there."""
    world = running()
    world.gone()
    world.resync()

    assert 2 == created(world)
    world.run()
    world.resync()
    assert (0, 1) == (recovery(world).consecutive_failures, recovery(world).restarts)
    assert ("False", "NotRecovering") == world.says("Recovering")


def test_an_evicted_pod_is_told_then_deleted_then_replaced() -> None:
    """Its object stays as failed until somebody deletes it; its message is kept in status first."""
    world = running()
    world.tick(5)
    world.evict()

    assert world.look_once().commit
    assert ("True", "Evicted") == world.says("Recovering")
    assert "The pod was lost: The node was low on resource: memory." == world.condition("Recovering").message
    world.look()
    assert isinstance(world.done[-1], DeletePod)
    world.gone()
    world.resync()

    assert (2, 0) == (created(world), recovery(world).consecutive_failures)


def test_a_node_that_evicts_at_once_makes_no_storm() -> None:
    """A pod that never started is replaced baseDelay after it was made, counted or not."""
    world = running()
    world.gone()
    world.resync()
    for _ in range(3):
        before = created(world)
        made = world.now
        world.tick(1)
        world.evict()
        world.resync()
        world.gone()
        world.resync()
        assert before == created(world)
        assert made + timedelta(seconds=5) == world.decide().requeue_at
        assert ("True", "ReplacingPod") == world.says("Recovering")
        world.tick(4)
        world.resync()
        assert before + 1 == created(world)
    assert 0 == recovery(world).consecutive_failures


def test_a_pod_that_was_deleted_while_failing_does_not_count() -> None:
    """Somebody asked it to end; how it did is its own business."""
    world = running()
    world.delete_pod()
    world.end(code=40)
    world.resync()
    world.gone()
    world.resync()

    assert (2, 0) == (created(world), recovery(world).consecutive_failures)


def test_a_runner_that_keeps_saying_crashed_is_replaced() -> None:
    """It should have exited by itself; healthCheck later its word counts as a failure."""
    world = running()
    world.say(RunnerState.CRASHED, message="The page died.")
    world.look()
    assert world.now + timedelta(seconds=15) == world.decide().requeue_at
    for _ in range(4):
        world.tick(10)
        world.keep_answering()
        world.look()
    assert [] == [action for action in world.done if isinstance(action, DeletePod)]
    world.tick(5)
    world.keep_answering()
    assert world.look_once().commit
    world.look()

    failure = recovery(world).last_failure
    assert failure is not None
    assert ("Crashed", None, "The page died.") == (failure.reason, failure.exit_code, failure.message)
    assert isinstance(world.done[-1], DeletePod)
    world.end(code=30)
    world.resync()
    assert 1 == recovery(world).consecutive_failures


PAUSED = "Recovery is paused"


def fleet(*, failing: int, of: int) -> World:
    """Return a world with that many sessions, of which some fail together."""
    world = World()
    world.set_quota()
    for number in range(of):
        world.apply(f"s{number}")
    world.settle()
    world.tick(10)
    for number in range(failing):
        world.end(f"s{number}", code=21)
    for _ in range(3):
        world.resync()
        for name in [name for name, pod in world.pods.items() if pod["metadata"].get("deletionTimestamp")]:
            world.gone(name)
    world.tick(10)
    return world


def test_recovery_pauses_when_more_than_a_third_fail_together() -> None:
    """What failed waits; it is told why."""
    world = fleet(failing=3, of=6)
    world.resync()

    assert ("True", "RecoveryPaused") == world.says("Recovering", "s0")
    assert world.condition("Recovering", "s0").message.startswith(PAUSED)
    assert ("Recovering", 6) == (world.status("s0").state, created(world))


def test_a_third_is_not_more_than_a_third() -> None:
    """Two of six go on as usual."""
    world = fleet(failing=2, of=6)
    world.resync()

    assert 8 == created(world)


def test_during_a_pause_first_starts_and_lost_pods_go_on() -> None:
    """Only what would answer a failure waits."""
    world = fleet(failing=3, of=6)
    world.resync()
    world.apply("late")
    world.gone("s5")
    world.settle()

    assert {"late", "s3", "s4", "s5"} == world.pods.keys()


def test_during_a_pause_a_bad_word_is_left_alone() -> None:
    """The pod lives; it may end by itself, and its end will be counted."""
    world = fleet(failing=3, of=6)
    world.resync()
    world.say(RunnerState.CRASHED, "s4")
    world.tick(60)
    world.keep_answering()
    world.resync()

    assert "s4" in world.pods
    assert world.pods["s4"]["metadata"].get("deletionTimestamp") is None
    assert "Crashed" == world.status("s4").state


def test_the_pause_ends_after_five_quiet_minutes() -> None:
    """By itself; an operator that restarted meanwhile knew it too."""
    world = fleet(failing=3, of=6)
    world.restart_operator()
    world.resync()
    world.resync()
    assert 6 == created(world)

    world.tick(291)
    world.settle()
    assert 9 == created(world)
    assert ("False", "NotRecovering") == world.says("Recovering", "s0")


def test_each_pod_that_came_and_went_unwritten_is_a_restart() -> None:
    """Two pods between two writes of status are two restarts, and the next look counts none of them again."""
    world = running()
    for _ in range(2):
        world.gone()
        world.look_once()
        assert "sales" in world.pods
    world.settle()
    world.settle()

    recovery = world.status().recovery
    assert recovery is not None
    assert 2 == recovery.restarts
    assert world.pods["sales"]["metadata"]["uid"] == world.status().pod_uid


def test_a_first_pod_that_nobody_wrote_down_is_no_restart() -> None:
    """The one that followed it is."""
    world = World()
    world.set_quota()
    world.apply()
    world.look()
    world.admission_round()
    for _ in range(2):
        world.look_once()
    assert "sales" in world.pods
    world.gone()
    world.look_once()
    world.settle()

    recovery = world.status().recovery
    assert recovery is not None
    assert 1 == recovery.restarts


def test_a_pod_that_is_gone_unwritten_is_told_of_as_the_last_one() -> None:
    """Its UID is in status with its loss: nobody waits for it, and it is counted once."""
    world = running()
    world.set_quota(sessions=1)
    world.gone()
    world.look_once()
    second = world.pods["sales"]["metadata"]["uid"]
    world.gone()
    world.refuse.add(CreatePod)
    world.look()

    status = world.status()
    assert (second, 0) == (status.pod_uid, status.replicas)
    world.refuse.clear()
    world.tick(60)
    world.settle()
    recovery = world.status().recovery
    assert recovery is not None
    assert 2 == recovery.restarts
