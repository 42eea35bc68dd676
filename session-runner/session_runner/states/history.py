"""The history of the page: what earlier probes showed and the next classification needs.

`remember` adds the facts of one probe to the history, `reported` the state that was made of them, and `left` that the
page's document goes; all are pure, and `classify` reads the result. Times are seconds on the caller's monotonic clock.
`profile.saved_state` stores what must outlive the pod (linked, logout_hold).
"""

from msgspec import field
from msgspec.structs import replace
from session_protocol.phone_numbers import is_same_number
from session_protocol.vocabulary import OnLogout, RunnerState, StateReason

from session_runner.states import fetching, updating
from session_runner.states.facts import Ban, Dialog, Facts, Socket
from session_runner.states.fetching import Fetching
from session_runner.states.pairing import Pairing, holds_round, looked
from session_runner.states.policy import Policy
from session_runner.states.updating import Updating
from session_runner.values import Private

SETTLE_SECONDS = 5.0
""" A page that has just started may look unregistered. A logout counts after it has lasted this long, or at once when
    the page waits for a phone. """
LOGOUT_SHOWN_SECONDS = 2.0
""" A logout after which the page links again by itself is reported for so long, so that readers can see it. """

DEFAULT_CODE_LIFETIME = 20.0
""" Seconds, when the page does not tell; it is the service's value for all codes but the first. """
LONGEST_CODE_LIFETIME = 60.0
""" Seconds that the service gives the first code. """
STALE_SECONDS = 2.0
""" For so long a page may take to put another code in the place of a dead one; then it is stuck and is asked for a round. """

ASKED_SECONDS = 60.0
""" A logout that follows a request later than this was not caused by it. """

NAMELESS_SECONDS = 60.0
""" A linked page that has not said by then whose account it is will not; its account then goes unchecked. """

NOTICE_SHOWN_SECONDS = 10.0
""" The page's notice of what is new is reported for so long before it is acknowledged, and again if it stays. """
MOST_ACKNOWLEDGEMENTS = 3
""" One that is still there then needs a person. """


class History(Private, frozen=True, kw_only=True):
    """The history of one session; a new runner takes `linked`, `is_unchecked`, `logout_hold` and `granted` from the state file."""

    hidden = ("code",)

    linked: bool = False
    """ The page was registered, in this pod or an earlier one, and did not start to link again since. """
    logout_hold: str | None = None
    """ Why a logout must wait for a person regardless of the settings: a ban or a locked account. """
    granted: bool = False
    """ A person asked for a relink: the next logout, hold or not, leads to a QR code. """
    healthy_comms: bool | None = None
    """ Whether the page had its connection object while it was connected: a later build may never have one. """
    ban: Ban | None = None
    """ The ban that is in force, with all that was ever told of it; after a reload, until the new document refutes it. """
    ban_origin: float | None = None
    """ The document that showed it last. """
    ban_unclear_since: float | None = None
    """ Since when another document has neither shown it nor refuted it. """
    interrupted: bool = False
    """ The stream was down since the logout hold began; when it is up again, that has ended. """
    fetching: Fetching = field(default_factory=Fetching)
    updating: Updating = field(default_factory=Updating)
    pairing: Pairing = field(default_factory=Pairing)
    is_unchecked: bool = False
    """ A phone was linked, and whether it is the right one is not known yet. """
    nameless_since: float | None = None
    """ Since when the page does not say whose account that is. """
    unexpected: bool = False
    """ The last link was of another account than the one that was expected, and is given up for that. """
    unclassified_since: float | None = None
    lost_since: float | None = None
    """ Since when the page opens its connection, or opens it again: with all turns of it, whatever the socket is called. """
    silent_since: float | None = None
    """ Connected by name with the stream down. """
    codeless_since: float | None = None
    """ The page waits for a phone and shows no code. """
    unscannable_since: float | None = None
    """ Nobody can scan the code of an unlinked page that has shown one, whatever its socket is called. """
    foreign_mutex_since: float | None = None
    other_tab_shown: bool = False
    """ This document has shown another tab's window and was not let in since: it knows no way back but a reload. """
    restriction: StateReason | None = None
    """ The present restriction of the account. """
    restriction_ends: float | None = None
    """ When that ends, Unix seconds: it may be told by an event that nobody repeats to the next document. """
    unsynced_since: float | None = None
    """ Since when the page has been fetching its first data, over documents and lost connections. """
    sync_began: float | None = None
    """ The same, Unix seconds, for people. """
    unregistered_since: float | None = None
    logged_out_since: float | None = None
    logout_shown_since: float | None = None
    """ Since when the logout is what is reported: another state may cover it. """
    logout_explanation: tuple[str, float] | None = None
    """ Why the page was logged out, as it told last, and when it did. """
    logout_asked: float | None = None
    """ When somebody asked the runner to log out. """
    notice_since: float | None = None
    """ Since when the page shows its notice of what is new. """
    acknowledgements: int = 0
    """ How often that was acknowledged. """
    round: int = 0
    """ Rounds of QR codes begun in this pod. """
    refreshing_since: float | None = None
    code: str | None = None
    """ The last QR code that the page showed. """
    code_dies: float = 0.0
    """ When its life is over, or was. """
    code_origin: float | None = None
    """ The document that showed it last. """
    code_left: bool = False
    """ That document was about to be left, with which the code dies; none may have followed. """
    code_given: float | None = None
    """ When the page got it, by the page's clock; None: not known. """

    def lasted(self, since: float | None, *, now: float) -> float:
        """Return the seconds since a moment; 0 for None."""
        return 0.0 if since is None else max(0.0, now - since)

    @property
    def logout_reason(self) -> str | None:
        """Why the present logout happened, in the page's own word."""
        if self.logged_out_since is None or self.logout_explanation is None:
            return None
        reason, given = self.logout_explanation
        return reason if abs(self.logged_out_since - given) <= ASKED_SECONDS else None

    @property
    def logged_out_as_asked(self) -> bool:
        """Whether the present logout is the one that was requested from the runner."""
        return self.logged_out_since is not None and self.asked_lately(now=self.logged_out_since)

    def asked_lately(self, *, now: float) -> bool:
        """Whether a logout that is seen now was requested from the runner."""
        return self.logout_asked is not None and 0 <= now - self.logout_asked <= ASKED_SECONDS

    def must_wait(self, policy: Policy) -> bool:
        """Whether a logout waits for a person."""
        return not self.granted and (self.logout_hold is not None or policy.on_logout is OnLogout.WAIT)


