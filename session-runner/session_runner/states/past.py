"""What the runner must remember to understand the next look at the page.

`remember` folds one snapshot into the memory; it is pure, and `classify` reads the result. Times are seconds on the
caller's monotonic clock. The part that outlives the pod (linked, hold) is stored by `profile.marker`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from session_protocol.vocabulary import OnLogout

from session_runner.states.facts import Ban, Facts, Socket
from session_runner.states.policy import Policy

SETTLE_SECONDS = 5.0
""" A page that just started may look unregistered or without its mutex; a logout must last this long to be believed
    unless the page itself already asks to be linked. """
LOGOUT_SHOWN_SECONDS = 2.0
""" A logout that links again by itself stays visible for so long, so that a reader of the state can see it. """

ASKED_SECONDS = 60.0
""" A logout that comes later than this after it was asked for is another one. """


@dataclass(frozen=True, kw_only=True)
class Past:
    """The memory of one session; a fresh runner fills `linked`, `hold` and `granted` from the marker file."""

    linked: bool = False
    """ Was registered, in this pod or an earlier one, and not forgotten by linking anew. """
    hold: str | None = None
    """ Why a logout must wait for a person whatever the settings say: a ban or a locked account. """
    granted: bool = False
    """ A person asked for linking again: the next logout, hold or not, leads to a QR code. """
    healthy_comms: bool | None = None
    """ Whether the page had its connection object while it was connected: a later build may never have one. """
    ban: Ban | None = None
    """ The ban that is in force. """
    served_ban: Ban | None = None
    """ The last ban that ended: the page may keep telling it. """
    unavailable: float | None = None
    served_unavailable: float | None = None
    interrupted: bool = False
    """ The stream was down since the ban or the outage began, so that a stream that is up proves its end. """
    unclassified_since: float | None = None
    opening_since: float | None = None
    silent_since: float | None = None
    """ Connected by name with the stream down. """
    codeless_since: float | None = None
    """ The page asks to be linked and shows no code. """
    foreign_mutex_since: float | None = None
    unregistered_since: float | None = None
    logged_out_since: float | None = None
    logout_asked: float | None = None
    """ When somebody asked the runner to log out. """
    round: int = 0
    """ Rounds of QR codes begun in this pod. """
    refreshing_since: float | None = None

    def lasted(self, since: float | None, *, now: float) -> float:
        """Seconds since that moment, 0 when it did not begin."""
        return 0.0 if since is None else max(0.0, now - since)

    @property
    def logged_out_as_asked(self) -> bool:
        """Whether the logout that shows is the one that somebody asked the runner for."""
        if self.logged_out_since is None or self.logout_asked is None:
            return False
        return 0 <= self.logged_out_since - self.logout_asked <= ASKED_SECONDS

    def must_wait(self, policy: Policy) -> bool:
        """Whether a logout waits for a person."""
        return not self.granted and (self.hold is not None or policy.on_logout is OnLogout.WAIT)


def remember(past: Past, facts: Facts, *, policy: Policy, now: float) -> Past:
    """Fold one snapshot into the memory."""
    usable = facts.booted and facts.injected and not facts.refused
    asks_to_link = facts.socket in (Socket.UNPAIRED, Socket.UNPAIRED_IDLE)
    silent = facts.registered is True and facts.socket == Socket.CONNECTED and not facts.streaming
    unregistered = usable and facts.registered is False
    past = replace(
        past,
        unclassified_since=_since(past.unclassified_since, holds=not usable or facts.registered is None, now=now),
        opening_since=_since(past.opening_since, holds=usable and facts.socket == Socket.OPENING, now=now),
        silent_since=_since(past.silent_since, holds=silent, now=now),
        foreign_mutex_since=_since(past.foreign_mutex_since, holds=facts.foreign_mutex, now=now),
        unregistered_since=_since(past.unregistered_since, holds=unregistered, now=now),
        codeless_since=_since(past.codeless_since, holds=unregistered and asks_to_link and not facts.code, now=now),
    )
    logged_out = (
        unregistered
        and past.linked
        and (asks_to_link or past.lasted(past.unregistered_since, now=now) >= SETTLE_SECONDS)
    )
    past = replace(past, logged_out_since=_since(past.logged_out_since, holds=logged_out, now=now))
    past = _remember_refusals(past, facts)
    if facts.registered is True and usable:
        past = _remember_link(past, facts)
    elif _links_again(past, facts, policy=policy, now=now):
        past = replace(past, linked=False, hold=None, granted=False, logged_out_since=None, round=0)
    return _remember_round(past, facts, now=now)


def asked_for_code(past: Past, *, now: float) -> Past:
    """A new round of QR codes was asked for. Counted when asked, so that a page that never answers is bounded too."""
    return replace(past, round=past.round + 1, refreshing_since=now)


def wants_code(past: Past, facts: Facts, *, policy: Policy, now: float) -> bool:
    """Whether the page's codes are used up and another round is due."""
    idle = facts.registered is False and facts.socket == Socket.UNPAIRED_IDLE
    waiting = past.refreshing_since is not None and now - past.refreshing_since < policy.refresh_patience
    return idle and not past.linked and not waiting and past.round < policy.max_rounds


def _since(since: float | None, *, holds: bool, now: float) -> float | None:
    if not holds:
        return None
    return now if since is None else since


def _remember_link(past: Past, facts: Facts) -> Past:
    past = replace(past, linked=True, refreshing_since=None)
    if not facts.streaming:
        return past
    return replace(past, granted=False, healthy_comms=facts.comms if facts.comms is not None else past.healthy_comms)


def _links_again(past: Past, facts: Facts, *, policy: Policy, now: float) -> bool:
    return (
        past.logged_out_since is not None
        and not past.must_wait(policy)
        and facts.socket in (Socket.UNPAIRED, Socket.UNPAIRED_IDLE)
        and now - past.logged_out_since >= LOGOUT_SHOWN_SECONDS
    )


def _remember_refusals(past: Past, facts: Facts) -> Past:
    """Bans and outages begin with the page's word and end when a stream that was down is up again."""
    if facts.ban is not None and facts.ban not in (past.ban, past.served_ban):
        past = replace(past, ban=facts.ban, hold="Banned", interrupted=False)
    if facts.unavailable is not None and facts.unavailable not in (past.unavailable, past.served_unavailable):
        past = replace(past, unavailable=facts.unavailable, interrupted=False)
    if not facts.streaming:
        return replace(past, interrupted=True)
    if past.interrupted:
        past = replace(
            past,
            served_ban=past.ban or past.served_ban,
            ban=None,
            served_unavailable=past.unavailable if past.unavailable is not None else past.served_unavailable,
            unavailable=None,
            hold=None,
            interrupted=False,
        )
    return past


def _remember_round(past: Past, facts: Facts, *, now: float) -> Past:
    if past.linked or facts.registered is not False or facts.code is None:
        return past
    if past.round == 0:
        return replace(past, round=1, refreshing_since=None)
    refreshed = past.refreshing_since is not None and facts.socket == Socket.UNPAIRED and now > past.refreshing_since
    return replace(past, refreshing_since=None) if refreshed else past
