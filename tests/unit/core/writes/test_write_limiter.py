"""When a status may be written."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.facts import T0
from whatsapp_operator.api.conditions import Condition, ConditionStatus
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.writes.write_limiter import (
    BATCH_WINDOW,
    BURST,
    MAX_DELAY,
    WriteLimiter,
    is_turned,
    is_urgent,
)


def at(seconds: float) -> datetime:
    """Return a moment of the test's day."""
    return T0 + timedelta(seconds=seconds)


def differing(pace: WriteLimiter, seconds: float, *, urgent: bool = False) -> WriteLimiter:
    """Return the pace after a decision whose status is not the stored one."""
    return pace.after_decision(now=at(seconds), differs=True, urgent=urgent)


def exhausted(seconds: float = 0) -> WriteLimiter:
    """Return the pace of a session that has just used up its burst."""
    pace = WriteLimiter()
    for _ in range(BURST):
        pace = pace.after_write(now=at(seconds))
    return pace


def test_nothing_to_write_is_never_due() -> None:
    """A status that is the stored one waits for nothing, commit or not."""
    pace = WriteLimiter().after_decision(now=T0, differs=False, urgent=False)

    assert pace.due() is None
    assert pace.due(commit=True) is None


def test_changes_within_a_second_become_one_write() -> None:
    """The write is due one second after the first change, however many follow."""
    pace = differing(differing(differing(WriteLimiter(), 0), 0.4), 0.9)

    assert at(1) == pace.due()


def test_a_change_that_is_taken_back_is_not_written() -> None:
    """The next change begins a new second."""
    pace = differing(WriteLimiter(), 0).after_decision(now=at(0.5), differs=False, urgent=False)

    assert pace.due() is None
    assert at(3) == differing(pace, 2).due()


def test_a_commit_waits_for_nothing() -> None:
    """Neither for the second, nor for the bucket, nor for a hold."""
    pace = differing(exhausted(), 0)

    assert at(0) == pace.due(commit=True, delay_until=at(100))


def test_four_writes_at_once_and_then_one_per_five_seconds() -> None:
    """A restless session is slowed down."""
    written = []
    pace = WriteLimiter()
    for tick in range(600):  # a minute in which something changes every 100 ms
        now = tick / 10
        pace = differing(pace, now)
        due = pace.due()
        if due is not None and due <= at(now):
            written.append(now)
            pace = pace.after_write(now=at(now))

    assert [1.0, 2.1, 3.2, 4.3] == written[:4]
    assert all(4.8 < later - earlier < 5.3 for earlier, later in itertools.pairwise(written[4:]))


def test_a_calm_time_gives_the_burst_back() -> None:
    """After twenty calm seconds four writes are free again, and not more after an hour."""
    pace = differing(exhausted(0), 3600)

    assert at(3601) == pace.due()
    assert 1.0 == pace.after_write(now=at(3601)).used


def test_an_urgent_change_waits_five_seconds_at_most() -> None:
    """Also with an empty bucket."""
    pace = differing(exhausted(0).after_write(now=at(0)), 0.5)
    pace = differing(pace, 1, urgent=True)

    assert pace.due() is not None
    assert pace.due() <= at(1) + MAX_DELAY  # type: ignore[operator]


def test_a_session_that_turns_ready_is_written_at_once() -> None:
    """Not a second later: it is what people wait for. An empty bucket and a hold still delay it."""
    turned = WriteLimiter().after_decision(now=at(0), differs=True, urgent=True, turned=True)
    later = differing(WriteLimiter(), 0).after_decision(now=at(0.4), differs=True, urgent=True, turned=True)
    restless = exhausted(0).after_decision(now=at(0), differs=True, urgent=True, turned=True)

    assert at(0) == turned.due()
    assert at(0.4) == later.due()
    assert at(5) == restless.due()
    assert at(3) == turned.due(delay_until=at(3))


def test_a_hold_delays_but_not_for_ever() -> None:
    """A pod on its way to Running holds writes back; a wrong clock on the other side does not do so for an hour."""
    pace = differing(WriteLimiter(), 0, urgent=True)

    assert at(3) == pace.due(delay_until=at(3))
    assert at(1) == pace.due(delay_until=at(0.2))
    assert at(5) == pace.due(delay_until=at(3600))


