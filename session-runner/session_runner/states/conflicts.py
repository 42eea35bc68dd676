"""Whether somebody else has the session: another tab of the same profile, or another device with the same login."""

from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason

from session_runner.states.facts import Facts, Socket
from session_runner.states.history import History
from session_runner.states.policy import Policy
from session_runner.states.verdicts import Verdict, gave_up

FOREIGN_MUTEX_SECONDS = 2.0
""" A single page loses the mutex for less than a second. If it is missing for longer, with a connected socket, another
    tab has it. """


def conflict(facts: Facts, history: History, *, policy: Policy, now: float) -> Verdict | None:
    """Return the conflict in which the page has lost its session; None: nothing shows one."""
    elsewhere = facts.registered is True and facts.socket == Socket.CONNECTED and facts.stream == "DISCONNECTED"
    # Whoever asks to be linked with another tab's mutex has lost its connection too, and its code is dead.
    evicted = elsewhere or (facts.registered is False and facts.socket in (Socket.UNPAIRED, Socket.UNPAIRED_IDLE))
    evicted = evicted or (facts.lost_mutex and not facts.streaming)
    since = history.lasted(history.foreign_mutex_since, now=now)
    # Its window may be closed again, which changes nothing.
    stolen = evicted and (since >= FOREIGN_MUTEX_SECONDS or history.other_tab_shown)
    if stolen or (facts.shows_other_tab and not facts.streaming) or facts.socket == Socket.CONFLICT:
        return Verdict(
            State.CONFLICT,
            Reason.OTHER_TAB,
            "Another window of this profile holds the session. Ask for a restart to take it back.",
        )
    replaced = (
        elsewhere
        and history.lasted(history.silent_since, now=now) >= policy.connection_check
        and facts.online is not False
        and gave_up(facts, history)
        and not facts.needs_update
        and facts.had_session
        and not facts.other_screen  # which tells why, in words that are not known; whoever was replaced is told nothing
    )
    if replaced:
        return Verdict(
            State.CONFLICT,
            Reason.REPLACED,
            "The same login is connected elsewhere, for example from a copied profile. Ask for a restart to take it back.",
        )
    return None
