"""A person's requests (restart, relink) as one decision sees them: handled, or pending."""

from dataclasses import dataclass

from whatsapp_operator.api.requests import HandledRequests, relink_pending, requested, restart_pending
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import PodFacts


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The requests of one session."""

    handled: HandledRequests
    """ Those in status, and the current ones that the pod was created for. """
    pending: bool
    """ A person asked for another pod than the present one. """
    unrecorded: bool
    """ There is a request that status does not list as handled: it is pending, or the pod carries it already. """


def read_requests(session: WhatsAppSession, pod: PodFacts | None) -> Requests:
    """Return the requests of the session, given its present pod."""
    handled = handled_requests(session, pod)
    return Requests(
        handled=handled,
        pending=request_pending(session, handled),
        unrecorded=request_pending(session, session.status.handled_requests),
    )


def request_pending(session: WhatsAppSession, handled: HandledRequests) -> bool:
    """Whether an annotation holds a request that is not handled yet."""
    annotations = session.metadata.annotations
    return restart_pending(annotations, handled) or relink_pending(annotations, handled)


def handled_requests(session: WhatsAppSession, pod: PodFacts | None) -> HandledRequests:
    """Return the handled requests: those in status, and the current ones that the pod was created for."""
    handled, wanted = session.status.handled_requests, requested(session.metadata.annotations)
    if pod is None:
        return handled
    return HandledRequests(
        restart_at=wanted.restart_at
        if wanted.restart_at and wanted.restart_at == pod.restart_at
        else handled.restart_at,
        relink_at=wanted.relink_at if wanted.relink_at and wanted.relink_at == pod.relink_at else handled.relink_at,
    )
