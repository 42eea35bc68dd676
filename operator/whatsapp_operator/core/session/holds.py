"""Sessions that only a person may start again, and how a person does it.

In a conflict a new pod is a takeover: it pushes out whoever holds the session now. So the runner's state is written as
Stalled with that reason, and from then on the condition *is* the memory: it holds after the pod is gone and after the
operator started anew, until a request was carried out, a suspension is complete, or a runner says that it is over.

A session whose QR codes nobody scanned (LinkExpired) is held, too, but nothing is wrong with it: it gives pod and place back
and is not Stalled. Its memory is `status.link.expiredTime`.

The runner keeps the same memory on the profile (`session_runner.states.hold`), for states that no operator received.
What ends one must end the other: a request ends both with the pod that carries it, a suspension with the write of
Suspended=True, whose time the next pod carries.
"""

from dataclasses import dataclass

from session_protocol.states import traits_of, wait_is_over, waits_for_person
from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.model import RunnerReport
from whatsapp_operator.core.session.requests import Requests


@dataclass(frozen=True, kw_only=True)
class Holds:
    """The hold of a session, named by the runner's state; None: no hold."""

    active: str | None
    """ The hold that forbids a new pod; None also while a person's request is pending. """
    status: str | None
    """ The hold that status keeps until something ends it. """
    is_new: bool
    """ It is not in status yet, and may be stored nowhere else. """


def find_holds(status: SessionStatus, requests: Requests, report: RunnerReport | None) -> Holds:
    """Return the session's hold; `report` comes from the current pod's runner or, if there is no pod, the last one's.

    A request ends a hold only when a pod carries it. While it is pending (no reservation yet, or the old pod still
    terminates) a person may remove the annotation, and the status must still have the hold then.
    """
    stored = stored_hold(status)
    kept = None if requests.unrecorded and not requests.pending else stored
    if report is not None:
        # A report of a pod that is about to be replaced on request is outdated.
        if not requests.pending and (reported := reported_hold(report)) is not None:
            kept = reported
        elif ends_hold(report, held=kept):
            kept = None
    return Holds(active=None if requests.pending else kept, status=kept, is_new=kept is not None and kept != stored)


def stored_hold(status: SessionStatus) -> str | None:
    """Return the hold stored in status: the reason of Stalled, if it names a runner state that is a hold, or LinkExpired."""
    stalled = find_condition(status.conditions, ConditionType.STALLED)
    if stalled is not None and stalled.status == ConditionStatus.TRUE and traits_of(stalled.reason).hold is not None:
        return stalled.reason
    return RunnerState.LINK_EXPIRED if status.link is not None and status.link.expired_time is not None else None


def reported_hold(report: RunnerReport) -> str | None:
    """Return the reported state if it is a hold, else None."""
    return report.state if waits_for_person(state=report.state, reason=report.reason) else None


def ends_hold(report: RunnerReport, *, held: str | None = None) -> bool:
    """Whether the reported state ends the hold `held`, named by its state; None: any."""
    return wait_is_over(held=held, state=report.state, reason=report.reason)
