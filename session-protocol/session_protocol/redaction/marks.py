"""What the walks hand to each other: claims on stretches of the text, and the text put together from them."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple


class Mark(StrEnum):
    """The word that is left where a secret stood."""

    NUMBER = "[number]"
    ACCOUNT = "[account]"
    CODE = "[code]"
    SECRET = "[secret]"  # noqa: S105 -- the word, not a secret


MASK: Final = "\x01"
""" Stands for each claimed character. No text has it: control characters are gone before the first walk. """
_MARK: Final = re.compile(r"\[(?:number|account|code|secret)\]")


class Claim(NamedTuple):
    """A stretch of the folded text, and what is shown instead of it; no mark: it is shown as it is."""

    start: int
    end: int
    mark: Mark | None = None


class Piece(NamedTuple):
    """A stretch of the result. A whole one is never cut: its half could look like something else."""

    text: str
    is_whole: bool


def find_marks(folded: str) -> list[Claim]:
    """Return the marks of an earlier redaction; they are no text."""
    return [Claim(found.start(), found.end()) for found in _MARK.finditer(folded)]


def pieces(line: str, origin: Sequence[int], claims: list[Claim]) -> list[Piece]:
    """Return the line with the claims carried out."""
    result, done = [], 0
    for claim in _merged(claims):
        start, end = origin[claim.start], origin[claim.end]
        result += [Piece(line[done:start], is_whole=False), Piece(claim.mark or line[start:end], is_whole=True)]
        done = end
    return [*result, Piece(line[done:], is_whole=False)]


def _merged(claims: list[Claim]) -> list[Claim]:
    """Return the claims in order, one for each stretch that several overlap in: what one takes out is out."""
    result: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (claim.start, -claim.end)):
        if result and claim.start < result[-1].end:
            before = result[-1]
            result[-1] = Claim(before.start, max(before.end, claim.end), before.mark or claim.mark)
        else:
            result.append(claim)
    return result
