"""Sessions that only a person may start again, and how a person does it.

In a conflict a new pod is a takeover: it pushes out whoever holds the session now. So the runner's state is written as
Stalled with that reason, and from then on the condition *is* the memory: it holds after the pod is gone and after the
operator started anew, until a request was carried out, a suspension is complete, or a runner says that it is over.

The runner keeps the same memory on the profile (`session_runner.states.stop`), for states that no operator received.
What ends one must end the other: a request ends both with the pod that carries it, a suspension with the write of
Suspended=True, whose time the next pod carries.
"""

from session_protocol.states import traits_of, wait_is_over, waits_for_person

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.requests import HandledRequests, relink_pending, requested, restart_pending
from whatsapp_operator.api.session import SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import PodFacts, RunnerReport


def stored_hold(status: SessionStatus) -> str | None:
    """Return what the status remembers: the runner's state that waits for a person, which is the reason of Stalled."""
    stalled = find_condition(status.conditions, ConditionType.STALLED)
    if stalled is None or stalled.status != ConditionStatus.TRUE or traits_of(stalled.reason).hold is None:
        return None
    return stalled.reason


def reported_hold(report: RunnerReport) -> str | None:
    """Return why a person is waited for by the runner's report, or None."""
    return report.state if waits_for_person(state=report.state, reason=report.reason) else None


def ends_hold(report: RunnerReport) -> bool:
    """Whether the runner says that nobody has to be waited for (any more)."""
    return wait_is_over(state=report.state, reason=report.reason)


def request_pending(session: WhatsAppSession, handled: HandledRequests) -> bool:
    """Whether a person asked for something that was not carried out yet."""
    annotations = session.metadata.annotations
    return restart_pending(annotations, handled) or relink_pending(annotations, handled)


def handled_requests(session: WhatsAppSession, pod: PodFacts | None) -> HandledRequests:
    """Return the handled requests: those in status, and the present ones that the pod was made under."""
    handled, wanted = session.status.handled_requests, requested(session.metadata.annotations)
    if pod is None:
        return handled
    return HandledRequests(
        restart_at=wanted.restart_at
        if wanted.restart_at and wanted.restart_at == pod.restart_at
        else handled.restart_at,
        relink_at=wanted.relink_at if wanted.relink_at and wanted.relink_at == pod.relink_at else handled.relink_at,
    )


def status_hold(session: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return the hold that the status is to keep: it is remembered until something has ended it.

    A request ends it with the pod that carries the request, not before: while the request waits, for a reservation or
    for the old pod's end, the annotation may be taken away, and nothing else would remember. `report` is of the current
    pod's runner, or of the last one's when no pod exists.
    """
    pending = request_pending(session, handled_requests(session, pod))
    carried_out = not pending and request_pending(session, session.status.handled_requests)
    hold = None if carried_out else stored_hold(session.status)
    if report is None:
        return hold
    # What a pod says that is about to be replaced on request is outdated.
    if not pending and (reported := reported_hold(report)) is not None:
        return reported
    return None if ends_hold(report) else hold


def active_hold(session: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return why no pod may be created for the session now, or None: by its status, a request, and a runner's last report."""
    if request_pending(session, handled_requests(session, pod)):
        return None
    return status_hold(session, pod=pod, report=report)
