"""Sessions that only a person may start again, and how a person does it.

In a conflict a new pod is a takeover: it pushes out whoever holds the session now. So the runner's state is written as
Stalled with that reason, and from then on the condition *is* the memory: it holds after the pod is gone and after the
operator started anew, until a request was carried out, a suspension is complete, or a runner says that it is over.

The runner keeps the same memory on the profile (`session_runner.states.hold`), for states that no operator received.
What ends one must end the other: a request ends both with the pod that carries it, a suspension with the write of
Suspended=True, whose time the next pod carries.
"""

from dataclasses import dataclass

from session_protocol.states import traits_of, wait_is_over, waits_for_person

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.model import RunnerReport
from whatsapp_operator.core.session.requests import Requests


@dataclass(frozen=True, kw_only=True)
class Holds:
    """Why a person is waited for, by the runner's state; None: nobody is."""

    active: str | None
    """ Why no pod may be created now; None also while what a person asked for is on its way. """
    status: str | None
    """ What status is to keep until something has ended it. """
    is_new: bool
    """ The status does not have it yet, and nobody else may remember. """


def find_holds(status: SessionStatus, requests: Requests, report: RunnerReport | None) -> Holds:
    """Return what holds the session; `report` is of the current pod's runner, or of the last one's without a pod.

    A request ends a hold with the pod that carries the request, not before: while the request waits, for a reservation
    or for the old pod's end, the annotation may be taken away, and nothing else would remember.
    """
    stored = stored_hold(status)
    kept = None if requests.unrecorded and not requests.pending else stored
    if report is not None:
        # What a pod says that is about to be replaced on request is outdated.
        if not requests.pending and (reported := reported_hold(report)) is not None:
            kept = reported
        elif ends_hold(report):
            kept = None
    return Holds(active=None if requests.pending else kept, status=kept, is_new=kept is not None and kept != stored)


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
