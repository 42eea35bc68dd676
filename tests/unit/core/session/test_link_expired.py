"""Nobody scanned any of the QR codes: the pod goes and its place with it, and no other one shows a code by itself."""

from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.decision import DeletePod
from whatsapp_operator.core.session.holds import stored_hold

EXPIRED = RunnerState.LINK_EXPIRED
NOON, LATER = "2026-11-22T18:30:00Z", "2026-11-22T18:40:00Z"
SUSPENDED = {"operatingMode": "Suspended"}


def waiting(**quota: Any) -> FakeCluster:
    """Return a cluster whose session shows a QR code."""
    cluster = running(state=RunnerState.QR_PENDING)
    cluster.set_quota(**quota)
    return cluster


def expire(cluster: FakeCluster) -> None:
    """The runner has shown all codes, and the operator does what follows."""
    cluster.say(EXPIRED, reason=StateReason.ROUNDS_USED_UP, round=5)
    cluster.settle()


def expired(**quota: Any) -> FakeCluster:
    """Return a cluster whose session gave its place back."""
    cluster = waiting(**quota)
    expire(cluster)
    return cluster


def rests(cluster: FakeCluster) -> bool:
    """Whether the session is as an expired one is: without pod and place, and nothing to mend."""
    cluster.settle()
    status = cluster.status()
    return (
        cluster.pods == {}
        and status.admission is None
        and status.state == EXPIRED
        and cluster.says("Stalled") == ("False", "NotStalled")
        and cluster.says("Ready") == ("False", EXPIRED)
    )


# --- what happens


def test_the_fact_is_written_before_the_pod_goes() -> None:
    """A crash in between loses nothing: the next process deletes the pod."""
    cluster = waiting()
    cluster.say(EXPIRED)
    first = cluster.look_once()
    written = stored_hold(cluster.status())
    second = cluster.look_once()

    assert (True, ()) == (first.commit, first.actions)
    assert EXPIRED == written
    assert [DeletePod] == [type(action) for action in second.actions]


def test_pod_and_place_are_given_back_and_the_claim_stays() -> None:
    """The pod is deleted with its grace, and with its object the reservation goes."""
    cluster = expired()
    deleted = cluster.done[-1]
    usage = cluster.admission_round().usage["default"]

    assert rests(cluster)
    assert isinstance(deleted, DeletePod)
    assert deleted.grace is None
    assert ["sales-profile"] == list(cluster.pvcs)
    assert (0, 0, 0) == (usage.admitted, usage.waiting, len(usage.not_running))
    assert ("False", "SlotReleased") == cluster.says("Admitted")


def test_the_reservation_stays_while_the_pod_ends() -> None:
    """Two browsers in one place are never."""
    cluster = waiting()
    cluster.say(EXPIRED)
    cluster.look()

    assert ["sales"] == list(cluster.pods)
    assert cluster.status().admission is not None
    assert 1 == cluster.admission_round().usage["default"].admitted


def test_status_says_since_when_and_what_to_do() -> None:
    """In Ready, in the link's times and in one event; the round stays."""
    cluster = waiting()
    at = cluster.now
    expire(cluster)
    cluster.restart_operator()
    cluster.settle()
    link = cluster.status().link

    assert link is not None
    assert (at, 5) == (link.expired_time, link.round)
    assert "wasession.dev/relink-at" in cluster.condition("Ready").message
    reported = [(event.type, event.action) for event in cluster.events if event.reason == EXPIRED]
    assert [("Warning", "Linking")] == reported


def test_a_place_that_is_given_back_is_the_next_ones() -> None:
    """Whoever waited gets it."""
    cluster = waiting(sessions=1)
    cluster.apply("second")
    cluster.settle()
    before = cluster.says("Admitted", "second")
    expire(cluster)

    assert ("False", "QuotaExceeded") == before
    assert ["second"] == list(cluster.pods)


# --- what does not end it


@pytest.mark.parametrize(
    "spec", [{"link": {"maxRounds": 9}}, {"pod": {"image": "other"}}, {"link": {"onLogout": "Wait"}}]
)
def test_an_edit_shows_no_code(spec: dict[str, Any]) -> None:
    """Not even more rounds: somebody with a phone has to be there."""
    cluster = expired()
    cluster.apply(spec=spec)

    assert rests(cluster)


def test_nothing_that_happens_to_the_cluster_shows_a_code() -> None:
    """Another process of the operator, a pod that was deleted before the operator could, a day."""
    cluster = waiting()
    cluster.say(EXPIRED)
    cluster.gone()
    cluster.settle()
    cluster.restart_operator()
    cluster.tick(86_400)

    assert rests(cluster)
    assert 1 == cluster.pods_created


@pytest.mark.parametrize("reason", ["Evicted", "Failed"])
def test_a_pod_that_is_lost_meanwhile_is_not_replaced(reason: str) -> None:
    """By its node, or by a fault of its own: no failure is counted."""
    cluster = waiting()
    cluster.say(EXPIRED)
    cluster.look_once()
    if reason == "Evicted":
        cluster.evict()
    else:
        cluster.end(code=30)

    assert rests(cluster)


def test_an_expired_session_of_an_earlier_operator_gives_its_place_back() -> None:
    """It had kept pod and place: the first report that is heard after the upgrade ends that."""
    cluster = waiting()
    cluster.sessions["sales"]["status"]["state"] = EXPIRED
    cluster.restart_operator()
    cluster.say(EXPIRED)

    assert rests(cluster)


