"""The clock that never jumps, whatever is done to the wall clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.steady_clock import RATE, SteadyClock

START = datetime(2026, 1, 2, tzinfo=UTC)
JUMPS = [20, -20, 3600, -3600, 315_360_000, -315_360_000]


class Machine:
    """Its two clocks."""

    def __init__(self) -> None:
        self.seconds = 50.0
        self.set_by = 0.0
        self.steady = SteadyClock(wall=self.wall, monotonic=lambda: self.seconds)

    def wall(self) -> datetime:
        """Return the wall clock's time."""
        return START + timedelta(seconds=self.seconds + self.set_by)


def test_it_is_the_wall_clock_while_nobody_sets_it() -> None:
    """To the microsecond, however seldom it is read."""
    machine = Machine()
    machine.seconds += 1000.5

    assert machine.wall() == machine.steady.now()
    assert 0 == machine.steady.behind


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_is_no_time_that_passed(jump: float) -> None:
    """Neither at once nor in what follows, but for five parts in a hundred."""
    machine = Machine()
    before = machine.steady.now()
    machine.set_by = jump
    at_once = machine.steady.now()
    machine.seconds += 15
    later = machine.steady.now()

    assert before == at_once
    assert abs((later - before).total_seconds() - 15) <= 15 * RATE
    assert jump == pytest.approx(machine.steady.behind, abs=1)


def test_it_catches_up_in_the_end() -> None:
    """And stays with the wall clock then."""
    machine = Machine()
    machine.set_by = -20
    for _ in range(500):
        machine.seconds += 1
        machine.steady.now()

    assert machine.wall() == machine.steady.now()


@given(st.lists(st.tuples(st.floats(0, 1000), st.sampled_from([0, *JUMPS]))))
def test_it_never_goes_back(steps: list[tuple[float, float]]) -> None:
    """Whatever comes in whatever order; and no step is more than 5 % longer or shorter than it was."""
    machine = Machine()
    before = machine.steady.now()
    for passed, jump in steps:
        machine.seconds += passed
        machine.set_by += jump
        now = machine.steady.now()
        assert passed * (1 - RATE) - 1e-3 <= (now - before).total_seconds() <= passed * (1 + RATE) + 1e-3
        before = now
