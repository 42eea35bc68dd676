"""Sessions that only a person may start again, and how a person does it.

In a conflict a new pod is a takeover: it pushes out whoever holds the session now. So the runner's word is written as
Stalled with that reason, and from then on the condition *is* the memory: it holds after the pod is gone and after the
operator started anew, until a request, a suspension, or the word of a runner that it is over.
"""

from typing import Final

from session_runner.states.vocabulary import RunnerState, waits_for_person

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.constants import RELINK_AT, RESTART_AT
from whatsapp_operator.api.requests import HandledRequests, asked, relink_pending, restart_pending
from whatsapp_operator.api.session import Reason, SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import PodFacts, RunnerReport

STOPS: Final = {
    RunnerState.CONFLICT: Reason.CONFLICT,
    RunnerState.TEMPORARILY_BANNED: Reason.TEMPORARILY_BANNED,
    RunnerState.LOGGED_OUT: Reason.LOGGED_OUT,
}
""" The runner's words that wait for a person (a logout only when it says so), and what is written. """
STOP_REASONS: Final = frozenset(str(reason) for reason in STOPS.values())

_OVER: Final = frozenset(
    {
        RunnerState.CONNECTED,
        RunnerState.RESTRICTED,
        RunnerState.SYNCING,
        RunnerState.ACTION_REQUIRED,
        RunnerState.QR_PENDING,
        RunnerState.PAIRING_CODE_PENDING,
        RunnerState.PASSKEY_REQUIRED,
        RunnerState.LINK_EXPIRED,
    }
)
""" Words that say that the session is its own master again. Not among them: Stopping and Starting, which an evicted pod
and its successor say, Offline and Reconnecting, which a conflict without network looks like, and words not known. """

HOW_TO_GO_ON: Final = f"set the annotation {RESTART_AT} or {RELINK_AT} to the current time"


def recorded_stop(status: SessionStatus) -> Reason | None:
    """Return what the status remembers."""
    stalled = find_condition(status.conditions, ConditionType.STALLED)
    if stalled is None or stalled.status != ConditionStatus.TRUE or stalled.reason not in STOP_REASONS:
        return None
    return Reason(stalled.reason)


def said_stop(report: RunnerReport) -> Reason | None:
    """Return why a person is waited for by the runner's word, or None."""
    if not waits_for_person(state=report.state, reason=report.reason):
        return None
    return STOPS.get(RunnerState(report.state))


def says_over(report: RunnerReport) -> bool:
    """Whether the runner says that nobody has to be waited for (any more)."""
    relinking = report.state == RunnerState.LOGGED_OUT and said_stop(report) is None
    return relinking or report.state in _OVER


def request_pending(session: WhatsAppSession, handled: HandledRequests) -> bool:
    """Whether a person asked for something that was not carried out yet."""
    annotations = session.metadata.annotations
    return restart_pending(annotations, handled) or relink_pending(annotations, handled)


def handled_by(session: WhatsAppSession, pod: PodFacts | None) -> HandledRequests:
    """Return the handled requests: those in status, and the present ones that the pod was made under."""
    handled, wanted = session.status.handled_requests, asked(session.metadata.annotations)
    if pod is None:
        return handled
    return HandledRequests(
        restart_at=wanted.restart_at
        if wanted.restart_at and wanted.restart_at == pod.restart_at
        else handled.restart_at,
        relink_at=wanted.relink_at if wanted.relink_at and wanted.relink_at == pod.relink_at else handled.relink_at,
    )


def current_stop(session: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> Reason | None:
    """Return why the session waits for a person, or None: by the status, a request, and the last word of a runner.

    `report` is of the current pod's runner, or of the last one's when no pod exists.
    """
    before = session.status.handled_requests
    # A request ends what was before it. A pod that does not carry it yet is about to be replaced: its word is of before.
    stop = None if request_pending(session, before) else recorded_stop(session.status)
    if report is None or request_pending(session, handled_by(session, pod)):
        return stop
    if (said := said_stop(report)) is not None:
        return said
    return None if says_over(report) else stop
