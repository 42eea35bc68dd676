"""Durations as people write them in a manifest ("30s", "1h30m", "500ms") and as Python's timedelta.

The form is the one of the Gateway API (GEP-2257): one to four whole numbers, each with a unit. It is a subset of what Go reads,
so the API server's own `duration()` takes every accepted text too. Manifests and the runner's environment are read by
this one grammar; the client library's (`kubernetes.utils.duration`) is the same and the oracle of a test.
"""

import re
from datetime import timedelta
from typing import Final

DURATION_PATTERN: Final = "^([0-9]{1,5}(h|m|s|ms)){1,4}$"
""" The CRD has it too, as a rule with a readable message. """
_PART: Final = re.compile(r"([0-9]{1,5})(h|ms|m|s)")
_WHOLE: Final = re.compile(DURATION_PATTERN.removeprefix("^").removesuffix("$"))
_UNITS: Final = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


class BadDuration(ValueError):
    """The text is not a duration."""


def parse_duration(given: str | timedelta) -> timedelta:
    """Return the length of a duration as written in a manifest; a timedelta passes unchanged.

    :raises BadDuration: the text is not a duration; the message gives an example.
    """
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str) or _WHOLE.fullmatch(given) is None:
        raise BadDuration("should be a duration such as 30s, 5m or 1h30m")
    return sum((int(number) * _UNITS[unit] for number, unit in _PART.findall(given)), timedelta())


def format_duration(length: timedelta) -> str:
    """Return the shortest text with the largest units first: 1h30m, 500ms, 0s.

    Parts of a millisecond are dropped: nothing here is timed that finely. It reads back up to 99999h; the CRD allows
    a day.

    :raises BadDuration: the length is negative, which a manifest cannot express.
    """
    if length < timedelta():
        raise BadDuration(f"should not be negative, but it is {length}")
    text = ""
    for unit, one in _UNITS.items():
        count, length = divmod(length, one)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
