"""Recovery pauses when many fail together."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.core.fake_cluster import T0
from whatsapp_operator.api.session import LastFailure, ObjectMeta, RecoveryStatus, SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import COOLDOWN, CircuitBreaker, runner_failures


def at(seconds: float) -> datetime:
    """Return a moment."""
    return T0 + timedelta(seconds=seconds)


def fleet(count: int) -> frozenset[SessionUID]:
    """Return that many sessions with a pod."""
    return frozenset(SessionUID(f"s{number}") for number in range(count))


def failed(*seconds: float) -> dict[SessionUID, datetime]:
    """Return one failure per session, at these moments."""
    return {SessionUID(f"s{number}"): at(second) for number, second in enumerate(seconds)}


@pytest.mark.parametrize(
    ("sessions", "failures", "paused"),
    [
        (9, 3, False),
        (8, 3, True),
        (3, 3, True),
        (3, 2, False),
        (100, 33, False),
        (100, 34, True),
        (4, 0, False),
    ],
)
def test_more_than_a_third_and_at_least_three(sessions: int, failures: int, *, paused: bool) -> None:
    """Exactly a third is not enough, and two of three is bad luck."""
    pause = CircuitBreaker().after(failures=failed(*[1.0] * failures), with_pod=fleet(sessions), now=at(2))

    assert paused == (pause.message is not None)


def test_only_within_a_minute() -> None:
    """The same failures spread over more than a minute are three single ones."""
    together = CircuitBreaker().after(failures=failed(0, 30, 59), with_pod=fleet(6), now=at(59))
    spread = CircuitBreaker().after(failures=failed(0, 30, 60), with_pod=fleet(6), now=at(60))

    assert at(59) == together.opened
    assert spread.opened is None


def test_a_session_whose_pod_is_already_deleted_counts() -> None:
    """A failed pod is soon gone; its session still had one."""
    pause = CircuitBreaker().after(failures=failed(1, 1, 1), with_pod=fleet(9) - fleet(3), now=at(2))

    assert pause.opened is None


def test_it_ends_after_five_minutes_without_a_failure() -> None:
    """Each failure in between begins them anew."""
    pause = CircuitBreaker().after(failures=failed(0, 0, 0), with_pod=fleet(3), now=at(0))
    assert at(300) == pause.closes_at

    pause = pause.after(failures=failed(200, 0, 0), with_pod=fleet(3), now=at(200))
    assert at(500) == pause.closes_at
    assert pause.after(failures=failed(200, 0, 0), with_pod=fleet(3), now=at(499)).message is not None

    over = pause.after(failures=failed(200, 0, 0), with_pod=fleet(3), now=at(500))
    assert (None, None) == (over.message, over.closes_at)


def test_it_lasts_though_the_window_has_passed() -> None:
    """It began by many; it goes on by any."""
    pause = CircuitBreaker().after(failures=failed(0, 0, 0), with_pod=fleet(3), now=at(0))

    for second in range(60, 1000, 240):
        pause = pause.after(failures=failed(second, 0, 0), with_pod=fleet(100), now=at(second))
        assert pause.message is not None
        assert at(0) == pause.opened


def test_a_new_operator_finds_the_pause_again() -> None:
    """From what stands in the sessions' status, as long as it has not been quiet since."""
    failures = failed(0, 1, 2, 200)

    assert at(2) == CircuitBreaker().after(failures=failures, with_pod=fleet(5), now=at(400)).opened
    assert CircuitBreaker().after(failures=failures, with_pod=fleet(5), now=at(500)).opened is None


def test_a_pause_that_is_over_does_not_come_back() -> None:
    """A single failure after quiet minutes joins no old ones."""
    failures = failed(0, 1, 2, 303)

    assert CircuitBreaker().after(failures=failures, with_pod=fleet(4), now=at(303)).opened is None


def test_the_message_says_what_to_look_for_and_never_changes() -> None:
    """It is in every waiting session's status: a changing one would be a write for each."""
    pause = CircuitBreaker().after(failures=failed(0, 0, 0), with_pod=fleet(3), now=at(0))
    later = pause.after(failures=failed(100, 0, 0), with_pod=fleet(3), now=at(100))

    assert pause.message == later.message
    assert pause.message is not None
    assert "five minutes" in pause.message


@given(st.lists(st.integers(0, 2000), max_size=30), st.integers(0, 60), st.integers(0, 2000))
def test_it_never_outlasts_the_quiet(moments: list[int], others: int, now: int) -> None:
    """Five minutes after the last failure it is over, whatever was before."""
    earlier = [moment for moment in moments if moment <= now]
    pause = CircuitBreaker().after(failures=failed(*earlier), with_pod=fleet(others), now=at(now))
    end = at(now) + COOLDOWN

    assert pause.closes_at is None or at(now) < pause.closes_at <= end
    assert pause.after(failures=failed(*earlier), with_pod=fleet(others), now=end).message is None


def test_only_failures_of_runners_are_gathered() -> None:
    """An exit or a word; not a node's refusal, and not a session that never failed."""

    def session(uid: str, failure: LastFailure | None) -> WhatsAppSession:
        recovery = RecoveryStatus(last_failure=failure)
        return WhatsAppSession(metadata=ObjectMeta(name=uid, uid=uid), status=SessionStatus(recovery=recovery))

    sessions = [
        session("exit", LastFailure(reason="PageCrashed", exit_code=30, time=at(1))),
        session("word", LastFailure(reason="Unresponsive", time=at(2))),
        session("node", LastFailure(reason="OutOfcpu", time=at(3))),
        session("timeless", LastFailure(reason="PageCrashed", exit_code=30)),
        session("fine", None),
        WhatsAppSession(metadata=ObjectMeta(name="new", uid="new")),
    ]

    assert {"exit": at(1), "word": at(2)} == runner_failures(sessions)
