"""Durations as the resource writes them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.durations import parse_duration
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
