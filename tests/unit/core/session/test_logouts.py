"""Why and when a session was logged out: in Linked until the next link, over states, pods and processes, and in one event."""

from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.fake_cluster import FakeCluster, running

QUOTA = "StorageQuotaExceeded"
REASONS = {
    "StorageQuotaExceeded": "storage_quota_exceeded",
    "ClientVersionOutdated": "client_version_outdated",
    "UserInitiated": "user_initiated",
    "LoggedOut": "WhatsApp gave no reason",
    "LogoutRequested": "as asked",
    "WebFailSomething": "web_fail_something",
}


def logged_out(
    reason: str = QUOTA, *, state: str = RunnerState.LOGGED_OUT, why: str = StateReason.RELINKING
) -> FakeCluster:
    """Return a cluster whose session was connected, and whose runner has told of a logout."""
    cluster = running()
    report(cluster, state, reason=why, logout_time=cluster.now, logout_reason=reason)
    return cluster


def report(cluster: FakeCluster, state: str, **more: Any) -> None:
    """The runner says a state, and the operator writes it."""
    cluster.say(state, linked=False, **more)
    cluster.look()


def logout_events(cluster: FakeCluster) -> list[tuple[str, str]]:
    """Return the events about links that ended."""
    return [
        (event.type, event.reason)
        for event in cluster.events
        if event.action == "Linking" and event.reason not in ("Linked", "LinkExpired")
    ]


@pytest.mark.parametrize(("reason", "explanation"), REASONS.items())
def test_linked_says_why_and_when(reason: str, explanation: str) -> None:
    """The word as the condition's reason, sentence and time in its message; the time also by itself."""
    cluster = logged_out(reason)
    linked, link = cluster.condition("Linked"), cluster.status().link

    assert ("False", reason) == cluster.says("Linked")
    assert explanation in linked.message
    assert "at 2026-11-22T18:00:05Z" in linked.message
    assert link is not None
    assert cluster.now == link.logout_time == linked.last_transition_time
    assert [("Warning", reason)] == logout_events(cluster)


@pytest.mark.parametrize(
    "state",
    ["QRPending", "LinkExpired", "Offline", "Loading", "Degraded", "PasskeyRequired", "Conflict", "Stopping"],
)
def test_it_stands_in_every_state_that_follows(state: str) -> None:
    """Whether the runner repeats it or not."""
    cluster = logged_out()
    at = cluster.now
    cluster.tick(30)
    report(cluster, state, logout_time=at, logout_reason=QUOTA)
    repeated = cluster.condition("Linked")
    report(cluster, state)

    assert repeated == cluster.condition("Linked")
    assert ("False", QUOTA) == cluster.says("Linked")
    assert 1 == len(logout_events(cluster))


def test_it_outlives_pods_and_processes() -> None:
    """A new pod that knows nothing yet, another operator, a suspension."""
    cluster = logged_out()
    before = cluster.condition("Linked")
    cluster.gone()
    cluster.settle()
    cluster.say(RunnerState.LOADING)
    cluster.restart_operator()
    cluster.settle()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.settle()

    assert before.message == cluster.condition("Linked").message
    assert before.last_transition_time == cluster.condition("Linked").last_transition_time
    assert 1 == len(logout_events(cluster))


def test_a_lost_status_is_reported_again_by_the_runner() -> None:
    """From the profile, with the time of then."""
    cluster = logged_out(state=RunnerState.QR_PENDING)
    at = cluster.now
    cluster.tick(3600)
    cluster.sessions["sales"]["status"] = {}
    report(cluster, RunnerState.QR_PENDING, logout_time=at, logout_reason=QUOTA)
    link = cluster.status().link

    assert ("False", QUOTA) == cluster.says("Linked")
    assert link is not None
    assert at == link.logout_time


