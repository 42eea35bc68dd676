"""Choosing a media type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.http.negotiation import best_type
from unit.runner.pages import quick

OFFERED = ("application/json", "image/png", "image/svg+xml")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("IMAGE/PNG", "image/png"),
        ("image/svg+xml;q=0.2, image/png;q=0.9", "image/png"),
        ("image/*;q=0.5, image/svg+xml", "image/svg+xml"),
        ("*/*;q=0.1, image/*", "image/png"),
        ("image/*, image/png;q=0", "image/svg+xml"),
        ("application/json;q=0", None),
        ("text/html", None),
        ("image/png;q=never", None),
        (" , ", "application/json"),
    ],
)
def test_the_best_offer_wins(accept: str, expected: str | None) -> None:
    """Quality first, then our own order; the most specific range decides an offer's quality."""
    assert expected == best_type(accept, OFFERED)


@quick
@given(accept=st.text(max_size=60))
def test_any_header_has_an_answer(accept: str) -> None:
    """No header makes it raise."""
    assert best_type(accept, OFFERED) in (*OFFERED, None)
