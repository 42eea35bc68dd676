"""Durations as the resource writes them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.durations import at_least, parse_duration
from unit.runner.pages import quick


@pytest.mark.parametrize(
    ("text", "expected"), [("45s", 45.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0), ("24h", 86400.0)]
)
def test_durations_are_read_in_seconds(text: str, expected: float) -> None:
    """Units as in Go, also several of them."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize("text", ["", "45", "s", "5 s", "-5s", "1d", "0s", "25h", "1e3s", "٣s", "5S", "10s "])
def test_everything_else_is_refused(text: str) -> None:
    """A number without unit, a sign, a blank, a zero and more than a day are no durations here."""
    with pytest.raises(ValueError, match=r"duration|must be"):
        parse_duration(text)


@quick
@given(text=st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes it fail in another way."""
    with contextlib.suppress(ValueError):
        assert parse_duration(text) > 0


@pytest.mark.parametrize("text", ["1s", "1000ms", "24h"])
def test_a_timeout_of_a_second_or_more_is_taken(text: str) -> None:
    """The bound itself included, in whatever unit it is written."""
    assert at_least(1)(text) == parse_duration(text)


@pytest.mark.parametrize("text", ["999ms", "1ms", "0.9s"])
def test_a_shorter_one_is_refused_with_the_bound(text: str) -> None:
    """It was meant in another unit; the message says what is the least."""
    with pytest.raises(ValueError, match='must be at least 1s; write it like "45s"'):
        at_least(1)(text)
