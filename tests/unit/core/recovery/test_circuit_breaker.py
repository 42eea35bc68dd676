"""One circuit breaker: it opens by a mass failure, closes by itself, and never lasts as long as somebody likes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.facts import T0
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import COOLDOWN, LONGEST, CircuitBreaker, Phase
from whatsapp_operator.core.recovery.mass_failure import Window

Waiting = list[tuple[datetime, SessionUID]]


def at(seconds: float) -> datetime:
    """Return a moment."""
    return T0 + timedelta(seconds=seconds)


def uid(number: int) -> SessionUID:
    """Return a session."""
    return SessionUID(f"s{number}")


def three(window: Window, _usual: float) -> bool:
    """Judge three failures to be a mass failure."""
    return len(window) >= 3


def fail(breaker: CircuitBreaker, number: int, second: float, *, created: float = -1000) -> None:
    """Let a session fail."""
    breaker.failed(uid(number), at(second), created=at(created), is_mass_failure=three)


def opened(*, waiting: int = 0) -> tuple[CircuitBreaker, Waiting]:
    """Return a breaker that opened at 0, and so many sessions that wait."""
    breaker = CircuitBreaker()
    for number in range(3):
        fail(breaker, number, 0)
    return breaker, [(at(number - waiting), uid(number)) for number in range(waiting)]


def advance(breaker: CircuitBreaker, second: float, waiting: Iterable[tuple[datetime, SessionUID]] = ()) -> None:
    """Let time pass until then."""
    breaker.advance(at(second), lambda: waiting)


def going_on(breaker: CircuitBreaker, waiting: Waiting) -> int:
    """Return how many of the sessions that wait may go on."""
    return sum(not breaker.pauses(session) for _, session in waiting)


def test_failures_open_it_only_within_a_minute() -> None:
    """The same three failures spread over more than a minute are three single ones."""
    together, spread = CircuitBreaker(), CircuitBreaker()
    for number, second in enumerate((0, 30, 59)):
        fail(together, number, second)
    for number, second in enumerate((0, 30, 60)):
        fail(spread, number, second)

    assert at(59) == together.opened
    assert spread.opened is None


def test_failures_count_by_their_time_not_by_the_order_of_their_reports() -> None:
    """The one in the middle is reported last."""
    breaker = CircuitBreaker()
    for number, second in enumerate((80, 0, 59, 30)):
        fail(breaker, number, second)

    assert Phase.OPEN == breaker.phase


def test_one_session_that_fails_again_and_again_is_one() -> None:
    """Three failures of one session are no three sessions."""
    breaker = CircuitBreaker()
    for second in range(10):
        fail(breaker, 1, second)

    assert Phase.CLOSED == breaker.phase


def test_it_ends_after_five_minutes_without_a_failure() -> None:
    """Each failure in between begins them anew."""
    breaker, _ = opened()
    assert at(300) == breaker.due

    fail(breaker, 0, 200)
    advance(breaker, 499)
    assert at(500) == breaker.due
    assert breaker.pauses(uid(9))

    advance(breaker, 500)
    assert Phase.CLOSED == breaker.phase
    assert not breaker.pauses(uid(9))


def test_a_session_made_during_the_pause_does_not_prolong_it() -> None:
    """Deleted and made again, it fails every four minutes as before; nobody waits for it."""
    breaker, _ = opened()
    fail(breaker, 7, 240, created=200)
    advance(breaker, 300)

    assert Phase.CLOSED == breaker.phase


def test_it_is_tried_after_fifteen_minutes_whatever_fails() -> None:
    """One session first, then twice as many each minute, those first that have waited longest; then it is over."""
    breaker, waiting = opened(waiting=10)
    for second in range(240, 900, 240):
        fail(breaker, 0, second)
        advance(breaker, second, waiting)
    assert (Phase.OPEN, at(900)) == (breaker.phase, breaker.due)

    counts = []
    for second in (899, 900, 960, 1020, 1080):
        advance(breaker, second, waiting)
        counts.append(going_on(breaker, waiting))
        if second == 900:
            assert (False, True) == (breaker.pauses(uid(0)), breaker.pauses(uid(1)))

    assert [0, 1, 3, 7, 10] == counts
    advance(breaker, 1140, waiting)
    assert Phase.CLOSED == breaker.phase


def test_a_mass_failure_ends_the_trial() -> None:
    """Those that were tried fail as before: it opens again, for fifteen minutes at most."""
    breaker, waiting = opened(waiting=50)
    fail(breaker, 0, 800)
    for second in (900, 960, 1020):
        advance(breaker, second, waiting)
    for number in range(3):
        fail(breaker, number, 1030 + number)

    assert (Phase.OPEN, at(1032)) == (breaker.phase, breaker.opened)
    assert 0 == going_on(breaker, waiting)
    assert breaker.opened is not None
    assert at(1032) + COOLDOWN == breaker.due


def test_single_failures_do_not_end_the_trial() -> None:
    """Two of those that were tried fail; the others get their turn."""
    breaker, waiting = opened(waiting=3)
    fail(breaker, 0, 800)
    advance(breaker, 900, waiting)
    fail(breaker, 0, 910)
    fail(breaker, 1, 920)
    advance(breaker, 960, waiting)

    assert (Phase.TRIAL, 3) == (breaker.phase, going_on(breaker, waiting))


def test_a_pause_that_is_over_does_not_come_back() -> None:
    """A single failure after quiet minutes joins no old ones."""
    breaker, _ = opened()
    advance(breaker, 300)
    fail(breaker, 3, 303)

    assert Phase.CLOSED == breaker.phase


def test_a_clock_that_was_ahead_does_not_prolong_it() -> None:
    """Opened in an hour, by a clock that was wrong: five minutes from now it is over."""
    breaker = CircuitBreaker()
    for number in range(3):
        fail(breaker, number, 3600)
    advance(breaker, 0)
    advance(breaker, 300)

    assert Phase.CLOSED == breaker.phase


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400)), max_size=60), st.integers(0, 8))
def test_it_never_lasts_longer_than_the_longest_time(failures: list[tuple[int, int]], waiting: int) -> None:
    """Whatever fails whenever: after fifteen minutes of a pause somebody is tried, or nobody waits."""
    breaker, second = CircuitBreaker(), 0.0
    waits: Waiting = [(at(0), uid(number)) for number in range(waiting)]
    for number, pause in failures:
        second += pause
        fail(breaker, number, second)
        advance(breaker, second, waits)
        if breaker.opened is not None and at(second) - breaker.opened >= LONGEST:
            assert Phase.TRIAL == breaker.phase
            assert going_on(breaker, waits) > 0
