"""What a person decides: requests, suspension, and sessions that wait for one."""

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.world import World, running
from whatsapp_operator.core.model import CreatePod, DeletePod

NOW = "2026-11-22T18:30:00Z"
STOPS = [
    (RunnerState.CONFLICT, StateReason.REPLACED, "Conflict"),
    (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, "TemporarilyBanned"),
    (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, "LoggedOut"),
]


def created(world: World) -> int:
    """Return how many pods were made."""
    return sum(isinstance(action, CreatePod) for action in world.done)


def stopped(state: str = RunnerState.CONFLICT, reason: str = StateReason.REPLACED) -> World:
    """Return a world whose session waits for a person, its pod still there."""
    world = running()
    world.say(state, reason=reason)
    world.resync()
    return world


# --- restart-at, relink-at


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
def test_a_request_replaces_the_pod_cleanly(request_: str) -> None:
    """Deleted with its grace, and the next one carries the value; handled when that one exists."""
    world = running()
    world.annotate(**{request_: NOW})
    world.look()

    deleted = world.done[-1]
    assert isinstance(deleted, DeletePod)
    assert deleted.grace is None
    assert ("True", "RestartRequested") == world.says("Recovering")
    assert getattr(world.status().handled_requests, request_) is None

    world.settle()
    assert 2 == created(world)
    assert NOW == getattr(world.status().handled_requests, request_)
    annotation = f"wasession.dev/{request_.replace('_', '-')}"
    assert NOW == world.pods["sales"]["metadata"]["annotations"][annotation]


def test_a_request_is_carried_out_once() -> None:
    """Not at every look, not by the next operator, not when the annotation is taken away."""
    world = running()
    world.annotate(restart_at=NOW)
    world.settle()
    writes = world.writes
    world.restart_operator()
    world.settle()
    world.sessions["sales"]["metadata"]["annotations"].clear()
    world.settle()

    assert (2, writes) == (created(world), world.writes)
    assert NOW == world.status().handled_requests.restart_at


def test_any_other_value_counts() -> None:
    """Also an earlier time, and no time at all."""
    world = running()
    for number, value in enumerate([NOW, "2020-01-01T00:00:00Z", "now"], start=2):
        world.annotate(restart_at=value)
        world.settle()
        assert (number, value) == (created(world), world.status().handled_requests.restart_at)


def test_a_request_of_before_the_first_pod_is_carried_out_by_it() -> None:
    """No second pod is made for it."""
    world = World()
    world.set_quota()
    world.apply()
    world.annotate(restart_at=NOW, relink_at=NOW)
    world.settle()

    assert (1, NOW, NOW) == (
        created(world),
        world.status().handled_requests.restart_at,
        world.status().handled_requests.relink_at,
    )


def test_a_request_during_the_end_of_a_pod_joins_it() -> None:
    """The pod is ending anyway; one new one carries it."""
    world = running()
    world.delete_pod()
    world.annotate(restart_at=NOW)
    world.settle()

    assert (2, NOW) == (created(world), world.status().handled_requests.restart_at)


def test_a_request_ends_the_wait_after_a_failure() -> None:
    """And the failure is still told first."""
    world = running()
    world.end(code=30)
    world.resync()
    world.gone()
    world.annotate(restart_at=NOW)
    world.settle()

    recovery = world.status().recovery
    assert recovery is not None
    assert (2, 0) == (created(world), recovery.consecutive_failures)


# --- suspension


def test_suspending_ends_the_pod_keeps_the_claim_and_frees_the_place_when_it_is_gone() -> None:
    """In this order: a place is never free while its pod lives."""
    world = running()
    world.apply(spec={"operatingMode": "Suspended"})
    world.look()

    assert isinstance(world.done[-1], DeletePod)
    assert ("False", "Suspending") == world.says("Suspended")
    assert world.status().admission is not None

    world.gone()
    world.look()
    assert ("True", "Suspended") == world.says("Suspended")
    assert ("False", "Suspended") == world.says("Ready")
    assert ("Suspended", 0, None) == (world.status().state, world.status().replicas, world.status().admission)
    assert ("False", "SlotReleased") == world.says("Admitted")
    assert "sales-profile" in world.claims
    assert ("True", "Linked") == world.says("Linked")
    assert (None, None) == (world.status().node_name, world.status().image)


def test_a_session_created_suspended_makes_nothing() -> None:
    """Not even a claim."""
    world = World()
    world.set_quota()
    world.apply(spec={"operatingMode": "Suspended"})
    world.settle()

    assert [] == world.done
    assert "Suspended" == world.status().state


def test_resuming_is_no_recovery() -> None:
    """It is admitted anew and starts like the first time."""
    world = running()
    world.apply(spec={"operatingMode": "Suspended"})
    world.settle()
    world.apply(spec={})
    world.look()
    assert ("False", "NotRecovering") == world.says("Recovering")
    world.settle()

    assert 2 == created(world)
    assert ("False", "NotSuspended") == world.says("Suspended")
    assert "Pending" == world.status().state
    assert 1 == (world.status().recovery and world.status().recovery.restarts)  # type: ignore[union-attr]