def test_a_reason_that_comes_later_is_no_second_event() -> None:
    """The state came first."""
    cluster = logged_out("LoggedOut")
    report(cluster, RunnerState.QR_PENDING, logout_time=cluster.now, logout_reason=QUOTA)

    assert ("False", QUOTA) == cluster.says("Linked")
    assert [("Warning", "LoggedOut")] == logout_events(cluster)


def test_the_next_link_ends_it() -> None:
    """And the next logout is another one."""
    cluster = logged_out()
    cluster.tick(60)
    cluster.say(RunnerState.CONNECTED, linked_time=cluster.now)
    cluster.look()
    link = cluster.status().link
    linked = cluster.says("Linked")
    cluster.tick(60)
    report(cluster, RunnerState.LOGGED_OUT, logout_time=cluster.now, logout_reason="AccountLocked")

    assert ("True", "Linked") == linked
    assert link is not None
    assert link.logout_time is None
    assert [("Warning", QUOTA), ("Warning", "AccountLocked")] == logout_events(cluster)


@pytest.mark.parametrize("request_", [None, "relink_at", "restart_at"])
@pytest.mark.parametrize("on_logout", ["Relink", "Wait"])
@pytest.mark.parametrize("reason", ["LogoutRequested", "LoggedOut", QUOTA])
def test_whatever_is_set_and_asked_for_the_reason_stands(reason: str, on_logout: str, request_: str | None) -> None:
    """Unlinked by API or phone or by the page, waiting or not, asked to go on or not: until a phone is linked."""
    why = StateReason.RELINKING if on_logout == "Relink" else StateReason.WAITING_FOR_PERSON
    cluster = running(spec={"link": {"onLogout": on_logout}})
    at = cluster.now
    report(cluster, RunnerState.LOGGED_OUT, reason=why, logout_time=at, logout_reason=reason)
    stalled = cluster.says("Stalled")
    if request_ is not None:
        cluster.annotate(**{request_: "2026-11-22T18:30:00Z"})
        cluster.settle()
    state = RunnerState.LOGGED_OUT if on_logout == "Wait" and request_ != "relink_at" else RunnerState.QR_PENDING
    report(cluster, state, reason=why, logout_time=at, logout_reason=reason)

    assert ("False", "NotStalled") if on_logout == "Relink" else ("True", "LoggedOut") == stalled
    assert ("False", reason) == cluster.says("Linked")
    assert [("Warning", reason)] == logout_events(cluster)


def test_an_older_runner_that_says_logged_out_is_believed() -> None:
    """It gives neither time nor reason: the time is the operator's own."""
    cluster = running()
    cluster.tick(1)
    cluster.say(RunnerState.LOGGED_OUT, reason=StateReason.WAITING_FOR_PERSON)
    cluster.look()
    link = cluster.status().link

    assert ("False", "LoggedOut") == cluster.says("Linked")
    assert link is not None
    assert cluster.now == link.logout_time


def test_a_profile_that_was_replaced_knows_of_no_logout() -> None:
    """What is not known is not called a logout."""
    cluster = running()
    report(cluster, RunnerState.QR_PENDING)

    assert ("False", "NotLinked") == cluster.says("Linked")
    assert [("Normal", "NotLinked")] == logout_events(cluster)


def test_a_session_that_never_was_linked_is_only_not_linked() -> None:
    """No time, no event."""
    cluster = running(state=RunnerState.QR_PENDING)

    assert ("False", "NotLinked") == cluster.says("Linked")
    assert [] == logout_events(cluster)
    assert "No phone is linked." == cluster.condition("Linked").message


def test_a_runners_clock_is_its_own() -> None:
    """Its time is told as it is, to the second."""
    cluster = running()
    at = cluster.now - timedelta(days=3, microseconds=5)
    report(cluster, RunnerState.QR_PENDING, logout_time=at, logout_reason=QUOTA)
    writes = cluster.status_writes
    report(cluster, RunnerState.QR_PENDING, logout_time=at, logout_reason=QUOTA)

    assert writes == cluster.status_writes
