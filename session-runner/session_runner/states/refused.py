"""Whether the service keeps the page out, linked or not: a ban, an outage, terms, a lock, a version that is too old."""

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Ban, Facts, Socket
from session_runner.states.history import History
from session_runner.states.policy import Policy
from session_runner.states.updating import is_endless
from session_runner.states.verdicts import Verdict, gave_up, restricted, until_text, update_needed


def refused_by_service(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    """Return the state of a page that the service keeps out: a ban, or an outage; None: neither."""
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
    if facts.ban is not None or gave_up(facts, history):
        advice = "Wait until that is over: a restart before can make it longer."
        message = f"WhatsApp has temporarily banned this account{_ban_terms(ban)}. {advice}"
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
    until = until_text(ban.expires)
    if ban.expires is not None and 0 < ban.expires <= 1e9:
        until = f" for {round(ban.expires)} s"
    return f"{code}{until}"


def blocked(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    """Return the state of a page behind terms, its screen lock, or a version that is refused; None: nothing of that."""
    if facts.terms_blocked and not facts.streaming:
        return restricted(Reason.TERMS_NOT_ACCEPTED, None)
    if facts.socket == Socket.SCREEN_LOCKED:
        return Verdict(State.SCREEN_LOCKED, Reason.LOCKED_BY_USER, "The page's own screen lock is on.")
    ended = facts.socket != Socket.CONNECTED and gave_up(facts, history)
    since = history.lost_since if ended else history.silent_since
    stuck = facts.needs_update and history.lasted(since, now=now) >= policy.connection_check
    if stuck or facts.deprecated:
        return update_needed()
    return update_needed(endless=True) if is_endless(history.updating, patience=policy.startup, now=now) else None
