"""What a receiver's answer means for a delivery, and when the next try is."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

FIRST: Final = 5.0
""" Seconds until the second try. Each further one doubles the pause. """
LONGEST: Final = 600.0
""" The longest pause of ours, in seconds: how much later than its receiver a delivery is back, at most. """
SPREAD: Final = 0.2
""" By which part a pause is longer or shorter by chance, so that many sessions do not come back together. """
LONGEST_ASKED: Final = 6 * 3600.0
""" The longest pause that a receiver is granted. """
LONGEST_OF_ALL: Final = LONGEST_ASKED + FIRST
GIVE_UP: Final = 3 * 24 * 3600.0
""" Seconds after which a delivery that was never taken is a dead letter. """
UNKNOWN_SENDER: Final = 600.0
""" Seconds for which a receiver that does not know the sender is tried again: a changed Secret takes two minutes to a pod. """
_TRANSIENT: Final = frozenset({408, 425, 429})
_NOT_KNOWN: Final = frozenset({401, 403})
_LONGEST_HEADER: Final = 64


class Outcome(StrEnum):
    """What becomes of a delivery."""

    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"


def outcome(status: int, *, unknown_for: float | None = None) -> Outcome:
    """Return what an answer with this status means: a 4xx or a redirect would be the same the next time.

    But for one that says that the sender is not known: receiver and session get a new secret one after the other.

    :param unknown_for: the seconds since this was first said of the delivery; None: the session shows nothing to be known by.
    """
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if says_unknown(status) and unknown_for is not None:
        return Outcome.AGAIN if unknown_for < UNKNOWN_SENDER else Outcome.DEAD
    return Outcome.AGAIN if status in _TRANSIENT or status >= 500 else Outcome.DEAD


def says_unknown(status: int | None) -> bool:
    """Whether an answer says that the receiver does not know, or does not take, who sends."""
    return status in _NOT_KNOWN


def pause(tries: int, *, chance: float, asked: float | None = None) -> float:
    """Return the seconds until the next try, after so many failed ones.

    :param chance: a number from 0 to 1.
    :param asked: what the receiver wants, by Retry-After.
    """
    ours = min(LONGEST, FIRST * 2.0 ** min(max(tries, 1) - 1, 16))
    spread = ours * (1 - SPREAD + 2 * SPREAD * chance)
    if asked is None:
        return spread
    return min(LONGEST_ASKED, max(asked, 1.0)) + FIRST * chance  # not earlier, and not all at once


def asked_pause(header: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date; None: it says nothing."""
    if header is None or not 0 < len(header) <= _LONGEST_HEADER:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # no date, or one beyond all years
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def is_over(until: float, *, now: float) -> bool:
    """Whether a pause until then is over; so is one that is longer than any, from when the clock was ahead."""
    return until <= now or until > now + LONGEST_OF_ALL


def is_given_up(*, age: float) -> bool:
    """Whether a delivery of this age, in seconds, is not tried again."""
    return age >= GIVE_UP
