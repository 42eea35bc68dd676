"""Times: what is held in memory is what the API server keeps."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import strategies
from hypothesis import given
from session_protocol.times import format_time, parse_time, whole_seconds


def test_a_time_is_cut_to_its_second_in_utc() -> None:
    """What the operator holds equals what it reads back, or it would write for ever."""
    given_time = datetime(2026, 1, 31, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))

    assert datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC) == whole_seconds(given_time)
    assert whole_seconds(given_time).tzinfo is UTC


def test_a_time_is_written_with_a_z() -> None:
    """The API server's own spelling, so that a comparison of texts is a comparison of times."""
    assert format_time(datetime(2026, 1, 31, 12, 0, 5, 7, tzinfo=UTC)) == "2026-01-31T12:00:05Z"


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody knows when it is."""
    with pytest.raises(ValueError, match="should have a time zone"):
        whole_seconds(datetime(2026, 1, 31, 12, 0, 0))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-31T12:00:00", "9999-12-31T23:59:59-23:00"]
)
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    """Only RFC 3339 with a zone is read."""
    with pytest.raises(ValueError, match=r"Invalid|should|month"):
        parse_time(text)


@given(strategies.moments())
def test_a_written_time_reads_back(moment: datetime) -> None:
    """Nothing is lost but parts of a second."""
    assert moment == parse_time(format_time(moment))


def test_a_time_is_written_as_finely_as_asked() -> None:
    """A log line has milliseconds, a Lease microseconds; what is finer is cut off."""
    moment = datetime(2026, 1, 31, 12, 0, 5, 1999, tzinfo=UTC)

    assert format_time(moment, parts="milliseconds") == "2026-01-31T12:00:05.001Z"
    assert format_time(moment, parts="microseconds") == "2026-01-31T12:00:05.001999Z"