def remember(history: History, facts: Facts, *, policy: Policy, now: float) -> History:
    """Return the history with the facts of one more probe."""
    asks_to_link = facts.socket in (Socket.UNPAIRED, Socket.UNPAIRED_IDLE)
    # While the service refuses it, a page has lost nothing that it could have: what follows is counted from then on.
    refused = facts.ban is not None or facts.unavailable
    noticed = facts.dialog is Dialog.WHATS_NEW and facts.registered is True and facts.is_let_in
    silent = facts.registered is True and facts.socket == Socket.CONNECTED and not facts.is_let_in and not refused
    lost = facts.has_modules and not refused and _is_lost(history, facts)
    # A page whose database failed cannot know its login: what it says of that then is no logout.
    unregistered = facts.has_modules and facts.registered is False and not facts.storage_failed
    history = _remember_code(history, facts, now=now)
    has_code = live_code(history, facts, now=now) is not None
    # Where the page does not say how long its codes live, one that it goes on showing may still be the first.
    spare = (
        0.0 if facts.code is None or facts.code_lifetime is not None else LONGEST_CODE_LIFETIME - DEFAULT_CODE_LIFETIME
    )
    codeless = not has_code and (facts.code is None or now - history.code_dies >= spare)
    unscannable = unregistered and history.round > 0 and not has_code
    history = replace(
        history,
        fetching=fetching.looked(history.fetching, facts, now=now),
        updating=updating.looked(history.updating, facts, now=now),
        pairing=looked(history.pairing, facts, now=now),
        unclassified_since=_since(
            history.unclassified_since, holds=not facts.has_modules or facts.registered is None, now=now
        ),
        lost_since=_since(history.lost_since, holds=lost, now=now),
        silent_since=_since(history.silent_since, holds=silent, now=now),
        notice_since=_since(history.notice_since, holds=noticed, now=now),
        foreign_mutex_since=_since(history.foreign_mutex_since, holds=facts.foreign_mutex, now=now),
        other_tab_shown=not facts.is_let_in and (history.other_tab_shown or facts.shows_other_tab),
        unregistered_since=_since(history.unregistered_since, holds=unregistered, now=now),
        codeless_since=_since(history.codeless_since, holds=unregistered and asks_to_link and codeless, now=now),
        unscannable_since=_since(history.unscannable_since, holds=unscannable, now=now),
        acknowledgements=history.acknowledgements if noticed else 0,
    )
    logged_out = (
        unregistered
        and history.linked
        and (asks_to_link or history.lasted(history.unregistered_since, now=now) >= SETTLE_SECONDS)
    )
    history = replace(history, logged_out_since=_since(history.logged_out_since, holds=logged_out, now=now))
    history = _remember_refusals(history, facts, now=now)
    history = _remember_sync(history, facts, now=now)
    if unregistered and history.linked and facts.logout_reason is not None:
        history = logout_explained(history, facts.logout_reason, now=now)
        if facts.logout_reason == "account_locked" and history.logout_hold is None:
            history = replace(history, logout_hold="AccountLocked")
    if facts.registered is True and facts.has_modules:
        history = _remember_link(history, facts)
    elif _links_again(history, policy=policy, now=now):
        history = replace(history, linked=False, is_unchecked=False, logout_hold=None, granted=False)
        # The next logout may follow within seconds, and is another one.
        history = replace(history, logged_out_since=None, logout_explanation=None, logout_asked=None, round=0)
    return _remember_round(history, facts, has_code=has_code, now=now)


