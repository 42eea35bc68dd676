"""What a page is called that looks connected and whose messages WhatsApp does not answer.

`messaging` finds out since when that is so; the monitor asks here, after `classify`: no page tells it of itself.
"""

from session_protocol.vocabulary import RunnerState, StateReason

from session_runner.states.verdicts import Verdict, moment_text


def without_answers(verdict: Verdict, since: float | None) -> Verdict:
    """Return the state, if no message has been answered `since` then (Unix seconds); None: messages are answered."""
    if since is None or verdict.state is not RunnerState.CONNECTED:
        return verdict
    moment = moment_text(since)
    return Verdict(
        RunnerState.DEGRADED,
        StateReason.MESSAGES_UNANSWERED,
        "The page is connected, but WhatsApp has not answered the messages that it was given"
        f"{f' since {moment}' if moment else ''}. It keeps them and goes on trying, so do not send them again; look at the "
        "phone, and ask for a restart if this stays.",
    )
