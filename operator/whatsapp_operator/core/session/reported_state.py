"""The reported state: from the runner while it answers, else from the operator. State, Ready and Linked follow from it.

Linked changes only when a runner reports it: the login outlives the pod.
"""

from dataclasses import dataclass

from session_protocol.states import Phase, is_linked, traits_of

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import LinkStatus, OperatorState, Reason, SessionStatus
from whatsapp_operator.core.model import KeyID, RunnerReport
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.create import Step
from whatsapp_operator.core.session.messages import ReasonMessage, reason_message
from whatsapp_operator.core.session.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class ReportedState:
    """The state of the session, with the Ready and Linked conditions that go with it."""

    state: str
    ready: ConditionStatus
    ready_message: ReasonMessage
    linked: ConditionStatus
    linked_message: ReasonMessage
    link: LinkStatus | None


def reported_state(snapshot: Snapshot, step: Step) -> ReportedState:
    """Return the runner's report if it answers; else Unreachable, the stored state or the operator's, in this order."""
    before = snapshot.session.status
    linked, linked_message = _stored_linked(before)
    if snapshot.responding and snapshot.report is not None:
        return _from_runner(snapshot.report, before)
    lost_key = snapshot.observation.lost_key if snapshot.pod is not None and snapshot.pod.started is not None else None
    if snapshot.pod_active and (snapshot.silent or lost_key is not None):
        return ReportedState(
            state=OperatorState.UNREACHABLE,
            ready=ConditionStatus.UNKNOWN,
            ready_message=_unreachable(snapshot, lost_key),
            linked=linked,
            linked_message=linked_message,
            link=before.link,
        )
    if (kept := _from_status(snapshot)) is not None:
        return kept
    return ReportedState(
        state=step.state,
        ready=ConditionStatus.FALSE,
        ready_message=step.ready,
        linked=linked,
        linked_message=linked_message,
        link=before.link,
    )


def _unreachable(snapshot: Snapshot, lost_key: KeyID | None) -> ReasonMessage:
    """Return why nothing is heard of the runner: its node is lost, its tokens are of a lost key, or it is silent."""
    if snapshot.in_doubt is not None:
        return snapshot.in_doubt
    if lost_key is not None:
        return messages.key_lost(lost_key, replaced_at=snapshot.observation.renew_at)
    return messages.unreachable(snapshot.observation.rejection)


def _from_runner(report: RunnerReport, before: SessionStatus) -> ReportedState:
    connected = traits_of(report.state).phase is Phase.CONNECTED
    message = redacted(report.message) or f"The runner reports {report.state}."
    linked, linked_message = _linked(report, before)
    return ReportedState(
        state=report.state,
        ready=ConditionStatus.TRUE if connected else ConditionStatus.FALSE,
        ready_message=reason_message(report.state, message, fallback=Reason.RUNNER_STARTING),
        linked=linked,
        linked_message=linked_message,
        link=_link(report, before, linked=linked),
    )


def _from_status(snapshot: Snapshot) -> ReportedState | None:
    """Return the stored state of the present pod: an operator that has just started has polled no runner yet."""
    before, pod = snapshot.session.status, snapshot.pod
    ready = find_condition(before.conditions, ConditionType.READY)
    own = {str(state_) for state_ in OperatorState} - {OperatorState.UNREACHABLE}
    if pod is None or not snapshot.pod_active or pod.started is None or before.pod_uid != pod.uid:
        return None
    if ready is None or before.state is None or before.state in own:
        return None
    linked, linked_message = _stored_linked(before)
    return ReportedState(
        state=before.state,
        ready=ready.status,
        ready_message=ReasonMessage(ready.reason, ready.message),
        linked=linked,
        linked_message=linked_message,
        link=before.link,
    )


def _linked(report: RunnerReport, before: SessionStatus) -> tuple[ConditionStatus, ReasonMessage]:
    # An older runner does not send `linked`, only the time of linking, and that only while it is linked.
    answer = report.linked if report.linked is not None else report.linked_time is not None or None
    linked = is_linked(report.state, answer=answer)
    if linked is None:
        return _stored_linked(before)
    if linked and report.account_expected is False:
        return ConditionStatus.TRUE, messages.UNEXPECTED_ACCOUNT
    if linked:
        return ConditionStatus.TRUE, ReasonMessage(Reason.LINKED, "A phone is linked.")
    return ConditionStatus.FALSE, ReasonMessage(Reason.NOT_LINKED, "No phone is linked.")


def _stored_linked(before: SessionStatus) -> tuple[ConditionStatus, ReasonMessage]:
    linked = find_condition(before.conditions, ConditionType.LINKED)
    if linked is None:
        return ConditionStatus.UNKNOWN, ReasonMessage(Reason.NOT_KNOWN, "No runner has reported it yet.")
    return linked.status, ReasonMessage(linked.reason, linked.message)


def _link(report: RunnerReport, before: SessionStatus, *, linked: ConditionStatus) -> LinkStatus | None:
    """Return the runner's linking times; while a phone is linked, those it does not know (yet) stay as stored."""
    known = before.link or LinkStatus()
    stays = linked is ConditionStatus.TRUE
    account_hash, account_key_id = _account(report, known) if stays else (None, None)
    link = LinkStatus(
        linked_time=report.linked_time or (known.linked_time if stays else None),
        durable_time=report.durable_time or (known.durable_time if stays and report.linked_time is None else None),
        round=report.round or (known.round if stays else None),
        account_hash=account_hash,
        account_key_id=account_key_id,
    )
    return link if link != LinkStatus() else None


def _account(report: RunnerReport, known: LinkStatus) -> tuple[str | None, str | None]:
    if report.account is None:  # not told yet by this pod, or not in this hold: the login is the same
        return known.account_hash, known.account_key_id
    return report.account.digest, report.account.key_id
