"""What a person decides: requests, suspension, and sessions that wait for one."""

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.decision import DeletePod

NOW = "2026-11-22T18:30:00Z"
HOLDS = [
    (RunnerState.CONFLICT, StateReason.REPLACED, "Conflict"),
    (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, "TemporarilyBanned"),
    (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, "LoggedOut"),
]


def held(state: str = RunnerState.CONFLICT, reason: str = StateReason.REPLACED) -> FakeCluster:
    """Return a cluster whose session waits for a person, its pod still there."""
    cluster = running()
    cluster.say(state, reason=reason)
    cluster.resync()
    return cluster


# --- restart-at, relink-at


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
def test_a_request_replaces_the_pod_cleanly(request_: str) -> None:
    """Deleted with its grace, and the next one carries the value; handled when that one exists."""
    cluster = running()
    cluster.annotate(**{request_: NOW})
    cluster.look()

    deleted = cluster.done[-1]
    assert isinstance(deleted, DeletePod)
    assert deleted.grace is None
    assert ("True", "RestartRequested") == cluster.says("Recovering")
    assert getattr(cluster.status().handled_requests, request_) is None

    cluster.settle()
    assert 2 == cluster.pods_created
    assert NOW == getattr(cluster.status().handled_requests, request_)
    annotation = f"wasession.dev/{request_.replace('_', '-')}"
    assert NOW == cluster.pods["sales"]["metadata"]["annotations"][annotation]


def test_a_request_is_carried_out_once() -> None:
    """Not at every look, not by the next operator, not when the annotation is taken away."""
    cluster = running()
    cluster.annotate(restart_at=NOW)
    cluster.settle()
    writes = cluster.writes
    cluster.restart_operator()
    cluster.settle()
    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    cluster.settle()

    assert (2, writes) == (cluster.pods_created, cluster.writes)
    assert NOW == cluster.status().handled_requests.restart_at


def test_any_other_value_counts() -> None:
    """Also an earlier time, and no time at all."""
    cluster = running()
    for number, value in enumerate([NOW, "2020-01-01T00:00:00Z", "now"], start=2):
        cluster.annotate(restart_at=value)
        cluster.settle()
        assert (number, value) == (cluster.pods_created, cluster.status().handled_requests.restart_at)


def test_a_request_of_before_the_first_pod_is_carried_out_by_it() -> None:
    """No second pod is made for it."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    cluster.annotate(restart_at=NOW, relink_at=NOW)
    cluster.settle()

    assert (1, NOW, NOW) == (
        cluster.pods_created,
        cluster.status().handled_requests.restart_at,
        cluster.status().handled_requests.relink_at,
    )


def test_a_request_during_the_end_of_a_pod_joins_it() -> None:
    """The pod is ending anyway; one new one carries it."""
    cluster = running()
    cluster.delete_pod()
    cluster.annotate(restart_at=NOW)
    cluster.settle()

    assert (2, NOW) == (cluster.pods_created, cluster.status().handled_requests.restart_at)


def test_a_request_ends_the_wait_after_a_failure() -> None:
    """And the failure is still told first."""
    cluster = running()
    cluster.end(code=30)
    cluster.resync()
    cluster.gone()
    cluster.annotate(restart_at=NOW)
    cluster.settle()

    recovery = cluster.status().recovery
    assert recovery is not None
    assert (2, 0) == (cluster.pods_created, recovery.consecutive_failures)


# --- suspension


def test_suspending_ends_the_pod_keeps_the_claim_and_frees_the_place_when_it_is_gone() -> None:
    """In this order: a place is never free while its pod lives."""
    cluster = running()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.look()

    assert isinstance(cluster.done[-1], DeletePod)
    assert ("False", "Suspending") == cluster.says("Suspended")
    assert cluster.status().admission is not None

    cluster.gone()
    cluster.look()
    assert ("True", "Suspended") == cluster.says("Suspended")
    assert ("False", "Suspended") == cluster.says("Ready")
    assert ("Suspended", 0, None) == (cluster.status().state, cluster.status().replicas, cluster.status().admission)
    assert ("False", "SlotReleased") == cluster.says("Admitted")
    assert "sales-profile" in cluster.pvcs
    assert ("True", "Linked") == cluster.says("Linked")
    assert (None, None) == (cluster.status().node_name, cluster.status().image)


def test_a_session_created_suspended_makes_nothing() -> None:
    """Not even a claim."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()

    assert [] == cluster.done
    assert "Suspended" == cluster.status().state


def test_resuming_is_no_recovery() -> None:
    """It is admitted anew and starts like the first time."""
    cluster = running()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()
    cluster.apply(spec={})
    cluster.look()
    assert ("False", "NotRecovering") == cluster.says("Recovering")
    cluster.settle()

    assert 2 == cluster.pods_created
    assert ("False", "NotSuspended") == cluster.says("Suspended")
    assert "Pending" == cluster.status().state
    assert 1 == (cluster.status().recovery and cluster.status().recovery.restarts)  # type: ignore[union-attr]