def reported(history: History, state: RunnerState, *, now: float) -> History:
    """Return the history after a state was published."""
    shown = _since(history.logout_shown_since, holds=state is RunnerState.LOGGED_OUT, now=now)
    return replace(history, logout_shown_since=shown)


def logout_explained(history: History, reason: str | None, *, now: float) -> History:
    """Return the history after the page told why it was logged out, if it did; the same again is no other logout."""
    known = "".join(c for c in reason or "" if c.isascii() and (c.isalnum() or c == "_"))[:40]
    before = history.logout_explanation
    is_new = before is None or before[0] != known or now - before[1] > ASKED_SECONDS
    return replace(history, logout_explanation=(known, now)) if known and is_new else history


def version_refused(history: History, *, now: float) -> History:
    """Return the history after the page said that it needs an update, perhaps in its last moment."""
    return replace(history, updating=updating.version_refused(history.updating, now=now))


def left(history: History, *, now: float) -> History:
    """Return the history after the page's document was left: its codes are dead, whatever the next one shows."""
    dies = min(history.pairing.code_dies, now)
    pairing = replace(history.pairing, code_dies=dies, asked_since=None, early_since=None, again=True)
    history = replace(history, updating=updating.next_document(history.updating), other_tab_shown=False)
    dies = min(history.code_dies, now)
    return replace(history, code_dies=dies, code_left=True, logout_shown_since=None, pairing=pairing)


def live_code(history: History, facts: Facts, *, now: float) -> tuple[str, float] | None:
    """Return the QR code on the screen and the seconds that it has left to live; None: there is none, or it is dead."""
    remaining = history.code_dies - now
    return None if facts.code is None or facts.code != history.code or remaining <= 0 else (facts.code, remaining)


def asked_for_code(history: History, *, now: float) -> History:
    """Return the history after a new round of QR codes was requested.

    The round is counted at the request, so that their number is limited even if the page never responds.
    """
    return replace(history, round=history.round + 1, refreshing_since=now)


def checked(history: History, facts: Facts, *, expected: str | None, now: float) -> History:
    """Return the history after a new link was compared with the number that was expected; once right, it stays right."""
    if not history.is_unchecked or facts.registered is not True:
        return history
    if facts.account is None:
        since = _since(history.nameless_since, holds=True, now=now)
        is_unchecked = history.lasted(since, now=now) < NAMELESS_SECONDS
        return replace(history, is_unchecked=is_unchecked, nameless_since=since if is_unchecked else None)
    is_other = expected is not None and not is_same_number(facts.account, expected)
    return replace(history, is_unchecked=is_other, unexpected=is_other, nameless_since=None)


def wants_code(history: History, facts: Facts, *, policy: Policy, now: float) -> bool:
    """Whether the page's codes are used up, or the page is stuck with a dead one, and another round is due."""
    stale = facts.code is not None and facts.code == history.code and now - history.code_dies >= STALE_SECONDS
    stuck = facts.socket == Socket.UNPAIRED and facts.code_lifetime is not None and stale
    # A page that shows a ban is left alone: another attempt can make it longer.
    idle = facts.registered is False and facts.ban is None and (facts.socket == Socket.UNPAIRED_IDLE or stuck)
    waiting = history.refreshing_since is not None and now - history.refreshing_since < policy.refresh_patience
    if waiting or holds_round(history.pairing, now=now):
        return False
    return idle and not history.linked and history.round < policy.max_rounds


def wants_acknowledgement(history: History, *, now: float) -> bool:
    """Whether the page's notice of what is new was reported for long enough to be acknowledged, or again if it stays."""
    shown = history.lasted(history.notice_since, now=now)
    due = shown >= NOTICE_SHOWN_SECONDS * (history.acknowledgements + 1)
    return due and history.acknowledgements < MOST_ACKNOWLEDGEMENTS


def acknowledged(history: History) -> History:
    """Return the history after the page's notice was acknowledged, whether that worked or not."""
    return replace(history, acknowledgements=history.acknowledgements + 1)


def _since(since: float | None, *, holds: bool, now: float) -> float | None:
    if not holds:
        return None
    return now if since is None else since


