"""The state of a page to which a phone is linked."""

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Dialog, Facts, Socket
from session_runner.states.history import MOST_ACKNOWLEDGEMENTS, NOTICE_SHOWN_SECONDS, History
from session_runner.states.pairing import Source
from session_runner.states.policy import Policy
from session_runner.states.verdicts import (
    ON_THE_WAY,
    SYNC_START_SECONDS,
    Verdict,
    gave_up,
    moment_text,
    offline,
    restricted,
    seen,
    unknown,
    unknown_screen,
)


def wrong_account(history: History) -> Verdict | None:
    """Return the state of a page that another account has just linked; None: it is the right one, or was there before."""
    if not history.unexpected:
        return None
    return Verdict(
        State.ACTION_REQUIRED,
        Reason.UNEXPECTED_ACCOUNT,
        "Another account than the one of the session's number was linked; it is being unlinked.",
    )


def linked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of a page whose account is the right one."""
    lost = history.lasted(history.lost_since, now=now) >= policy.connection_check
    if facts.is_let_in and (facts.dialog is not None or facts.passkey is not None):
        return _asks(facts, history)
    if facts.streaming and facts.synced and facts.online is not False:
        return _not_checked(history) or _connected(facts, history)
    if facts.online is False or (lost and facts.socket in ON_THE_WAY):
        return offline(facts, history)
    if not facts.synced and _syncs(facts, history, policy=policy, now=now):
        return _syncing(history, policy=policy, now=now)
    if facts.is_let_in:
        return Verdict(
            State.RECONNECTING, Reason.RESUMING, "Connected again; the page is fetching what it missed meanwhile."
        )
    return _silent(facts, history, policy=policy, now=now)


def _not_checked(history: History) -> Verdict | None:
    if not history.is_unchecked or history.pairing.source is not Source.FOUND:
        return None
    return Verdict(State.SYNCING, Reason.FIRST_SYNC, "Linked; the page does not say yet whose account it is.")


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
        return restricted(facts.restriction, ends)
    return Verdict(State.CONNECTED, Reason.AS_EXPECTED, "Linked and connected.")


def _syncing(history: History, *, policy: Policy, now: float) -> Verdict:
    if history.lasted(history.unsynced_since, now=now) < policy.first_sync:
        return Verdict(State.SYNCING, Reason.FIRST_SYNC, "Linked; the page is fetching its data.")
    moment = moment_text(history.sync_began)
    since = f" since {moment}" if moment else ""
    return Verdict(
        State.SYNCING,
        Reason.SYNC_OVERDUE,
        f"Linked, but the page has been fetching its data{since}, which is longer than it should take. Keep the phone online "
        "with WhatsApp open; if that does not end it, ask for a restart, and then for a relink.",
    )


def _syncs(facts: Facts, history: History, *, policy: Policy, now: float) -> bool:
    """Whether a first sync is under way: the stream is active, or had no time yet to become so."""
    if facts.socket == Socket.CONNECTED:
        patience = policy.connection_check if gave_up(facts, history) else SYNC_START_SECONDS
        return facts.is_let_in or history.lasted(history.silent_since, now=now) < patience
    if facts.socket == Socket.UNPAIRED:  # the phone has just linked it, and it connects anew
        return history.lasted(history.lost_since, now=now) < SYNC_START_SECONDS
    return facts.socket in ON_THE_WAY


def _silent(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of a linked page that hears nothing from the service."""
    silent = history.lasted(history.silent_since, now=now) >= policy.connection_check
    if facts.socket in ON_THE_WAY or (facts.socket == Socket.CONNECTED and not silent):
        if history.lasted(history.lost_since, now=now) >= policy.connection_check:
            return offline(facts, history)
        return Verdict(State.RECONNECTING, Reason.CONNECTION_LOST, "The connection was lost; the page reconnects.")
    if facts.socket == Socket.CONNECTED:
        if (facts.other_screen or not facts.had_session) and gave_up(facts, history):
            return unknown_screen(facts)
        return Verdict(
            State.DEGRADED,
            Reason.STREAM_STUCK,
            f"The page says that it is connected, but receives nothing and shows no conflict ({seen(facts)}).",
        )
    return unknown(facts)