def test_a_failed_pod_of_a_suspended_session_is_reported_and_deleted() -> None:
    """Nothing is waited for afterwards."""
    cluster = running()
    cluster.end(code=30)
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.look()
    cluster.gone()
    cluster.look()

    recovery = cluster.status().recovery
    assert recovery is not None
    assert recovery.last_failure is not None
    assert recovery.next_attempt_time is None
    assert ("False", "NotRecovering") == cluster.says("Recovering")


# --- sessions that wait for a person


@pytest.mark.parametrize(("state", "reason", "hold"), HOLDS)
def test_a_reported_hold_is_written_at_once(state: str, reason: str, hold: str) -> None:
    """Before the pod can be lost: a commit. Conflict=True beside it for conflicts alone."""
    cluster = running()
    cluster.say(state, reason=reason)
    decision = cluster.look_once()

    assert decision.commit
    assert ("True", hold) == cluster.says("Stalled")
    assert (hold == "Conflict") == (cluster.condition("Conflict").status == "True")
    assert "wasession.dev/re" in cluster.condition("Stalled").message
    assert (state, ("False", state)) == (cluster.status().state, cluster.says("Ready"))


@pytest.mark.parametrize(("state", "reason", "hold"), HOLDS)
@pytest.mark.parametrize("loss", ["deleted", "evicted", "vanished", "failed"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_pod_is_not_replaced(state: str, reason: str, hold: str, loss: str, *, restarted: bool) -> None:
    """Recreation would be takeover. Its place goes with it; also after the operator restarted."""
    cluster = held(state, reason)
    if loss == "deleted":
        cluster.delete_pod()
        cluster.say(RunnerState.STOPPING)
    elif loss == "evicted":
        cluster.evict()
    elif loss == "failed":
        cluster.end(code=30)
    else:
        cluster.gone()
    if restarted:
        cluster.restart_operator()
    cluster.resync()
    cluster.settle()
    cluster.tick(100000)
    cluster.settle()

    assert 1 == cluster.pods_created
    assert {} == cluster.pods
    assert ("True", hold) == cluster.says("Stalled")
    assert ("False", hold) == cluster.says("Ready")
    assert ("Stalled", 0, None) == (cluster.status().state, cluster.status().replicas, cluster.status().admission)
    recovery = cluster.status().recovery
    assert recovery is not None
    assert recovery.next_attempt_time is None


def test_a_report_and_a_loss_seen_together_still_hold() -> None:
    """The last word was heard, and the pod was gone before anything was written."""
    cluster = running()
    cluster.say(RunnerState.CONFLICT, reason=StateReason.OTHER_TAB)
    cluster.gone()
    cluster.resync()

    assert 1 == cluster.pods_created
    assert ("True", "Conflict") == cluster.says("Stalled")


@pytest.mark.parametrize("stranger", [False, True])
def test_the_last_report_of_a_pod_that_is_not_in_status_holds_too(*, stranger: bool) -> None:
    """Made, heard and gone before anything was written; a stranger's pod of the name changes nothing about it."""
    cluster = running()
    cluster.gone()
    cluster.look_once()
    cluster.run()
    second = cluster.pods["sales"]["metadata"]["uid"]
    assert second != cluster.status().pod_uid
    cluster.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    cluster.gone()
    if stranger:
        cluster.pods["sales"] = {
            "metadata": {"name": "sales", "uid": "foreign", "namespace": "shop", "labels": {}},
            "spec": {},
            "status": {"phase": "Running"},
        }
    cluster.look()
    cluster.pods.clear()
    cluster.settle()

    assert 2 == cluster.pods_created
    assert ("True", "Conflict") == cluster.says("Stalled")
    assert (second, 0) == (cluster.status().pod_uid, cluster.status().replicas)


def test_the_last_report_of_an_older_pod_is_outdated() -> None:
    """It said Connected, the next one was never heard: nobody knows of a conflict, and nobody of its end."""
    cluster = held()
    cluster.say(RunnerState.CONNECTED)
    cluster.gone()
    cluster.look_once()
    cluster.gone()
    cluster.settle()

    assert 3 == cluster.pods_created


@pytest.mark.parametrize(("state", "reason", "hold"), HOLDS)
def test_a_stop_during_a_suspension_still_says_how_to_go_on(state: str, reason: str, hold: str) -> None:
    """Nobody has asked for a new pod, and none follows."""
    cluster = held(state, reason)
    message = cluster.condition("Stalled").message
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.look()

    assert (("True", hold), message) == (cluster.says("Stalled"), cluster.condition("Stalled").message)
    assert "wasession.dev/re" in message


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
def test_a_request_takes_over_and_is_admitted_anew(request_: str) -> None:
    """The person asked for it."""
    cluster = held()
    cluster.delete_pod()
    cluster.settle()
    cluster.set_quota(sessions=0)
    cluster.annotate(**{request_: NOW})
    cluster.resync()
    assert (1, ("False", "QuotaExceeded")) == (cluster.pods_created, cluster.says("Ready"))
    assert ("True", "Conflict") == cluster.says("Stalled")
    assert "a new pod was requested" in cluster.condition("Stalled").message

    cluster.set_quota(sessions=1)
    cluster.settle()
    assert (2, ("False", "NotStalled")) == (cluster.pods_created, cluster.says("Stalled"))
    assert ("False", "NoConflict") == cluster.says("Conflict")
    assert NOW == getattr(cluster.status().handled_requests, request_)


def test_a_request_while_the_pod_lives_replaces_it() -> None:
    """Its word Conflict is of before; the stop ends with the pod that carries the request."""
    cluster = held()
    cluster.annotate(restart_at=NOW)
    cluster.look()
    assert ("True", "Conflict") == cluster.says("Stalled")
    cluster.settle()

    assert 2 == cluster.pods_created
    assert ("False", "NotStalled") == cluster.says("Stalled")


@pytest.mark.parametrize(("state", "reason", "hold"), HOLDS)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_request_that_is_taken_back_ends_nothing(state: str, reason: str, hold: str, *, restarted: bool) -> None:
    """It waited for a place; when the annotation is gone and a place is free, no pod is made."""
    cluster = held(state, reason)
    cluster.delete_pod()
    cluster.settle()
    cluster.set_quota(sessions=0)
    cluster.annotate(restart_at=NOW)
    cluster.resync()
    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    if restarted:
        cluster.restart_operator()
    cluster.set_quota(sessions=1)
    cluster.settle()

    assert (1, ("True", hold)) == (cluster.pods_created, cluster.says("Stalled"))
    assert "wasession.dev/re" in cluster.condition("Stalled").message
    assert None is cluster.status().admission


def test_a_request_that_is_taken_back_after_its_place_was_reserved_ends_nothing_either() -> None:
    """The place is given back, and no pod was created."""
    cluster = held()
    cluster.delete_pod()
    cluster.settle()
    cluster.annotate(restart_at=NOW)
    cluster.resync_until_reserved()
    assert None is not cluster.status().admission
    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    cluster.settle()

    assert (1, ("True", "Conflict")) == (cluster.pods_created, cluster.says("Stalled"))
    assert None is cluster.status().admission


def test_a_report_that_ends_the_hold_counts_while_a_request_waits() -> None:
    """The old pod ends on request and says Connected meanwhile: there is nothing left to remember."""
    cluster = held()
    cluster.annotate(restart_at=NOW)
    cluster.look()
    cluster.say(RunnerState.CONNECTED)
    cluster.look()
    cluster.sessions["sales"]["metadata"]["annotations"].clear()
    cluster.settle()

    assert (2, ("False", "NotStalled")) == (cluster.pods_created, cluster.says("Stalled"))


def test_the_requested_pod_can_be_in_conflict_again() -> None:
    """Then it stops again, and the old request does not help."""
    cluster = held()
    cluster.annotate(restart_at=NOW)
    cluster.settle()
    cluster.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    cluster.look()
    cluster.gone()
    cluster.settle()

    assert 2 == cluster.pods_created
    assert ("True", "Conflict") == cluster.says("Stalled")


def test_a_report_of_another_state_ends_the_hold() -> None:
    """The other window was closed: from now on a lost pod is replaced again."""
    cluster = held()
    cluster.say(RunnerState.CONNECTED)
    cluster.look()
    assert ("False", "NotStalled") == cluster.says("Stalled")
    cluster.gone()
    cluster.settle()

    assert 2 == cluster.pods_created


def test_being_suspended_and_resumed_is_a_persons_decision_too() -> None:
    """The stop ends with the suspension."""
    cluster = held()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()
    assert ("False", "NotStalled") == cluster.says("Stalled")
    cluster.apply(spec={})
    cluster.settle()

    assert 2 == cluster.pods_created


def test_an_edit_does_not_end_a_stop() -> None:
    """A new image is no wish to take over."""
    cluster = held()
    cluster.gone()
    cluster.apply(spec={"pod": {"image": "other"}})
    cluster.settle()

    assert 1 == cluster.pods_created
    assert ("True", "Conflict") == cluster.says("Stalled")


def test_a_living_pod_of_a_stopped_session_is_left_alone() -> None:
    """It may come back by itself, and it is still listened to."""
    cluster = held()
    writes = cluster.writes
    for _ in range(5):
        cluster.tick(10)
        cluster.keep_answering()
        cluster.look()

    assert writes == cluster.writes
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.decide().poll
    assert cluster.status().admission is not None


def test_a_logout_that_relinks_is_no_stop() -> None:
    """A new QR code comes by itself."""
    cluster = held(RunnerState.LOGGED_OUT, StateReason.RELINKING)

    assert ("False", "NotStalled") == cluster.says("Stalled")
    assert ("False", "LoggedOut") == cluster.says("Linked")
