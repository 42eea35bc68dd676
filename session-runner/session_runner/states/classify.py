"""Maps the facts of the page to one state.

The monitor calls `classify` after every probe, with the history that `history.remember` has just updated. The first
match wins, in the page's own order of priority: a ban comes before a conflict, a conflict before a logout.
It is total: any facts give a state. What matches nothing is Degraded, never an exception and never Connected.
A message stays the same as long as nothing changes, so that passing time alone causes no new revision.
"""

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.behind_proxy import behind_proxy
from session_runner.states.booting import not_booted
from session_runner.states.conflicts import conflict
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.states.linked import linked, wrong_account
from session_runner.states.policy import Policy
from session_runner.states.refused import blocked, refused_by_service
from session_runner.states.unlinked import logged_out, unlinked
from session_runner.states.verdicts import ON_THE_WAY, Verdict

__all__ = ["Verdict", "classify"]


def classify(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    """Return the state of the session."""
    verdict = _classify(facts, history, policy=policy, now=now)
    return behind_proxy(verdict, facts.proxy_failure, lost=facts.socket in ON_THE_WAY)


def _classify(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict:
    for look in (not_booted, refused_by_service, conflict, blocked):
        verdict = look(facts, history, policy=policy, now=now)
        if verdict is not None:
            return verdict
    # Without its database the page cannot know its login either: what it then says of that is no logout.
    if facts.storage_failed:
        return _storage_failed()
    if facts.registered is None:
        return Verdict(State.LOADING, Reason.PAGE_LOADING, "The page is loading.")
    if facts.registered is False:
        return logged_out(history, policy=policy) or unlinked(facts, history, policy=policy, now=now)
    return wrong_account(history) or linked(facts, history, policy=policy, now=now)


def _storage_failed() -> Verdict:
    return Verdict(
        State.DEGRADED,
        Reason.STORAGE_FAILED,
        "The page reports that its database failed. Check the profile volume: it may be full or failing. Then ask for a restart.",
    )
