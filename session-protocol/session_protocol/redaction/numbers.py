"""Numbers as long as a phone's, in any spelling: with blanks, dashes, dots, slashes and brackets between the digits.

Shorter ones are kept: exit codes, ports, line numbers, counts of bytes to six digits.
"""

import re
from typing import Final

from session_protocol.redaction.spans import Placeholder, Span

_DIGITS: Final = re.compile(r"[0-9]+")
SHORTEST: Final = 7
""" Digits of a phone number. """
_BETWEEN: Final = frozenset(" \n-./()~_'*,|;\\")
_ENDS: Final = frozenset(".,;|")
_LONGEST_GAP: Final = 4


def find_numbers(folded: str) -> list[Span]:
    """Return the long numbers."""
    spans: list[Span] = []
    start = end = count = last = 0
    for group in _DIGITS.finditer(folded):
        single = group.end() - group.start() == 1 == last
        if count == 0 or not _joins(folded[end : min(group.start(), end + _LONGEST_GAP + 1)], single=single):
            spans += _number(folded, start, end, count)
            start, count = group.start(), 0
        last = group.end() - group.start()
        end, count = group.end(), count + last
    return spans + _number(folded, start, end, count)


def _joins(gap: str, *, single: bool) -> bool:
    """Whether a number continues after this; a dot or comma with a blank ends a part of a sentence, a bar a cell.

    :param single: whether a single digit is on either side: a list of digits.
    """
    ends_there = not single and not _ENDS.isdisjoint(gap) and (" " in gap or "\n" in gap)
    return len(gap) <= _LONGEST_GAP and _BETWEEN.issuperset(gap) and not ends_there


def _number(folded: str, start: int, end: int, count: int) -> list[Span]:
    if count < SHORTEST:
        return []
    if folded[max(0, start - 1) : start] == "(" and ")" in folded[start:end]:
        start -= 1
    if folded[max(0, start - 1) : start] == "+":
        start -= 1
    return [Span(start, end, Placeholder.NUMBER)]
