"""Durations as the resource writes them: "45s", "1m30s", "500ms". Read by the settings; units as in Go."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)"
_WHOLE = re.compile(f"(?:{_TERM})+")


def parse_duration(text: str) -> float:
    """Seconds, more than 0 and at most a day; ValueError says what a duration looks like."""
    if not _WHOLE.fullmatch(text):
        raise ValueError('is not a duration; write it like "45s", "1m30s" or "500ms"')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_TERM, text))
    if not 0 < seconds <= 86_400:
        raise ValueError("must be more than 0 and at most 24h")
    return seconds
