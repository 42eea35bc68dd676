"""Durations as the resource writes them: "45s", "1m30s", "500ms". Read by the settings; units as in Go.

The bounds of each timeout are the resource's own, so that what the API server accepts the runner accepts too; a test
holds the settings against the rules in the CRD.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)"
_WHOLE = re.compile(f"(?:{_TERM})+")
LONGEST = 86_400.0
""" Seconds: a day. """


def parse_duration(text: str) -> float:
    """Seconds, more than 0 and at most a day; ValueError says what a duration looks like."""
    if not _WHOLE.fullmatch(text):
        raise ValueError('is not a duration; write it like "45s", "1m30s" or "500ms"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_TERM, text))
    if not 0 < seconds <= LONGEST:
        raise ValueError("must be more than 0 and at most 24h")
    return seconds


def at_least(shortest: int) -> Callable[[str], float]:
    """A parser of durations from that many seconds to a day."""

    def parse(text: str) -> float:
        seconds = parse_duration(text)
        if seconds < shortest:
            raise ValueError(f'must be at least {shortest}s; write it like "45s"')
        return seconds

    return parse
