"""The reported state: from the runner while it answers, else from the operator. State, Ready and Linked follow from it.

Linked changes only when a runner reports it: the login outlives the pod. Why it was lost stays until the next link, over all
states, pods and processes: the runner keeps it on the profile, and what is in status holds where no runner knows it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from session_protocol.logouts import LogoutReason
from session_protocol.states import Phase, is_linked, rests, traits_of
from session_protocol.times import whole_seconds
from session_protocol.vocabulary import RunnerState

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
    """Return the runner's report if it answers; else Unreachable, the stored state or the operator's, in this order.

    A session that rests is in the state of its hold, whatever is heard of the pod that goes.
    """
    reported = _reported(snapshot, step)
    if not rests(snapshot.hold):
        return reported
    return replace(reported, state=step.state, ready=ConditionStatus.FALSE, ready_message=step.ready)


def _reported(snapshot: Snapshot, step: Step) -> ReportedState:
    before = snapshot.session.status
    linked, linked_message = _stored_linked(before)
    if snapshot.responding and snapshot.report is not None:
        return _from_runner(snapshot.report, before, now=snapshot.now)
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


def _from_runner(report: RunnerReport, before: SessionStatus, *, now: datetime) -> ReportedState:
    connected = traits_of(report.state).phase is Phase.CONNECTED
    message = redacted(report.message) or f"The runner reports {report.state}."
    linked, linked_message, logout_time = _linked(report, before, now=now)
    return ReportedState(
        state=report.state,
        ready=ConditionStatus.TRUE if connected else ConditionStatus.FALSE,
        ready_message=reason_message(report.state, message, fallback=Reason.RUNNER_STARTING),
        linked=linked,
        linked_message=linked_message,
        link=_link(report, before, linked=linked, logout_time=logout_time),
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


def _linked(
    report: RunnerReport, before: SessionStatus, *, now: datetime
) -> tuple[ConditionStatus, ReasonMessage, datetime | None]:
    """Return whether a phone is linked and, if it was and is not any more, since when."""
    # An older runner does not send `linked`, only the time of linking, and that only while it is linked.
    answer = report.linked if report.linked is not None else report.linked_time is not None or None
    linked = is_linked(report.state, answer=answer)
    known = before.link.logout_time if before.link is not None else None
    stored, stored_message = _stored_linked(before)
    if linked:
        right = report.account_expected is not False
        message = ReasonMessage(Reason.LINKED, "A phone is linked.") if right else messages.UNEXPECTED_ACCOUNT
        return ConditionStatus.TRUE, message, None
    if linked is None:
        return stored, stored_message, known
    if report.logout_time is not None:
        reason = report.logout_reason or LogoutReason.LOGGED_OUT
        return ConditionStatus.FALSE, messages.logged_out(reason, at=report.logout_time), report.logout_time
    if stored is ConditionStatus.FALSE:
        return stored, stored_message, known
    if stored is ConditionStatus.TRUE:
        lost = whole_seconds(now)
        seen = report.state == RunnerState.LOGGED_OUT
        message = messages.logged_out(LogoutReason.LOGGED_OUT, at=lost) if seen else messages.link_gone(at=lost)
        return ConditionStatus.FALSE, message, lost
    return ConditionStatus.FALSE, ReasonMessage(Reason.NOT_LINKED, "No phone is linked."), None


def _stored_linked(before: SessionStatus) -> tuple[ConditionStatus, ReasonMessage]:
    linked = find_condition(before.conditions, ConditionType.LINKED)
    if linked is None:
        return ConditionStatus.UNKNOWN, ReasonMessage(Reason.NOT_KNOWN, "No runner has reported it yet.")
    return linked.status, ReasonMessage(linked.reason, linked.message)


def _link(
    report: RunnerReport, before: SessionStatus, *, linked: ConditionStatus, logout_time: datetime | None
) -> LinkStatus | None:
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
        logout_time=logout_time,
    )
    return link if link != LinkStatus() else None


def _account(report: RunnerReport, known: LinkStatus) -> tuple[str | None, str | None]:
    if report.account is None:  # not told yet by this pod, or not in this hold: the login is the same
        return known.account_hash, known.account_key_id
    return report.account.digest, report.account.key_id
