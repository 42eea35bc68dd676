"""Durations: the texts of a manifest and the lengths behind them."""

import re
from datetime import timedelta

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import duration
from session_protocol.durations import DURATION_PATTERN, BadDuration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("1m30s", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("2h", timedelta(hours=2)),
        ("1h30m5s10ms", timedelta(hours=1, minutes=30, seconds=5, milliseconds=10)),
        ("5s5s", timedelta(seconds=10)),
        ("0s", timedelta()),
        ("5m5ms", timedelta(minutes=5, milliseconds=5)),
    ],
)
def test_every_form_has_its_length(text: str, length: timedelta) -> None:
    """Whole numbers with units add up."""
    assert length == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "30", "5 days", "1w", "P1D", "-5s", "1.5h", "1h 30m", "30S", "1d", "123456s", "1s1s1s1s1s", "30s\n", "٣s"],
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    """The message shows what a duration looks like."""
    with pytest.raises(BadDuration, match="should be a duration such as 30s, 5m or 1h30m"):
        parse_duration(text)


def test_a_length_passes_unchanged() -> None:
    """Code constructs models with timedelta."""
    assert timedelta(days=1) == parse_duration(timedelta(days=1))


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(days=1), "24h"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(microseconds=1999), "1ms"),
    ],
)
def test_a_length_has_its_shortest_text(length: timedelta, text: str) -> None:
    """Largest units first; what is finer than a millisecond is dropped."""
    assert text == format_duration(length)


def test_a_negative_length_has_no_text() -> None:
    """A manifest cannot say it, so a computed one is a mistake that must show."""
    with pytest.raises(BadDuration, match="should not be negative"):
        format_duration(timedelta(seconds=-1))


@given(strategies.duration_texts().filter(lambda text: parse_duration(text) < timedelta(hours=100_000)))
def test_formatting_keeps_the_length(text: str) -> None:
    """Whatever was read comes back as the same length."""
    assert parse_duration(text) == parse_duration(format_duration(parse_duration(text)))


@given(strategies.durations(timedelta(hours=99_999), shortest=timedelta(milliseconds=1)))
def test_what_is_written_is_what_the_schema_accepts(length: timedelta) -> None:
    """The formatted text fits the pattern that stands in the CRD."""
    assert re.fullmatch(DURATION_PATTERN, format_duration(length))


@given(st.text(max_size=12))
def test_reading_and_the_schemas_pattern_agree(text: str) -> None:
    """A text is read exactly when the CRD's pattern takes it (a closing line break apart, which only Python's $ allows)."""
    accepted = re.match(DURATION_PATTERN.replace("$", r"\Z"), text) is not None

    try:
        parse_duration(text)
    except BadDuration:
        assert not accepted
    else:
        assert accepted


@given(strategies.duration_texts())
def test_the_client_library_reads_the_same(text: str) -> None:
    """Its reader of GEP-2257 is the oracle."""
    assert duration.parse_duration(text) == parse_duration(text)
