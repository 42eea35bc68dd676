"""Waiting for something to be so."""

from collections.abc import Iterator

import pytest
from session_bench.errors import NotInTime
from session_bench.waiting import until


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def test_what_is_so_is_returned_at_once() -> None:
    """Nobody sleeps."""
    time = Time()

    assert "there" == until(lambda: "there", "it", clock=time.read, sleep=time.sleep)
    assert 0.0 == time.now


def test_zero_is_something_seen() -> None:
    """Only None is nothing."""
    assert 0 == until(lambda: 0, "it")


def test_it_looks_again_until_it_is_so() -> None:
    """Each look after one interval."""
    time, answers = Time(), iter([None, None, "there"])

    assert "there" == until(lambda: next(answers), "it", interval=0.5, clock=time.read, sleep=time.sleep)
    assert 1.0 == time.now


def test_what_never_comes_is_named() -> None:
    """The message says what was waited for, and how long."""
    time = Time()

    def nothing() -> Iterator[None] | None:
        return None

    with pytest.raises(NotInTime, match="waited 3 s in vain for it"):
        until(nothing, "it", within=3, interval=1, clock=time.read, sleep=time.sleep)
    assert 4.0 == time.now
