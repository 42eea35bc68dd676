"""What `classify` answers, and the words that several of its decisions have in common."""

from datetime import UTC, datetime
from typing import NamedTuple

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Facts, Socket
from session_runner.states.history import History

SYNC_START_SECONDS = 60.0
""" A newly linked page that has not begun to sync, or one that was scanned and is not linked, after this time is stuck. """
ON_THE_WAY = frozenset({Socket.OPENING, Socket.UNLAUNCHED, Socket.PAIRING})
""" Sockets on the way to a connection. """
_RESTRICTIONS = {
    Reason.TIME_LOCK: "WhatsApp does not let this account write to new contacts{}.",
    Reason.MESSAGES_CAPPED: "This account has begun as many new chats as WhatsApp allows; it may begin no other{}.",
    Reason.TERMS_NOT_ACCEPTED: "WhatsApp lets this account write to nobody{}: its owner has to accept new terms on the phone.",
}
""" With the end. """


class Verdict(NamedTuple):
    """The state of the session, with reason and message."""

    state: State
    reason: Reason
    message: str


def restricted(restriction: Reason, ends: float | None) -> Verdict:
    """Return the state of an account that may not do everything."""
    return Verdict(State.RESTRICTED, restriction, _RESTRICTIONS[restriction].format(until_text(ends) or " for now"))


def offline(facts: Facts, history: History) -> Verdict:
    """Return the state of a page without a connection, and without hope that it comes back in a moment."""
    if facts.online is False:
        return Verdict(State.OFFLINE, Reason.NETWORK_UNREACHABLE, "The browser has no network.")
    if facts.socket != Socket.CONNECTED and gave_up(facts, history):
        return unknown_screen(facts)
    return Verdict(State.OFFLINE, Reason.NO_CONNECTION, "WhatsApp cannot be reached; the page keeps retrying.")


def unknown_screen(facts: Facts) -> Verdict:
    """Return the state of a page that has ended its connection and says why, in words that this version does not know."""
    return Verdict(
        State.DEGRADED,
        Reason.UNKNOWN_SCREEN,
        f"The page has ended its connection and shows a screen that this version does not know ({seen(facts)}); "
        "a person has to look at it.",
    )


def update_needed(*, endless: bool = False) -> Verdict:
    """Return the state of a page whose version the service refuses."""
    what = "and it did not update itself; ask for a restart"
    if endless:
        what = (
            "and it loads itself again and again without getting another; "
            "ask for a restart, and if that does not end it, use a newer runner image"
        )
    return Verdict(State.UPDATE_NEEDED, Reason.VERSION_REFUSED, f"WhatsApp refuses this version of the page {what}.")


def unknown(facts: Facts) -> Verdict:
    """Return the state of a page that says what this version does not know."""
    return Verdict(State.DEGRADED, Reason.UNKNOWN_PAGE_STATE, f"The page is in an unknown state ({seen(facts)}).")


def gave_up(facts: Facts, history: History) -> bool:
    """Whether the page has stopped its connection for good: only another document brings it back."""
    begun = facts.socket not in (None, Socket.UNLAUNCHED)
    return begun and facts.comms is False and history.healthy_comms is not False


def until_text(seconds: float | None) -> str:
    """Return the end of something, if it is a time: Unix seconds between 2001 and 5138."""
    moment = moment_text(seconds)
    return f" until {moment}" if moment else ""


def moment_text(seconds: float | None) -> str:
    """Return a moment for people; empty: it is none."""
    if seconds is None or not 1e9 < seconds < 1e11:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def seen(facts: Facts) -> str:
    """Return what the page calls its own state, cut and cleaned, because people read it in status."""
    names = (
        "".join(c for c in name or "" if c.isascii() and (c.isalnum() or c == "_"))[:40] or "none"
        for name in (facts.socket, facts.stream)
    )
    return "socket {}, stream {}{}".format(*names, "" if facts.dialog is None else ", a window over it")
