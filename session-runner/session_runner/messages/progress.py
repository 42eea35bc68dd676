"""How far a message has come, as a pure function of what was known and what the page says now.

`ACCEPTED` is ours: the request is on the volume. `HANDING_OVER`: the page has been told, and whether it has stored the
message is asked of its store before it is told again. From `HANDED_OVER` on the page is responsible: it sends again by
itself, under the same id, so that nobody else may. Progress never goes back, in whatever order receipts come. `FAILED`
is final, and is said of a message that WhatsApp refused or that never reached the page; one without a word from the
server has not failed, however old it is.
"""

from enum import StrEnum
from typing import Final

from session_protocol.states import Phase, traits_of
from session_protocol.vocabulary import RunnerState, StateReason


class Progress(StrEnum):
    """In the order in which they come."""

    ACCEPTED = "accepted"
    HANDING_OVER = "handing_over"
    HANDED_OVER = "handed_over"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


_ORDER: Final = tuple(Progress)
_ACKS: Final = {
    0: Progress.HANDED_OVER,
    1: Progress.SENT,
    2: Progress.DELIVERED,
    3: Progress.READ,
    4: Progress.PLAYED,
}
_REFUSED: Final = -1

WAITING: Final = (Progress.ACCEPTED, Progress.HANDING_OVER)
""" The page does not have it, as far as is known. """
WATCHED: Final = (Progress.HANDED_OVER, Progress.SENT, Progress.DELIVERED)
""" What the page is asked about; a text is not played, so with `READ` it is done. """
TRIES: Final = 10
""" The page is told so often at least of a message that it does not take. """
SHORTEST_WAIT: Final = 600.0
""" Seconds for which it is told at least: pages come and go. """
LONGEST_WAIT: Final = 24 * 3600.0
""" Seconds. Nobody expects a message any more that could not be handed over for so long. """

LONGEST_SILENCE: Final = 600.0
""" Seconds of a connected page after which messages without a word from WhatsApp are more than slow: a second is usual. """


def progress_after(now: Progress, ack: int) -> Progress:
    """Return the progress of a message whose ack in the page's store is this."""
    if ack == _REFUSED:
        return Progress.FAILED if _ORDER.index(now) < _ORDER.index(Progress.SENT) else now
    return max(now, _ACKS.get(ack, now), key=_ORDER.index)


def is_connected(state: RunnerState, reason: StateReason) -> bool:
    """Whether the page is linked and connected, whatever a person has to do in it besides."""
    if reason is StateReason.MESSAGES_UNANSWERED:  # it is, and may be answered any moment
        return True
    traits = traits_of(state)
    return traits.linked is True and traits.phase in (Phase.CONNECTED, Phase.BLOCKED)


def can_send(state: RunnerState, reason: StateReason) -> bool:
    """Whether messages go out of the page now: nobody gets any until the owner has accepted new terms on the phone."""
    return is_connected(state, reason) and reason is not StateReason.TERMS_NOT_ACCEPTED


def unanswered_since(oldest: float | None, *, connected: float | None, now: float) -> float | None:
    """Return since when messages have been unanswered, if that is for too long; `connected`: since when the page is."""
    if oldest is None or connected is None or now - max(oldest, connected) < LONGEST_SILENCE:
        return None
    return oldest


def gives_up(*, tries: int, age: float, tried: float) -> bool:
    """Whether a message that is still waiting is not handed over any more; `tried`: for how long the page has been told."""
    return age >= LONGEST_WAIT or (tries >= TRIES and tried >= SHORTEST_WAIT)
