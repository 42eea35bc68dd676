"""What the detectors pass to each other: spans of the text, and the text put together from them."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple


class Placeholder(StrEnum):
    """The word that replaces a secret."""

    NUMBER = "[number]"
    ACCOUNT = "[account]"
    CODE = "[code]"
    SECRET = "[secret]"  # noqa: S105 -- the word, not a secret


MASK: Final = "\x01"
""" Stands for each character that a detector has found. No text has it: control characters are gone before the first one. """
_PLACEHOLDER: Final = re.compile(r"\[(?:number|account|code|secret)\]")


class Span(NamedTuple):
    """A stretch of the folded text, and what is shown instead of it; no placeholder: it is shown as it is."""

    start: int
    end: int
    placeholder: Placeholder | None = None


class Fragment(NamedTuple):
    """A stretch of the result. A whole one is never cut: its half could look like something else."""

    text: str
    is_whole: bool


def find_placeholders(folded: str) -> list[Span]:
    """Return the placeholders of an earlier redaction, which are kept as they are."""
    return [Span(found.start(), found.end()) for found in _PLACEHOLDER.finditer(folded)]


def fragments(line: str, origin: Sequence[int], spans: list[Span]) -> list[Fragment]:
    """Return the line with the spans replaced."""
    result, done = [], 0
    for span in _merged(spans):
        start, end = origin[span.start], origin[span.end]
        result += [
            Fragment(line[done:start], is_whole=False),
            Fragment(span.placeholder or line[start:end], is_whole=True),
        ]
        done = end
    return [*result, Fragment(line[done:], is_whole=False)]


def _merged(spans: list[Span]) -> list[Span]:
    """Return the spans in order, one for each stretch that several overlap in: what one of them removes is removed."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if result and span.start < result[-1].end:
            before = result[-1]
            result[-1] = Span(before.start, max(before.end, span.end), before.placeholder or span.placeholder)
        else:
            result.append(span)
    return result