def _is_lost(history: History, facts: Facts) -> bool:
    """Whether there is no connection: opening, between two attempts at it, or connected by name and hearing nothing."""
    if facts.socket == Socket.OPENING:
        return True
    if facts.registered is True and facts.socket == Socket.UNPAIRED:  # linked a moment ago, it connects anew
        return True
    # At rest, or in the handshake of a moment. An unlinked page that never gets further is stuck: the startup timeout ends it.
    if facts.socket in (Socket.UNLAUNCHED, Socket.PAIRING):
        return facts.registered is True or history.round > 0 or history.lost_since is not None
    if facts.socket == Socket.CONNECTED:
        hears = facts.registered is not True or facts.stream not in (None, "DISCONNECTED")
        return not hears and (facts.synced or history.lost_since is not None)
    return False


def _remember_link(history: History, facts: Facts) -> History:
    if not history.linked:
        # A login that this pod has not seen come is none of a moment ago, whatever the volume remembers.
        history = replace(history, linked=True, is_unchecked=history.round > 0, unexpected=False)
    history = replace(history, refreshing_since=None)
    if not facts.streaming:
        return history
    before = history.restriction_ends if history.restriction is facts.restriction else None
    ends = facts.restricted_until if facts.restricted_until is not None else before
    is_over = ends is not None and facts.clock is not None and ends <= facts.clock
    known = facts.restriction is not None and not is_over
    history = replace(history, restriction=facts.restriction, restriction_ends=ends if known else None)
    return replace(
        history, granted=False, healthy_comms=facts.comms if facts.comms is not None else history.healthy_comms
    )


def _remember_sync(history: History, facts: Facts, *, now: float) -> History:
    """Note since when the page has been fetching its first data: a page that is not up, or lost its connection, still is."""
    if not facts.has_modules or facts.registered is None:
        return history
    if facts.registered is False or facts.synced:
        return replace(history, unsynced_since=None, sync_began=None)
    if history.unsynced_since is None and (facts.is_let_in or facts.socket == Socket.UNPAIRED):
        return replace(history, unsynced_since=now, sync_began=facts.clock)
    return history


def _links_again(history: History, *, policy: Policy, now: float) -> bool:
    return (
        history.logged_out_since is not None
        and not history.must_wait(policy)
        and history.lasted(history.logout_shown_since, now=now) >= LOGOUT_SHOWN_SECONDS
    )


def _remember_refusals(history: History, facts: Facts, *, now: float) -> History:
    """Update the ban and what it means for a later logout.

    A ban is over when the document that showed it does not any more. Another document is given time: nobody repeats the
    event to it, so only what refutes the ban ends it.
    """
    if facts.ban is not None:
        now_read, before = facts.ban, history.ban or Ban()
        ban = Ban(
            code=now_read.code or before.code, expires=before.expires if now_read.expires is None else now_read.expires
        )
        interrupted = history.interrupted and history.ban is not None
        history = replace(history, ban=ban, ban_origin=facts.origin, logout_hold="Banned", interrupted=interrupted)
    elif history.ban is not None and facts.has_modules and (facts.origin == history.ban_origin or facts.is_let_in):
        history = replace(history, ban=None)
    unclear = history.ban is not None and facts.ban is None and facts.has_modules
    history = replace(history, ban_unclear_since=_since(history.ban_unclear_since, holds=unclear, now=now))
    if not facts.streaming:
        return replace(history, interrupted=True)
    if history.interrupted and facts.ban is None:
        history = replace(history, logout_hold=None, interrupted=False)
    return history


def _remember_code(history: History, facts: Facts, *, now: float) -> History:
    if facts.code is None:
        return history
    given = None if facts.clock is None or facts.code_age is None else facts.clock - facts.code_age
    # The same text is another code where the page was given it anew, in this document or in the next.
    is_renewed = given is not None and history.code_given is not None and given - history.code_given > 1
    # A navigation may lead to no other document: to a download, or to an answer without one.
    stayed = history.code_left and given is not None and facts.origin == history.code_origin
    history = replace(history, code_origin=facts.origin, code_left=False)
    dies = now + (facts.code_lifetime or DEFAULT_CODE_LIFETIME) - (facts.code_age or 0.0)
    if facts.code == history.code and not is_renewed and not stayed:
        # A page may say a moment after the code that it lives for less time than the last one.
        return history if facts.code_age is None else replace(history, code_dies=min(history.code_dies, dies))
    return replace(history, code=facts.code, code_dies=dies, code_given=given)


def _remember_round(history: History, facts: Facts, *, has_code: bool, now: float) -> History:
    if history.linked or facts.registered is not False or not has_code:
        return history
    if history.round == 0:
        return replace(history, round=1, refreshing_since=None)
    refreshed = (
        history.refreshing_since is not None and facts.socket == Socket.UNPAIRED and now > history.refreshing_since
    )
    return replace(history, refreshing_since=None) if refreshed else history