# --- what ends it


@pytest.mark.parametrize("request_", ["relink_at", "restart_at"])
def test_a_request_queues_it_again(request_: str) -> None:
    """A pod that carries it shows codes; the fact goes when that pod is there."""
    cluster = expired()
    cluster.annotate(**{request_: NOON})
    cluster.settle()
    cluster.say(RunnerState.QR_PENDING, round=1)
    cluster.settle()
    link = cluster.status().link

    assert 2 == cluster.pods_created
    assert RunnerState.QR_PENDING == cluster.status().state
    assert link is not None
    assert (None, 1) == (link.expired_time, link.round)


def test_a_request_in_a_full_quota_waits_as_any_other_session() -> None:
    """Queued, with the quota's words; what is taken back meanwhile leaves it as it was."""
    cluster = expired(sessions=1)
    cluster.apply("second")
    cluster.settle()
    cluster.annotate(relink_at=NOON)
    cluster.settle()
    queued = (cluster.status().state, cluster.says("Ready"))
    cluster.sessions["sales"]["metadata"]["annotations"].clear()

    assert ("Queued", ("False", "QuotaExceeded")) == queued
    cluster.settle()
    assert (EXPIRED, ["second"]) == (cluster.status().state, list(cluster.pods))


def test_it_comes_after_those_that_wait_already() -> None:
    """Like a new session, though it is older than they are."""
    cluster = expired(sessions=1)
    cluster.apply("second")
    cluster.settle()
    cluster.tick(60)
    cluster.apply("third")
    cluster.settle()
    cluster.tick(60)
    cluster.annotate(relink_at=NOON)
    cluster.settle()
    cluster.apply("second", spec=SUSPENDED)
    cluster.settle()

    assert ["third"] == list(cluster.pods)
    cluster.apply("third", spec=SUSPENDED)
    cluster.settle()
    assert ["sales"] == list(cluster.pods)


def test_it_can_expire_again() -> None:
    """Each request shows all rounds; the next one is another value."""
    cluster = expired()
    for request in (NOON, LATER):
        cluster.annotate(relink_at=request)
        cluster.tick(60)
        cluster.settle()
        cluster.say(RunnerState.QR_PENDING, round=1)
        cluster.settle()
        expire(cluster)

        assert rests(cluster)

    assert 3 == cluster.pods_created
    assert 3 == sum(event.reason == EXPIRED for event in cluster.events)


def test_a_suspension_ends_it() -> None:
    """Who suspends a session and resumes it has decided: it shows codes again, as after any suspension."""
    cluster = expired()
    cluster.apply(spec=SUSPENDED)
    cluster.settle()
    suspended = (cluster.status().state, stored_hold(cluster.status()))
    cluster.tick(5)
    cluster.apply(spec={})
    cluster.settle()

    assert ("Suspended", None) == suspended
    assert 2 == cluster.pods_created
    assert ["sales"] == list(cluster.pods)


def test_a_phone_that_was_linked_at_the_last_moment_counts() -> None:
    """The runner says so of the pod that is about to go: it is replaced, and the session goes on."""
    cluster = waiting()
    cluster.say(EXPIRED)
    cluster.look_once()
    cluster.say(RunnerState.SYNCING, linked_time=cluster.now)
    cluster.look()

    assert stored_hold(cluster.status()) is None
    assert ["sales"] == list(cluster.pods)
    assert ("True", "Linked") == cluster.says("Linked")


# --- with other things


def test_a_logged_out_session_that_expires_still_says_why() -> None:
    """Linked has the reason of the logout, the state that no code is shown."""
    cluster = running()
    out = cluster.now
    cluster.say(RunnerState.QR_PENDING, linked=False, logout_time=out, logout_reason="StorageQuotaExceeded", round=1)
    cluster.settle()
    cluster.tick(600)
    cluster.say(EXPIRED, linked=False, logout_time=out, logout_reason="StorageQuotaExceeded", round=5)
    cluster.settle()
    cluster.restart_operator()

    assert rests(cluster)
    assert ("False", "StorageQuotaExceeded") == cluster.says("Linked")
    link = cluster.status().link
    assert link is not None
    assert (out, out + timedelta(seconds=600)) == (link.logout_time, link.expired_time)


def test_a_logout_that_waits_goes_before() -> None:
    """Its pod stays and it is Stalled; the request that shows a code makes it expire like any other."""
    cluster = running(spec={"link": {"onLogout": "Wait"}})
    cluster.say(RunnerState.LOGGED_OUT, reason=StateReason.WAITING_FOR_PERSON)
    cluster.settle()
    stalled = (cluster.says("Stalled"), list(cluster.pods))
    cluster.annotate(relink_at=NOON)
    cluster.settle()
    cluster.say(RunnerState.QR_PENDING)
    cluster.settle()
    expire(cluster)

    assert (("True", "LoggedOut"), ["sales"]) == stalled
    assert rests(cluster)


def test_an_unusable_spec_keeps_the_memory() -> None:
    """Nothing is done with it, and nothing forgotten."""
    cluster = expired()
    cluster.apply(spec={"link": {"maxRounds": 0}})
    cluster.settle()
    unusable = cluster.says("Stalled")
    cluster.apply(spec={})

    assert ("True", "InvalidObject") == unusable
    assert rests(cluster)
