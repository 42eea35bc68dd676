"""The state of a page to which no phone is linked: logged out, or on the way to a link."""

from session_protocol.logouts import explanation, logout_reason
from session_protocol.vocabulary import LinkMethod
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Facts, Socket
from session_runner.states.history import History
from session_runner.states.pairing import Pairing, Source, live_pairing_code
from session_runner.states.policy import Policy
from session_runner.states.verdicts import ON_THE_WAY, SYNC_START_SECONDS, Verdict, offline, unknown, until_text

CODE_LOST_SECONDS = 1.0
""" For so long a page may be without a connection that has shown a code, which ended with it; then it is offline. """
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


def logged_out(history: History, *, policy: Policy) -> Verdict | None:
    """Return the logout that is to be reported; None: there is none."""
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


def unlinked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of a page that is to be linked."""
    if history.linked:
        return Verdict(
            State.LOADING, Reason.PAGE_LOADING, "The page is loading; it is not known yet whether it is still linked."
        )
    if facts.online is False:
        return offline(facts, history)
    if facts.passkey is not None:
        until = until_text(facts.passkey.until)
        return Verdict(
            State.PASSKEY_REQUIRED,
            Reason.WAITING_FOR_PASSKEY,
            f"WhatsApp asks for the owner's passkey{until}. This version cannot relay it: link another account or try later.",
        )
    if _is_cut_off(facts, history, policy=policy, now=now):
        return offline(facts, history)
    if facts.socket not in LINKING_SOCKETS:
        return unknown(facts)
    return _waiting_for_phone(facts, history, policy=policy, now=now)


def _is_cut_off(facts: Facts, history: History, *, policy: Policy, now: float) -> bool:
    """Whether the page has no connection: soon where it had one and its code is dead, unless it was asked for another."""
    lost = history.lasted(history.lost_since, now=now)
    had_one = _has_shown_code(facts, history) and not _refreshes(history, policy=policy, now=now)
    patience = min(CODE_LOST_SECONDS, policy.connection_check) if had_one else policy.connection_check
    return facts.socket in ON_THE_WAY and lost >= patience


def _has_shown_code(facts: Facts, history: History) -> bool:
    """Whether this document has, which then was connected."""
    return history.round > 0 and history.code_origin == facts.origin


def _refreshes(history: History, *, policy: Policy, now: float) -> bool:
    return history.refreshing_since is not None and now - history.refreshing_since < policy.refresh_patience


def _waiting_for_phone(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    if live_pairing_code(history.pairing, now=now) is not None:
        return Verdict(
            State.PAIRING_CODE_PENDING,
            Reason.WAITING_FOR_PAIRING_CODE,
            "Type the pairing code into the phone: Linked devices, Link a device, Link with phone number instead.",
        )
    refreshing = _refreshes(history, policy=policy, now=now)
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
    if history.round == 0 or (facts.socket in ON_THE_WAY and not _has_shown_code(facts, history)):
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
