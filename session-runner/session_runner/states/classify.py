"""Maps the facts of the page to one state.

The monitor calls `classify` after every probe, with the history that `history.remember` has just updated. The first
match wins, in the page's own order of priority: a ban comes before a conflict, a conflict before a logout.
It is total: any facts give a state. What matches nothing is Degraded, never an exception and never Connected.
A message stays the same as long as nothing changes, so that passing time alone causes no new revision.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from session_protocol.logouts import explanation, logout_reason
from session_protocol.vocabulary import LinkMethod
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Ban, Dialog, Facts, Socket
from session_runner.states.fetching import unfetched
from session_runner.states.history import MOST_ACKNOWLEDGEMENTS, NOTICE_SHOWN_SECONDS, History
from session_runner.states.pairing import Pairing, Source, live_pairing_code
from session_runner.states.policy import Policy
from session_runner.states.proxy_failures import ProxyFailure

FOREIGN_MUTEX_SECONDS = 2.0
""" A single page loses the mutex for less than a second. If it is missing for longer, with a connected socket, another
    tab has it. """
SYNC_START_SECONDS = 60.0
""" A newly linked page that has not begun to sync, or one that was scanned and is not linked, after this time is stuck. """
_ON_THE_WAY = frozenset({Socket.OPENING, Socket.UNLAUNCHED, Socket.PAIRING})
""" Sockets on the way to a connection. """
LINKING_SOCKETS = frozenset(
    {
        None,
        Socket.UNLAUNCHED,
        Socket.OPENING,
        Socket.PAIRING,
        Socket.UNPAIRED,
        Socket.UNPAIRED_IDLE,
        Socket.CONNECTED,
    }
)
""" Sockets of an unlinked page that may still get linked; CONNECTED: a phone has just scanned the code. """
_WITHOUT_A_WAY = frozenset({State.LOADING, State.LOAD_ERROR, State.RECONNECTING, State.OFFLINE})
""" What a page shows whose proxy lets it nowhere. In any other state it has got somewhere, or waits for a person. """
_LOST = frozenset({State.QR_PENDING, State.SYNCING})
""" And what it shows at first when it had got somewhere. """
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


def classify(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of the session."""
    verdict = _classify(facts, history, policy=policy, now=now)
    return behind_proxy(verdict, facts.proxy_failure, lost=facts.socket in _ON_THE_WAY)


def behind_proxy(verdict: Verdict, failure: ProxyFailure | None, *, lost: bool = False) -> Verdict:
    """Return the state with what is wrong with the proxy, where that is why the page has no way to the service.

    A page that is loading may do without one host of many; without its own it does not stay Loading. One that has lost its
    connection (`lost`) shows a dead code, or goes on with its sync, for as long as connectionCheck.
    """
    stands = verdict.state in _WITHOUT_A_WAY or (lost and verdict.state in _LOST)
    if failure is None or not stands or (verdict.state is State.LOADING and failure.host is not None):
        return verdict
    return Verdict(State.PROXY_ERROR, failure.reason, failure.message)


def without_answers(verdict: Verdict, since: float | None) -> Verdict:
    """Return the state of a page that looks connected and whose messages nobody answers `since` then, in Unix seconds."""
    if since is None or verdict.state is not State.CONNECTED:
        return verdict
    return Verdict(
        State.DEGRADED,
        Reason.MESSAGES_UNANSWERED,
        f"The page is connected, but WhatsApp has not answered the messages that it was given{_since(since)}. It keeps them "
        "and goes on trying, so do not send them again; look at the phone, and ask for a restart if this stays.",
    )


def _since(seconds: float) -> str:
    moment = _moment(seconds)
    return f" since {moment}" if moment else ""