@dataclass
class Session:
    """A session whose status changes at given moments, written as the pace says."""

    pace: WriteLimiter = field(default_factory=WriteLimiter)
    written: list[float] = field(default_factory=list)


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=40), st.floats(0, 60))
def test_no_urgent_change_is_late_and_no_window_is_overfull(changes: list[tuple[int, bool]], hold: float) -> None:
    """Whatever comes: urgent within 5 s, and without commits at most 4 plus one per 5 s in any window."""
    session = Session()
    waiting_urgent: float | None = None
    events: dict[int, list[bool]] = {}
    for when, urgent in changes:
        events.setdefault(when, []).append(urgent)
    for tick in range(470):
        now = tick / 10
        for urgent in events.get(tick, ()):
            session.pace = differing(session.pace, now, urgent=urgent or waiting_urgent is not None)
            if urgent and waiting_urgent is None:
                waiting_urgent = now
        due = session.pace.due(delay_until=at(hold))
        if due is not None and due <= at(now):
            session.written.append(now)
            session.pace = session.pace.after_write(now=at(now))
            assert waiting_urgent is None or now - waiting_urgent <= 5.11
            waiting_urgent = None
    for start in session.written:
        window = [moment for moment in session.written if start <= moment <= start + 20]
        assert len(window) <= BURST + 1 + 20 / 5


def condition(
    kind: str, status: ConditionStatus = ConditionStatus.TRUE, reason: str = "Why", message: str = ""
) -> Condition:
    """Return a condition."""
    return Condition(type=kind, status=status, reason=reason, message=message)


@pytest.mark.parametrize("kind", ["Ready", "Admitted", "Stalled", "Conflict"])
@pytest.mark.parametrize("new", [(ConditionStatus.FALSE, "Why"), (ConditionStatus.TRUE, "Other")])
def test_what_tools_wait_for_is_urgent(kind: str, new: tuple[ConditionStatus, str]) -> None:
    """Another status or reason of Ready, Admitted, Stalled or Conflict."""
    before = SessionStatus(conditions=(condition(kind),))
    after = SessionStatus(conditions=(condition(kind, new[0], new[1]),))

    assert is_urgent(before, after)
    assert is_urgent(SessionStatus(), before)


@pytest.mark.parametrize(
    ("before", "after", "turns"),
    [
        ((), (condition("Ready"),), True),
        ((condition("Ready", ConditionStatus.FALSE),), (condition("Ready"),), True),
        ((condition("Ready"),), (condition("Ready", ConditionStatus.UNKNOWN),), True),
        ((condition("Ready"),), (), True),
        ((), (condition("Ready", ConditionStatus.FALSE),), False),
        ((condition("Ready", ConditionStatus.FALSE),), (condition("Ready", ConditionStatus.FALSE, "Other"),), False),
        ((condition("Ready"),), (condition("Ready"), condition("Conflict")), False),
    ],
)
def test_a_session_turns_when_ready_becomes_true_or_stops_being_so(
    *, before: tuple[Condition, ...], after: tuple[Condition, ...], turns: bool
) -> None:
    """Another reason of not being ready, or another condition, is no turn."""
    assert turns == is_turned(SessionStatus(conditions=before), SessionStatus(conditions=after))


def test_other_changes_are_not_urgent() -> None:
    """A message, another condition, a field."""
    before = SessionStatus(conditions=(condition("Ready"), condition("PodReady")))
    after = SessionStatus(
        state="Connected",
        conditions=(condition("Ready", message="new"), condition("PodReady", ConditionStatus.FALSE)),
    )

    assert not is_urgent(before, after)


def test_a_clock_that_jumps_back_does_not_stop_writes() -> None:
    """Nothing is regained for it, and nothing breaks."""
    pace = differing(WriteLimiter().after_write(now=at(100)), 50)

    assert at(50) + BATCH_WINDOW == pace.due()
    assert 2.0 == pace.after_write(now=at(51)).used
