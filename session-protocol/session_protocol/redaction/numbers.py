"""Numbers as long as a phone's, in any spelling: with blanks, dashes, dots, slashes and brackets between the digits.

Shorter ones are kept: exit codes, ports, line numbers, counts of bytes to six digits.
"""

import re
from typing import Final

from session_protocol.redaction.spans import Placeholder, Span

_DIGITS: Final = re.compile(r"[0-9]+")
_SHORTEST: Final = 7
_BETWEEN: Final = frozenset(" \n-./()~_'*,")
_LONGEST_GAP: Final = 4


def find_numbers(folded: str) -> list[Span]:
    """Return the long numbers."""
    spans: list[Span] = []
    start = end = count = 0
    for group in _DIGITS.finditer(folded):
        if count == 0 or not _joins(folded[end : min(group.start(), end + _LONGEST_GAP + 1)]):
            spans += _number(folded, start, end, count)
            start, count = group.start(), 0
        end, count = group.end(), count + len(group.group())
    return spans + _number(folded, start, end, count)


def _joins(gap: str) -> bool:
    """Whether a number continues after this; a dot or comma with a blank ends a part of a sentence."""
    ends_there = ("." in gap or "," in gap) and (" " in gap or "\n" in gap)
    return len(gap) <= _LONGEST_GAP and _BETWEEN.issuperset(gap) and not ends_there


def _number(folded: str, start: int, end: int, count: int) -> list[Span]:
    if count < _SHORTEST:
        return []
    if folded[max(0, start - 1) : start] == "(" and ")" in folded[start:end]:
        start -= 1
    if folded[max(0, start - 1) : start] == "+":
        start -= 1
    return [Span(start, end, Placeholder.NUMBER)]
