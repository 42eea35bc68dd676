"""Linking by a pairing code: eight characters that a person types into the phone whose number the page was told.

Pure, as `fetching` is: the history holds a `Pairing`, `monitor` lets these functions change it, `classify` reads it. One
code belongs to one round of QR codes, so that `maxRounds` limits both; the round is not replaced while its code lives.
The service allows few attempts: a code that it refuses, or takes back, is asked for again later and later, and the QR
code can be scanned all the while.
"""

import re
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from session_runner.states.facts import Facts, PairingRequest, Socket
from session_runner.values import Private

CODE_SECONDS: Final = 180.0
""" A code's life; wa-js replaces it after 195 s. """
ANSWERED_SECONDS: Final = 60.0
""" What is left of it once the phone has answered. """
ANSWER_SECONDS: Final = 30.0
""" A page that was asked for a code and has neither shown one nor an error by then has failed. """
FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 900.0
""" Seconds from a refusal to the next attempt: doubled each time. """
EARLY_PAUSE: Final = 1.0
""" Seconds until a page that is not ready is asked again. """
AGAIN_PAUSE: Final = 10.0
""" Seconds between two codes of a round, whoever changes the number and whatever ends the first; doubled each time. """
_NO_CONNECTION: Final = (Socket.OPENING, Socket.UNLAUNCHED)
_CODE: Final = re.compile(r"([A-Za-z0-9]{4})-?([A-Za-z0-9]{4})")


class Source(StrEnum):
    """What is known of the number in the Secret."""

    NONE = "None"
    """ The session names no Secret. """
    MISSING = "Missing"
    """ There is no such Secret, or it has no such entry. """
    INVALID = "Invalid"
    """ What it holds is no number in the international form. """
    FOUND = "Found"


class Pairing(Private, frozen=True, kw_only=True):
    """What is known of the pairing code. Times are seconds on the caller's monotonic clock."""

    hidden = ("number", "code")

    number: str | None = None
    """ The number that is to be linked by a code; None: none is, or nobody has given one. """
    source: Source = Source.NONE
    code: str | None = None
    """ As people read it: XXXX-XXXX. """
    code_dies: float = 0.0
    round: int | None = None
    """ The round in which a code was last asked for. """
    asks: int = 0
    """ How often in that round. """
    again: bool = False
    """ It came to nothing before its time, and another may be asked for in the same round. """
    asked_since: float | None = None
    """ Since when the page's answer is waited for. """
    early_since: float | None = None
    """ Since when the page says that it is not ready for the question. """
    retry_at: float = 0.0
    refusals: int = 0
    """ In a row. """
    limited: bool = False
    """ The last refusal was for too many attempts. """
    unsupported: bool = False
    """ The page has no pairing codes. """

    @property
    def is_refused(self) -> bool:
        """Whether there is no code because the service, or the page, gives none."""
        return self.refusals > 0 and self.code is None


def for_number(pairing: Pairing, number: str | None, *, source: Source) -> Pairing:
    """Return the pairing for this number; another one's code is dropped at once."""
    pairing = replace(pairing, source=source)
    if number == pairing.number:
        return pairing
    return replace(pairing, number=number, code=None, asked_since=None, again=True)


def looked(pairing: Pairing, facts: Facts, *, now: float) -> Pairing:
    """Return the pairing after a probe."""
    if facts.registered is True:
        return Pairing(number=pairing.number, source=pairing.source)
    request = facts.pairing
    if request is None or facts.socket in _NO_CONNECTION or facts.online is False:
        # Another document or another connection: the code ended with the one that it was given to.
        is_cut = holds_round(pairing, now=now)
        return replace(pairing, code=None, asked_since=None, again=pairing.again or is_cut)
    if request.failed:
        is_news = pairing.asked_since is not None or pairing.code is not None
        return refused(pairing, limited=request.limited, now=now) if is_news else pairing
    pairing = _shown(pairing, request, now=now)
    if pairing.asked_since is not None and now - pairing.asked_since >= ANSWER_SECONDS:
        return refused(pairing, limited=False, now=now)
    return _answered(pairing, request, now=now)


def _shown(pairing: Pairing, request: PairingRequest, *, now: float) -> Pairing:
    found = _CODE.fullmatch(request.code) if request.code is not None else None
    if found is None or (pairing.asked_since is None and pairing.code is None):  # none yet, or one that nobody wants
        return pairing
    code = f"{found[1]}-{found[2]}".upper()
    if code == pairing.code:
        return pairing
    dies = now + CODE_SECONDS - request.age
    return replace(pairing, code=code, code_dies=dies, asked_since=None, refusals=0, limited=False)


def _answered(pairing: Pairing, request: PairingRequest, *, now: float) -> Pairing:
    if request.answered_age is None or pairing.code is None:
        return pairing
    if live_pairing_code(pairing, now=now) is None:  # it was typed, and no link came of it
        return replace(pairing, code=None, again=True)
    # Also beyond its own life: another round would cut the two off from each other.
    return replace(pairing, code_dies=now - request.answered_age + ANSWERED_SECONDS)


def live_pairing_code(pairing: Pairing, *, now: float) -> tuple[str, float] | None:
    """Return the code and the seconds that it has left to live; None: there is none."""
    left = pairing.code_dies - now
    return None if pairing.code is None or left <= 0 else (pairing.code, left)


def is_due(pairing: Pairing, facts: Facts, *, round_: int, now: float) -> bool:
    """Whether the page is to be asked for a code: once in each round, while it shows a QR code."""
    asks_to_link = facts.registered is False and facts.socket == Socket.UNPAIRED and round_ > 0
    free = pairing.number is not None and pairing.asked_since is None
    wanted = pairing.again or pairing.round != round_
    return asks_to_link and free and wanted and now >= pairing.retry_at


def holds_round(pairing: Pairing, *, now: float) -> bool:
    """Whether another round has to wait: it would restart the page's connection, and so end the code."""
    return pairing.asked_since is not None or live_pairing_code(pairing, now=now) is not None


def is_over(pairing: Pairing, facts: Facts, *, now: float) -> bool:
    """Whether the page still has a request that nobody wants any more."""
    return facts.pairing is not None and not holds_round(pairing, now=now)


def asked(pairing: Pairing, answer: str | None, *, round_: int, now: float) -> Pairing:
    """Return the pairing after the page was asked for a code, by the script's answer."""
    match answer:
        case "asked":
            asks = pairing.asks + 1 if pairing.round == round_ else 1
            pairing = replace(pairing, round=round_, asks=asks, retry_at=now + AGAIN_PAUSE * 2 ** min(asks - 1, 10))
            return replace(pairing, code=None, asked_since=now, early_since=None, again=False, unsupported=False)
        case "early" if pairing.early_since is None or now - pairing.early_since < ANSWER_SECONDS:
            since = now if pairing.early_since is None else pairing.early_since
            return replace(pairing, early_since=since, retry_at=now + EARLY_PAUSE)
        case "linked":  # the next look shows it
            return replace(pairing, retry_at=now + EARLY_PAUSE)
        case _:
            return replace(refused(pairing, limited=False, now=now), unsupported=answer == "unsupported")


def refused(pairing: Pairing, *, limited: bool, now: float) -> Pairing:
    """Return the pairing after a code was refused or taken back: it is tried again later."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(pairing.refusals, 10))
    return replace(
        pairing,
        code=None,
        asked_since=None,
        early_since=None,
        again=True,
        retry_at=now + pause,
        refusals=pairing.refusals + 1,
        limited=limited,
    )
