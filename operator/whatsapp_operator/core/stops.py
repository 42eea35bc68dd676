"""Sessions that only a person may start again, and how a person does it.

In a conflict a new pod is a takeover: it pushes out whoever holds the session now. So the runner's word is written as
Stalled with that reason, and from then on the condition *is* the memory: it holds after the pod is gone and after the
operator started anew, until a request was carried out, a suspension is complete, or a runner says that it is over.

The runner keeps the same memory on the profile (`session_runner.states.hold`), for words that no operator heard. What
ends one must end the other: a request ends both with the pod that carries it, a suspension with the write of
Suspended=True, whose time the next pod carries.
"""

from session_protocol.states import traits_of, wait_is_over, waits_for_person

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.requests import HandledRequests, asked, relink_pending, restart_pending
from whatsapp_operator.api.session import SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import PodFacts, RunnerReport


def recorded_stop(status: SessionStatus) -> str | None:
    """Return what the status remembers: the runner's state that waits for a person, which is the reason of Stalled."""
    stalled = find_condition(status.conditions, ConditionType.STALLED)
    if stalled is None or stalled.status != ConditionStatus.TRUE or traits_of(stalled.reason).hold is None:
        return None
    return stalled.reason


def said_stop(report: RunnerReport) -> str | None:
    """Return why a person is waited for by the runner's word, or None."""
    return report.state if waits_for_person(state=report.state, reason=report.reason) else None


def says_over(report: RunnerReport) -> bool:
    """Whether the runner says that nobody has to be waited for (any more)."""
    return wait_is_over(state=report.state, reason=report.reason)


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


def told_stop(session: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return the stop that the status is to tell: it is remembered until something has ended it.

    A request ends it with the pod that carries the request, not before: while the request waits, for a place or for the
    old pod's end, the annotation may be taken away, and nothing else would remember. `report` is of the current pod's
    runner, or of the last one's when no pod exists.
    """
    waits = request_pending(session, handled_by(session, pod))
    carried_out = not waits and request_pending(session, session.status.handled_requests)
    stop = None if carried_out else recorded_stop(session.status)
    if report is None:
        return stop
    # The word of a pod that is about to be replaced on request is of before.
    if not waits and (said := said_stop(report)) is not None:
        return said
    return None if says_over(report) else stop


def current_stop(session: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return why no pod may be made for the session now, or None: by its status, a request, and a runner's last word."""
    if request_pending(session, handled_by(session, pod)):
        return None
    return told_stop(session, pod=pod, report=report)
