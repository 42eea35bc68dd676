"""Points in time in the one spelling that everything here writes: RFC 3339 in UTC with a Z.

The API server keeps whole seconds (`Time`), a Lease microseconds (`MicroTime`), a log line milliseconds.

Models cut times to whole seconds when they are made, not when they are written: otherwise what the operator holds
would differ from what it reads back, and it would write the same status again and again.
"""

from datetime import UTC, datetime
from typing import Literal

Parts = Literal["seconds", "milliseconds", "microseconds"]
""" How finely a time is written; what is finer is cut off. """


def whole_seconds(moment: datetime) -> datetime:
    """Return the moment in UTC, cut to its second.

    :raises ValueError: the moment has no time zone, or is outside of the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        raise ValueError("should have a time zone, as in 2026-01-31T12:00:00Z")
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise ValueError("should lie within the years 1 to 9999 in UTC") from error


def moment_of(seconds: float) -> datetime:
    """Return the moment so many seconds after 1970, in UTC, cut to its second."""
    return whole_seconds(datetime.fromtimestamp(seconds, UTC))


def format_time(moment: datetime, *, parts: Parts = "seconds") -> str:
    """Return the moment as the API server writes it: 2026-01-31T12:00:00Z; of a log or a Lease with its parts."""
    if moment.tzinfo is None:
        raise ValueError("should have a time zone, as in 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC).isoformat(timespec=parts).replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the moment of an RFC 3339 text, cut to its second.

    :raises ValueError: the text is not an RFC 3339 time.
    """
    return whole_seconds(datetime.fromisoformat(text))