def _classify(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    for look in (_not_booted, _refused_by_service, _conflict, _blocked):
        verdict = look(facts, history, policy=policy, now=now)
        if verdict is not None:
            return verdict
    # Without its database the page cannot know its login either: what it then says of that is no logout.
    if facts.storage_failed:
        return _storage_failed()
    if facts.registered is None:
        return Verdict(State.LOADING, Reason.PAGE_LOADING, "The page is loading.")
    if facts.registered is False:
        return _logged_out(history, policy=policy) or _unlinked(facts, history, policy=policy, now=now)
    return _wrong_account(history) or _linked(facts, history, policy=policy, now=now)


def _not_booted(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    if facts.refused:
        return Verdict(
            State.UNSUPPORTED_BROWSER,
            Reason.BROWSER_REFUSED,
            "WhatsApp Web refuses this browser; use a newer runner image.",
        )
    if facts.usable:
        return None
    if history.fetching.shown is not None:
        return Verdict(State.LOAD_ERROR, *history.fetching.shown)
    lost = facts.document is not None and facts.document.is_lost
    if not lost and history.lasted(history.unclassified_since, now=now) < policy.startup / 2:
        return Verdict(State.LOADING, Reason.PAGE_LOADING, "The page is loading.")
    failure = unfetched(history.fetching, facts, host=policy.host)
    if failure is not None:
        return Verdict(State.LOAD_ERROR, *failure)
    missing = "wa-js does not find its modules" if facts.booted else "it shows no application"
    return Verdict(
        State.LOAD_ERROR,
        Reason.NOT_BOOTED,
        f"The page was fetched but {missing}; check WHATSAPP_WEB_URL and ALLOWED_HOSTS.",
    )


def _refused_by_service(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    if history.ban is not None:
        return _banned(history.ban, facts, history, policy=policy, now=now)
    if facts.unavailable:
        return Verdict(
            State.SERVICE_UNAVAILABLE,
            Reason.SERVICE_DOWN,
            "WhatsApp reports that its service is unavailable; the page retries.",
        )
    return None


def _banned(ban: Ban, facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return what is said of a ban that nothing refutes. No other state may cover it: that one could end the hold."""
    if facts.ban is not None or _gave_up(facts, history):
        message = f"WhatsApp has temporarily banned this account{_ban_terms(ban)}; a person has to decide what to do."
        return Verdict(State.TEMPORARILY_BANNED, Reason.BANNED, message)
    if history.lasted(history.ban_unclear_since, now=now) < policy.connection_check:
        return Verdict(
            State.LOADING, Reason.PAGE_LOADING, "The page is loading; it is not known yet whether the ban is over."
        )
    return Verdict(
        State.TEMPORARILY_BANNED,
        Reason.BANNED,
        f"WhatsApp had temporarily banned this account{_ban_terms(ban)}. It is not known whether that is over: "
        "the page was loaded again and has not been let in since.",
    )


def _ban_terms(ban: Ban) -> str:
    code = f" (code {ban.code})" if ban.code else ""
    until = _until(ban.expires)
    if ban.expires is not None and 0 < ban.expires <= 1e9:
        until = f" for {round(ban.expires)} s"
    return f"{code}{until}"


def _until(seconds: float | None) -> str:
    """Return the end of something, if it is a time: Unix seconds between 2001 and 5138."""
    moment = _moment(seconds)
    return f" until {moment}" if moment else ""


def _moment(seconds: float | None) -> str:
    if seconds is None or not 1e9 < seconds < 1e11:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _gave_up(facts: Facts, history: History) -> bool:
    """Whether the page has stopped its connection for good: only another document brings it back."""
    begun = facts.socket not in (None, Socket.UNLAUNCHED)
    return begun and facts.comms is False and history.healthy_comms is not False


def _conflict(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    elsewhere = facts.registered is True and facts.socket == Socket.CONNECTED and facts.stream == "DISCONNECTED"
    # Whoever asks to be linked with another tab's mutex has lost its connection too, and its code is dead.
    evicted = elsewhere or (facts.registered is False and facts.socket in (Socket.UNPAIRED, Socket.UNPAIRED_IDLE))
    stolen = evicted and history.lasted(history.foreign_mutex_since, now=now) >= FOREIGN_MUTEX_SECONDS
    # In a language that is not known it is some window, over a page that has lost the mutex, whatever it was at.
    covered = facts.dialog is Dialog.OTHER_WINDOW or (facts.dialog is not None and facts.foreign_mutex)
    if stolen or (covered and not facts.streaming) or facts.socket == Socket.CONFLICT:
        return Verdict(
            State.CONFLICT,
            Reason.OTHER_TAB,
            "Another window of this profile holds the session. Ask for a restart to take it back.",
        )
    replaced = (
        elsewhere
        and history.lasted(history.silent_since, now=now) >= policy.connection_check
        and facts.online is not False
        and _gave_up(facts, history)
        and not facts.needs_update
    )
    if replaced:
        return Verdict(
            State.CONFLICT,
            Reason.REPLACED,
            "The same login is connected elsewhere, for example from a copied profile. Ask for a restart to take it back.",
        )
    return None


def _blocked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    if facts.terms_blocked and not facts.streaming:
        return _restricted(Reason.TERMS_NOT_ACCEPTED, None)
    if facts.socket == Socket.SCREEN_LOCKED:
        return Verdict(State.SCREEN_LOCKED, Reason.LOCKED_BY_USER, "The page's own screen lock is on.")
    ended = facts.socket != Socket.CONNECTED and _gave_up(facts, history)
    since = history.lost_since if ended else history.silent_since
    stuck = facts.needs_update and history.lasted(since, now=now) >= policy.connection_check
    if stuck or facts.socket == Socket.DEPRECATED_VERSION:
        return Verdict(
            State.UPDATE_NEEDED,
            Reason.VERSION_REFUSED,
            "WhatsApp refuses this version of the page and it did not update itself; ask for a restart.",
        )
    return None


def _logged_out(history: History, *, policy: Policy) -> Verdict | None:
    if history.logged_out_since is None:
        return None
    why = ""
    if history.unexpected:
        why = ", because another account than the one of its number was linked"
    elif history.logged_out_as_asked:
        why = " as asked"
    elif history.logout_reason is not None:
        why = f" {explanation(logout_reason(history.logout_reason))}"
    if not history.must_wait(policy):
        return Verdict(State.LOGGED_OUT, Reason.RELINKING, f"The session was logged out{why}; a new QR code follows.")
    if history.logout_hold is not None:
        why = f" {explanation(history.logout_hold)}"
    return Verdict(
        State.LOGGED_OUT,
        Reason.WAITING_FOR_PERSON,
        f"The session was logged out{why}; ask for a relink to show a QR code.",
    )


def _unlinked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    if history.linked:
        return Verdict(
            State.LOADING, Reason.PAGE_LOADING, "The page is loading; it is not known yet whether it is still linked."
        )
    if facts.online is False:
        return _offline(facts, history)
    if facts.passkey is not None:
        until = _until(facts.passkey.until)
        return Verdict(
            State.PASSKEY_REQUIRED,
            Reason.WAITING_FOR_PASSKEY,
            f"WhatsApp asks for the owner's passkey{until}. This version cannot relay it: link another account or try later.",
        )
    if facts.socket in _ON_THE_WAY and history.lasted(history.lost_since, now=now) >= policy.connection_check:
        return _offline(facts, history)
    if facts.socket not in LINKING_SOCKETS:
        return _unknown(facts)
    return _waiting_for_phone(facts, history, policy=policy, now=now)


def _waiting_for_phone(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    if live_pairing_code(history.pairing, now=now) is not None:
        return Verdict(
            State.PAIRING_CODE_PENDING,
            Reason.WAITING_FOR_PAIRING_CODE,
            "Type the pairing code into the phone: Linked devices, Link a device, Link with phone number instead.",
        )
    refreshing = history.refreshing_since is not None and now - history.refreshing_since < policy.refresh_patience
    if facts.socket == Socket.UNPAIRED_IDLE and history.round >= policy.max_rounds and not refreshing:
        return Verdict(
            State.LINK_EXPIRED,
            Reason.ROUNDS_USED_UP,
            f"No phone scanned the QR code in {policy.max_rounds} rounds; ask for a relink to show it again.",
        )
    if facts.socket == Socket.UNPAIRED and history.lasted(history.codeless_since, now=now) >= policy.connection_check:
        return Verdict(State.DEGRADED, Reason.NO_CODE_FOUND, "The page asks to be linked but shows no QR code.")
    hangs = facts.socket in (None, Socket.CONNECTED)
    if hangs and history.lasted(history.unscannable_since, now=now) >= SYNC_START_SECONDS:
        return Verdict(
            State.DEGRADED,
            Reason.NO_CODE_FOUND,
            "The page was neither linked nor does it show another QR code; ask for a restart.",
        )
    if history.round == 0:
        return Verdict(State.LOADING, Reason.OPENING_CONNECTION, "The page is connecting to show a QR code.")
    return Verdict(State.QR_PENDING, *_why_qr_code(history.pairing, policy=policy))


def _why_qr_code(pairing: Pairing, *, policy: Policy) -> tuple[Reason, str]:
    """Return why a QR code is all there is, where a pairing code was wished for."""
    if pairing.number is None and policy.method is LinkMethod.PAIRING_CODE:
        need = {
            Source.NONE: "Nobody has named the phone's number: spec.link.phoneNumberSecretName may, or `kubectl whatsapp pair`",
            Source.MISSING: "The Secret of spec.link.phoneNumberSecretName, or its entry phoneNumber, does not exist",
            Source.INVALID: "The entry phoneNumber of the session's Secret is no number with its country's code",
        }.get(pairing.source, "No number is known")
        return Reason.PHONE_NUMBER_NEEDED, f"{need}; so there is no pairing code. Scan the QR code instead."
    if pairing.number is None or not pairing.is_refused:
        return Reason.WAITING_FOR_SCAN, "Scan the QR code with the phone."
    if pairing.unsupported:
        return (
            Reason.PAIRING_CODE_NOT_SUPPORTED,
            "This page has no pairing codes; scan the QR code with the phone instead.",
        )
    why = " after too many attempts" if pairing.limited else ""
    return (
        Reason.PAIRING_CODE_REFUSED,
        f"WhatsApp gives no pairing code now{why}; it is asked again after a pause. Scan the QR code with the phone meanwhile.",
    )


def _offline(facts: Facts, history: History) -> Verdict:
    if facts.online is False:
        return Verdict(State.OFFLINE, Reason.NETWORK_UNREACHABLE, "The browser has no network.")
    if facts.socket != Socket.CONNECTED and _gave_up(facts, history):
        return Verdict(
            State.DEGRADED,
            Reason.UNKNOWN_SCREEN,
            f"The page has ended its connection and shows a screen that this version does not know ({_seen(facts)}); "
            "a person has to look at it.",
        )
    return Verdict(State.OFFLINE, Reason.NO_CONNECTION, "WhatsApp cannot be reached; the page keeps retrying.")


def _wrong_account(history: History) -> Verdict | None:
    if not history.unexpected:
        return None
    return Verdict(
        State.ACTION_REQUIRED,
        Reason.UNEXPECTED_ACCOUNT,
        "Another account than the one of the session's number was linked; it is being unlinked.",
    )


def _not_checked(history: History) -> Verdict | None:
    if not history.is_unchecked or history.pairing.source is not Source.FOUND:
        return None
    return Verdict(State.SYNCING, Reason.FIRST_SYNC, "Linked; the page does not say yet whose account it is.")


def _linked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    lost = history.lasted(history.lost_since, now=now) >= policy.connection_check
    if facts.is_let_in and (facts.dialog is not None or facts.passkey is not None):
        return _asks(facts, history)
    if facts.streaming and facts.synced and facts.online is not False:
        return _not_checked(history) or _connected(facts, history)
    if facts.online is False or (lost and facts.socket in _ON_THE_WAY):
        return _offline(facts, history)
    if not facts.synced and _syncs(facts, history, now=now):
        return _syncing(history, policy=policy, now=now)
    if facts.is_let_in:
        return Verdict(
            State.RECONNECTING, Reason.RESUMING, "Connected again; the page is fetching what it missed meanwhile."
        )
    return _silent(facts, history, policy=policy, now=now)


def _syncing(history: History, *, policy: Policy, now: float) -> Verdict:
    if history.lasted(history.unsynced_since, now=now) < policy.first_sync:
        return Verdict(State.SYNCING, Reason.FIRST_SYNC, "Linked; the page is fetching its data.")
    since = "" if history.sync_began is None else _since(history.sync_began)
    return Verdict(
        State.SYNCING,
        Reason.SYNC_OVERDUE,
        f"Linked, but the page has been fetching its data{since}, which is longer than it should take. Keep the phone online "
        "with WhatsApp open; if that does not end it, ask for a restart, and then for a relink.",
    )


def _silent(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of a linked page that hears nothing from the service."""
    silent = history.lasted(history.silent_since, now=now) >= policy.connection_check
    if facts.socket in _ON_THE_WAY or (facts.socket == Socket.CONNECTED and not silent):
        if history.lasted(history.lost_since, now=now) >= policy.connection_check:
            return _offline(facts, history)
        return Verdict(State.RECONNECTING, Reason.CONNECTION_LOST, "The connection was lost; the page reconnects.")
    if facts.socket == Socket.CONNECTED:
        return Verdict(
            State.DEGRADED,
            Reason.STREAM_STUCK,
            f"The page says that it is connected, but receives nothing and shows no conflict ({_seen(facts)}).",
        )
    return _unknown(facts)


def _syncs(facts: Facts, history: History, *, now: float) -> bool:
    """Whether a first sync is under way: the stream is active, or had no time yet to become so."""
    if facts.socket == Socket.CONNECTED:
        return facts.is_let_in or history.lasted(history.silent_since, now=now) < SYNC_START_SECONDS
    if facts.socket == Socket.UNPAIRED:  # the phone has just linked it, and it connects anew
        return history.lasted(history.lost_since, now=now) < SYNC_START_SECONDS
    return facts.socket in _ON_THE_WAY


def _unknown(facts: Facts) -> Verdict:
    return Verdict(State.DEGRADED, Reason.UNKNOWN_PAGE_STATE, f"The page is in an unknown state ({_seen(facts)}).")


def _seen(facts: Facts) -> str:
    """Return what the page calls its own state, cut and cleaned, because people read it in status."""
    names = (
        "".join(c for c in name or "" if c.isascii() and (c.isalnum() or c == "_"))[:40] or "none"
        for name in (facts.socket, facts.stream)
    )
    return "socket {}, stream {}{}".format(*names, "" if facts.dialog is None else ", a window over it")


def _storage_failed() -> Verdict:
    return Verdict(
        State.DEGRADED,
        Reason.STORAGE_FAILED,
        "The page reports that its database failed. Check the profile volume: it may be full or failing. Then ask for a restart.",
    )


def _asks(facts: Facts, history: History) -> Verdict:
    """Return the state of a linked page that wants something of a person, who may not know while it looks connected."""
    if facts.dialog is Dialog.PASSKEY_CHECK or facts.passkey is not None:
        return Verdict(State.PASSKEY_REQUIRED, Reason.WAITING_FOR_PASSKEY, "WhatsApp asks for the owner's passkey.")
    shown = "a window that this version does not know; a person has to look at it"
    if facts.dialog is Dialog.WHATS_NEW:
        shown = f"its notice of what is new, which is acknowledged after {NOTICE_SHOWN_SECONDS:.0f} s"
        if history.acknowledgements >= MOST_ACKNOWLEDGEMENTS:
            shown = "its notice of what is new, which stays although it was acknowledged; a person has to look at it"
    return Verdict(State.ACTION_REQUIRED, Reason.DIALOG_OPEN, f"WhatsApp Web shows {shown}.")


def _connected(facts: Facts, history: History) -> Verdict:
    if facts.restriction is not None:
        before = history.restriction_ends if history.restriction is facts.restriction else None
        ends = before if facts.restricted_until is None else facts.restricted_until
        return _restricted(facts.restriction, ends)
    return Verdict(State.CONNECTED, Reason.AS_EXPECTED, "Linked and connected.")


def _restricted(restriction: Reason, ends: float | None) -> Verdict:
    return Verdict(State.RESTRICTED, restriction, _RESTRICTIONS[restriction].format(_until(ends) or " for now"))
