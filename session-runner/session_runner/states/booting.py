"""Whether the page is up: fetched, booted, in reach of wa-js, and one that works with this browser."""

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Facts
from session_runner.states.fetching import unfetched
from session_runner.states.history import History
from session_runner.states.policy import Policy
from session_runner.states.updating import is_endless
from session_runner.states.verdicts import Verdict, update_needed


def not_booted(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    """Return the state of a page that is not up; None: it is."""
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
        endless = is_endless(history.updating, patience=policy.startup, now=now)
        loading = Verdict(State.LOADING, Reason.PAGE_LOADING, "The page is loading.")
        return update_needed(endless=True) if endless else loading
    failure = unfetched(history.fetching, facts, host=policy.host)
    if failure is not None:
        return Verdict(State.LOAD_ERROR, *failure)
    missing = "wa-js does not find its modules" if facts.booted else "it shows no application"
    return Verdict(
        State.LOAD_ERROR,
        Reason.NOT_BOOTED,
        f"The page was fetched but {missing}; check WHATSAPP_WEB_URL and ALLOWED_HOSTS.",
    )