def test_a_failed_pod_of_a_suspended_session_is_told_and_deleted() -> None:
    """Nothing is waited for afterwards."""
    world = running()
    world.end(code=30)
    world.apply(spec={"operatingMode": "Suspended"})
    world.look()
    world.gone()
    world.look()

    recovery = world.status().recovery
    assert recovery is not None
    assert recovery.last_failure is not None
    assert recovery.next_attempt_time is None
    assert ("False", "NotRecovering") == world.says("Recovering")


# --- sessions that wait for a person


@pytest.mark.parametrize(("state", "reason", "word"), STOPS)
def test_the_runners_word_is_written_at_once(state: str, reason: str, word: str) -> None:
    """Before the pod can be lost: a commit. Conflict=True beside it for conflicts alone."""
    world = running()
    world.say(state, reason=reason)
    decision = world.look_once()

    assert decision.commit
    assert ("True", word) == world.says("Stalled")
    assert (word == "Conflict") == (world.condition("Conflict").status == "True")
    assert "wasession.dev/re" in world.condition("Stalled").message
    assert (state, ("False", state)) == (world.status().state, world.says("Ready"))


@pytest.mark.parametrize(("state", "reason", "word"), STOPS)
@pytest.mark.parametrize("loss", ["deleted", "evicted", "vanished", "failed"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_pod_is_not_replaced(state: str, reason: str, word: str, loss: str, *, restarted: bool) -> None:
    """Recreation would be takeover. Its place goes with it; also after the operator restarted."""
    world = stopped(state, reason)
    if loss == "deleted":
        world.delete_pod()
        world.say(RunnerState.STOPPING)
    elif loss == "evicted":
        world.evict()
    elif loss == "failed":
        world.end(code=30)
    else:
        world.gone()
    if restarted:
        world.restart_operator()
    world.resync()
    world.settle()
    world.tick(100000)
    world.settle()

    assert 1 == created(world)
    assert {} == world.pods
    assert ("True", word) == world.says("Stalled")
    assert ("False", word) == world.says("Ready")
    assert ("Stalled", 0, None) == (world.status().state, world.status().replicas, world.status().admission)
    recovery = world.status().recovery
    assert recovery is not None
    assert recovery.next_attempt_time is None


def test_a_word_and_a_loss_seen_together_still_stop() -> None:
    """The last word was heard, and the pod was gone before anything was written."""
    world = running()
    world.say(RunnerState.CONFLICT, reason=StateReason.OTHER_TAB)
    world.gone()
    world.resync()

    assert 1 == created(world)
    assert ("True", "Conflict") == world.says("Stalled")


@pytest.mark.parametrize("stranger", [False, True])
def test_the_last_word_of_a_pod_that_no_status_tells_of_stops_too(*, stranger: bool) -> None:
    """Made, heard and gone before anything was written; a stranger's pod of the name changes nothing about it."""
    world = running()
    world.gone()
    world.look_once()
    world.run()
    second = world.pods["sales"]["metadata"]["uid"]
    assert second != world.status().pod_uid
    world.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    world.gone()
    if stranger:
        world.pods["sales"] = {
            "metadata": {"name": "sales", "uid": "foreign", "namespace": "shop", "labels": {}},
            "spec": {},
            "status": {"phase": "Running"},
        }
    world.look()
    world.pods.clear()
    world.settle()

    assert 2 == created(world)
    assert ("True", "Conflict") == world.says("Stalled")
    assert (second, 0) == (world.status().pod_uid, world.status().replicas)


def test_the_last_word_of_an_older_pod_is_of_before() -> None:
    """It said Connected, the next one was never heard: nobody knows of a conflict, and nobody of its end."""
    world = stopped()
    world.say(RunnerState.CONNECTED)
    world.gone()
    world.look_once()
    world.gone()
    world.settle()

    assert 3 == created(world)


@pytest.mark.parametrize(("state", "reason", "word"), STOPS)
def test_a_stop_during_a_suspension_still_says_how_to_go_on(state: str, reason: str, word: str) -> None:
    """Nobody has asked for a new pod, and none follows."""
    world = stopped(state, reason)
    said = world.condition("Stalled").message
    world.apply(spec={"operatingMode": "Suspended"})
    world.look()

    assert (("True", word), said) == (world.says("Stalled"), world.condition("Stalled").message)
    assert "wasession.dev/re" in said


@pytest.mark.parametrize("request_", ["restart_at", "relink_at"])
def test_a_request_takes_over_and_is_admitted_anew(request_: str) -> None:
    """The person asked for it."""
    world = stopped()
    world.delete_pod()
    world.settle()
    world.set_quota(sessions=0)
    world.annotate(**{request_: NOW})
    world.resync()
    assert (1, ("False", "QuotaExceeded")) == (created(world), world.says("Ready"))
    assert ("True", "Conflict") == world.says("Stalled")
    assert "somebody has asked to go on" in world.condition("Stalled").message

    world.set_quota(sessions=1)
    world.settle()
    assert (2, ("False", "NotStalled")) == (created(world), world.says("Stalled"))
    assert ("False", "NoConflict") == world.says("Conflict")
    assert NOW == getattr(world.status().handled_requests, request_)


def test_a_request_while_the_pod_lives_replaces_it() -> None:
    """Its word Conflict is of before; the stop ends with the pod that carries the request."""
    world = stopped()
    world.annotate(restart_at=NOW)
    world.look()
    assert ("True", "Conflict") == world.says("Stalled")
    world.settle()

    assert 2 == created(world)
    assert ("False", "NotStalled") == world.says("Stalled")


@pytest.mark.parametrize(("state", "reason", "word"), STOPS)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_request_that_is_taken_back_ends_nothing(state: str, reason: str, word: str, *, restarted: bool) -> None:
    """It waited for a place; when the annotation is gone and a place is free, no pod is made."""
    world = stopped(state, reason)
    world.delete_pod()
    world.settle()
    world.set_quota(sessions=0)
    world.annotate(restart_at=NOW)
    world.resync()
    world.sessions["sales"]["metadata"]["annotations"].clear()
    if restarted:
        world.restart_operator()
    world.set_quota(sessions=1)
    world.settle()

    assert (1, ("True", word)) == (created(world), world.says("Stalled"))
    assert "wasession.dev/re" in world.condition("Stalled").message
    assert None is world.status().admission


def test_a_request_that_is_taken_back_after_its_place_was_reserved_ends_nothing_either() -> None:
    """The place is given back, and no pod was made."""
    world = stopped()
    world.delete_pod()
    world.settle()
    world.annotate(restart_at=NOW)
    world.resync_until_reserved()
    assert None is not world.status().admission
    world.sessions["sales"]["metadata"]["annotations"].clear()
    world.settle()

    assert (1, ("True", "Conflict")) == (created(world), world.says("Stalled"))
    assert None is world.status().admission


def test_a_word_that_it_is_over_counts_while_a_request_waits() -> None:
    """The old pod ends on request and says Connected meanwhile: there is nothing left to remember."""
    world = stopped()
    world.annotate(restart_at=NOW)
    world.look()
    world.say(RunnerState.CONNECTED)
    world.look()
    world.sessions["sales"]["metadata"]["annotations"].clear()
    world.settle()

    assert (2, ("False", "NotStalled")) == (created(world), world.says("Stalled"))


def test_the_requested_pod_can_be_in_conflict_again() -> None:
    """Then it stops again, and the old request does not help."""
    world = stopped()
    world.annotate(restart_at=NOW)
    world.settle()
    world.say(RunnerState.CONFLICT, reason=StateReason.REPLACED)
    world.look()
    world.gone()
    world.settle()

    assert 2 == created(world)
    assert ("True", "Conflict") == world.says("Stalled")


def test_the_runners_word_that_it_is_over_clears() -> None:
    """The other window was closed: from now on a lost pod is replaced again."""
    world = stopped()
    world.say(RunnerState.CONNECTED)
    world.look()
    assert ("False", "NotStalled") == world.says("Stalled")
    world.gone()
    world.settle()

    assert 2 == created(world)


def test_being_suspended_and_resumed_is_a_persons_decision_too() -> None:
    """The stop ends with the suspension."""
    world = stopped()
    world.apply(spec={"operatingMode": "Suspended"})
    world.settle()
    assert ("False", "NotStalled") == world.says("Stalled")
    world.apply(spec={})
    world.settle()

    assert 2 == created(world)


def test_an_edit_does_not_end_a_stop() -> None:
    """A new image is no wish to take over."""
    world = stopped()
    world.gone()
    world.apply(spec={"pod": {"image": "other"}})
    world.settle()

    assert 1 == created(world)
    assert ("True", "Conflict") == world.says("Stalled")


def test_a_living_pod_of_a_stopped_session_is_left_alone() -> None:
    """It may come back by itself, and it is still listened to."""
    world = stopped()
    writes = world.writes
    for _ in range(5):
        world.tick(10)
        world.keep_answering()
        world.look()

    assert writes == world.writes
    assert world.pods["sales"]["metadata"]["uid"] == world.decide().poll
    assert world.status().admission is not None


def test_a_logout_that_relinks_is_no_stop() -> None:
    """A new QR code comes by itself."""
    world = stopped(RunnerState.LOGGED_OUT, StateReason.RELINKING)

    assert ("False", "NotStalled") == world.says("Stalled")
    assert ("False", "NotLinked") == world.says("Linked")
