"""The whole status of a session, built from one snapshot and one step. Nothing is reported that was not observed.

The same snapshot always gives the same status; when nothing has changed, that is the stored one and nothing is written.
"""

from datetime import datetime
from decimal import Decimal

from session_protocol.states import rests
from session_protocol.times import whole_seconds

from whatsapp_operator.api.conditions import (
    Condition,
    Conditions,
    ConditionStatus,
    ConditionType,
    find_condition,
    remove_condition,
    set_condition,
)
from whatsapp_operator.api.session import (
    AdmissionStatus,
    LinkStatus,
    OperatorState,
    Reason,
    RequeueStatus,
    SessionStatus,
)
from whatsapp_operator.core.model import PodFacts, Rejection
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.closed_webhooks import closed_webhooks
from whatsapp_operator.core.session.create import Step
from whatsapp_operator.core.session.failed_calls import CallReview
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.reported_state import ReportedState, reported_state
from whatsapp_operator.core.session.sandboxed import sandboxed
from whatsapp_operator.core.session.snapshot import Snapshot
from whatsapp_operator.core.session.token_secrets import TokenSecretNames

_TRUE, _FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
_Value = tuple[ConditionStatus, ReasonMessage]


def build_status(snapshot: Snapshot, step: Step, tokens: TokenSecretNames, calls: CallReview) -> SessionStatus:
    """Return the status that the session should have, given the calls for it that fail."""
    before, session, pod = snapshot.session.status, snapshot.session, snapshot.pod
    reported = reported_state(snapshot, step)
    admission = _admission(snapshot, step)
    names_settled = snapshot.hold is None and not session.problems  # an unusable spec names nothing
    found = before.model_copy(
        update={
            "observed_generation": session.metadata.generation,
            "state": reported.state,
            "state_transition_time": before.state_transition_time
            if before.state == reported.state
            else whole_seconds(snapshot.now),
            "conditions": _conditions(snapshot, step, reported, admission, calls),
            "pod_name": pod.name if pod is not None else before.pod_name,
            "pod_uid": pod.uid
            if pod is not None
            else snapshot.pods_since_status[-1]
            if snapshot.pods_since_status
            else before.pod_uid,
            "pvc_name": names.profile_pvc_name(session)
            if names_settled and (step.creates_objects or pod is not None)
            else before.pvc_name,
            "node_name": pod.node if pod is not None else None,
            "image": pod.image if pod is not None else None,
            "browser_version": _browser_version(snapshot),
            "token_secret_name": tokens.observing,
            "token_secrets": tokens.others,
            "endpoint": names.endpoint(session),
            "replicas": 0 if pod is None else 1,
            "selector": names.selector(session),
            "link": _link(snapshot, reported.link),
            "admission": admission,
            "requeue": _requeue(snapshot, step),
            "recovery": snapshot.attempts.status,
            "handled_requests": snapshot.requests.handled.model_copy(
                update={"renew_tokens_at": snapshot.renewal.known or before.handled_requests.renew_tokens_at}
            ),
        }
    )
    # Not written for its own sake: else the operator that is the first to know of it would write every session's at once.
    # But where a call fails it may be just this field that is not kept, and whether it is by now only a write can tell.
    if found == before and calls.condition is None:
        return found
    return found.model_copy(update={"phone_number_id": names.cloud_api_id(session)})


def _browser_version(snapshot: Snapshot) -> str | None:
    """Return the version of the browser in the present pod: what its runner reported last, maybe to an earlier process."""
    before, pod, report = snapshot.session.status, snapshot.pod, snapshot.report
    if pod is None:
        return None
    reported = report.browser_version if report is not None else None
    return reported or (before.browser_version if before.pod_uid == pod.uid else None)


def _link(snapshot: Snapshot, reported: LinkStatus | None) -> LinkStatus | None:
    """Return the link with what the operator adds: since when no QR code is shown any more, the memory of that hold."""
    link, before = reported or LinkStatus(), snapshot.session.status.link
    since = None
    if rests(snapshot.status_hold):
        since = (before.expired_time if before is not None else None) or whole_seconds(snapshot.now)
    link = link.model_copy(update={"expired_time": since})
    return link if link != LinkStatus() else None


def _admission(snapshot: Snapshot, step: Step) -> AdmissionStatus | None:
    """Return the reservation to store: kept while the session has a pod or is to run, reduced if the pod is smaller."""
    held, pod = snapshot.session.status.admission, snapshot.pod
    if pod is None:
        # It asked for more than it holds and was refused. Keeping the smaller reservation would block other sessions,
        # and two sessions in this position could block each other for ever.
        refused = step.not_admitted is not None and snapshot.observation.refusal is not None
        return None if step.releases_reservation or refused else step.admission or held
    if held is None:
        if pod.seal is None:  # an older operator's pod, or a person's: nothing says that it was admitted
            return step.admission
        # Lost from status; the pod still counts, with what it was sealed for.
        memory = Decimal(pod.memory)
        return AdmissionStatus(quota_name=pod.seal.quota, reserved_at=pod.created, memory=memory)
    if pod.seal is None:
        return held
    # What the pod may take: more with what others added to it, less only where the operator itself made it smaller.
    return held.model_copy(update={"memory": Decimal(pod.memory)})


def _requeue(snapshot: Snapshot, step: Step) -> RequeueStatus | None:
    """Return the record to store: it ends when a pod runs. A new reservation is never older, whatever the clock did."""
    record, admission, pod = step.requeue or snapshot.startup.place.record, step.admission, snapshot.pod
    if snapshot.suspended or (pod is not None and pod.ran):
        return None
    if record is None or record.requeue_at is None or admission is None or admission.reserved_at is None:
        return record
    return record.model_copy(update={"requeue_at": min(record.requeue_at, admission.reserved_at)})


def _conditions(
    snapshot: Snapshot,
    step: Step,
    reported: ReportedState,
    admission: AdmissionStatus | None,
    calls: CallReview,
) -> Conditions:
    values: dict[ConditionType, _Value | None] = {
        ConditionType.READY: (reported.ready, reported.ready_message),
        ConditionType.LINKED: (reported.linked, reported.linked_message),
        ConditionType.ADMITTED: _admitted(step, admission),
        ConditionType.POD_READY: _pod_ready(snapshot),
        ConditionType.POD_SCHEDULED: _pod_scheduled(snapshot.pod),
        ConditionType.SUSPENDED: _suspended(snapshot),
        ConditionType.STALLED: _stalled(snapshot, step, calls),
        ConditionType.RECOVERING: _recovering(step),
        ConditionType.CONFLICT: _conflict(snapshot),
        ConditionType.POD_SECURITY_NOT_ENFORCED: _pod_security(snapshot),
        ConditionType.SANDBOXED: sandboxed(snapshot),
        ConditionType.WEBHOOK_CLOSED: _webhook_closed(snapshot),
        ConditionType.SETTINGS_PENDING: _settings_pending(snapshot),
        ConditionType.TOKENS_RENEWED: _tokens_renewed(snapshot, calls),
        ConditionType.CALL_FAILED: calls.condition,
    }
    conditions = snapshot.session.status.conditions
    for kind, value in values.items():
        conditions = remove_condition(conditions, kind) if value is None else _set(conditions, kind, value, snapshot)
    return conditions


def _set(conditions: Conditions, kind: str, value: _Value, snapshot: Snapshot) -> Conditions:
    state, (reason, message) = value
    condition = Condition(
        type=kind,
        status=state,
        reason=reason,
        message=messages.about(message, snapshot.session.key),
        observed_generation=snapshot.session.metadata.generation,
    )
    return set_condition(conditions, condition, _time_of_change(conditions, condition, snapshot))


def _time_of_change(conditions: Conditions, condition: Condition, snapshot: Snapshot) -> datetime:
    """Return when a condition became what it is, should it be another than the stored one: now.

    But a session of which no suspension is known was never suspended since its creation, also when its status was lost:
    else that would look to the runner like the end of a suspension, with which a person ends a hold (`pod._resumed`).
    """
    first = find_condition(conditions, condition.type) is None
    never = condition.type == ConditionType.SUSPENDED and condition.status == _FALSE and first
    created = snapshot.session.metadata.creation_timestamp
    return min(created, snapshot.now) if never and created is not None else snapshot.now


def _admitted(step: Step, admission: AdmissionStatus | None) -> _Value:
    if step.not_admitted is not None:
        return _FALSE, step.not_admitted
    if admission is not None:
        return _TRUE, messages.admitted(admission.quota_name, admission.memory)
    if step.releases_reservation and step.state != OperatorState.PENDING:
        return _FALSE, ReasonMessage(Reason.SLOT_RELEASED, "Not admitted, because the session is not to run.")
    return _FALSE, messages.WAITING_FOR_ADMISSION


def _pod_ready(snapshot: Snapshot) -> _Value:
    pod = snapshot.pod
    if pod is None:
        return _FALSE, ReasonMessage(Reason.NO_POD, "There is no pod.")
    if snapshot.in_doubt is not None or pod.deletion is not None:
        return _FALSE, snapshot.in_doubt or ReasonMessage(Reason.POD_TERMINATING, "The pod is terminating.")
    if pod.ended:
        return _FALSE, ReasonMessage(Reason.POD_ENDED, "The runner's container has ended.")
    if pod.ready:
        outdated = not snapshot.session.problems and (
            snapshot.growth_waits or pod.template_hash not in ("", snapshot.template())
        )
        later = f" It was created before the last edit, which takes effect with the next pod: to replace it now, {messages.RESTART}"
        return _TRUE, ReasonMessage(Reason.POD_READY, f"The runner serves its API.{later if outdated else ''}")
    if pod.started is None:
        return _FALSE, snapshot.pending_message
    return _FALSE, ReasonMessage(Reason.POD_NOT_READY, "The runner does not serve its API.")


def _pod_scheduled(pod: PodFacts | None) -> _Value | None:
    """Copy the pod's condition; None, and so removed, when there is no pod."""
    if pod is None or pod.scheduled is None:
        return None
    message = messages.reason_message(pod.scheduled_reason, pod.scheduled_message, fallback=Reason.SCHEDULED)
    return (_TRUE if pod.scheduled else _FALSE), message


def _suspended(snapshot: Snapshot) -> _Value | None:
    if snapshot.session.problems:  # unknown while the spec is invalid: keep the stored value
        stored = find_condition(snapshot.session.status.conditions, ConditionType.SUSPENDED)
        return None if stored is None else (stored.status, ReasonMessage(stored.reason, stored.message))
    if not snapshot.suspended:
        return _FALSE, ReasonMessage(Reason.NOT_SUSPENDED, "spec.operatingMode is Running.")
    return (_TRUE, messages.SUSPENDED) if snapshot.pod is None else (_FALSE, messages.SUSPENDING)


def _stalled(snapshot: Snapshot, step: Step, calls: CallReview) -> _Value:
    # A hold comes first, whatever else is wrong: it is stored in this condition and nowhere else, but for one that rests.
    if snapshot.status_hold is not None and not rests(snapshot.status_hold):
        return _TRUE, messages.held(snapshot.status_hold, requested=snapshot.requests.pending)
    if step.stalled is not None:
        return _TRUE, step.stalled
    if calls.refused_growth is not None:
        return _TRUE, messages.resize_refused(calls.refused_growth)
    if (resize_fault := _resize_fault(snapshot)) is not None:
        return _TRUE, resize_fault
    return _FALSE, ReasonMessage(Reason.NOT_STALLED, "No action is required.")


def _resize_fault(snapshot: Snapshot) -> ReasonMessage | None:
    """Return the storage's error about growing the PVC, or None.

    The first message is kept: on each retry the storage clears its error for a moment, then words it differently.
    """
    pvc = snapshot.pvc
    if pvc is None or not (pvc.resize_fault or pvc.resizing):
        return None
    stored = messages.stored_message(snapshot.session.status, ConditionType.STALLED, only=_TRUE)
    if stored is not None and stored.reason == Reason.CLAIM_RESIZE_REFUSED:
        return stored
    return messages.resize_refused(pvc.resize_fault) if pvc.resize_fault else None


def _recovering(step: Step) -> _Value:
    if step.recovering is not None:
        return _TRUE, step.recovering
    return _FALSE, ReasonMessage(Reason.NOT_RECOVERING, "No pod is being replaced.")


def _conflict(snapshot: Snapshot) -> _Value:
    if snapshot.status_hold == Reason.CONFLICT:
        return _TRUE, messages.held(Reason.CONFLICT, requested=snapshot.requests.pending)
    return _FALSE, ReasonMessage(Reason.NO_CONFLICT, "No other window or device is known to use this session.")


def _pod_security(snapshot: Snapshot) -> _Value | None:
    """Present only while it is so: a namespace that nobody has looked at yet is not accused."""
    if snapshot.observation.pod_security is not False:
        return None
    return _TRUE, messages.pod_security_not_enforced(snapshot.session.metadata.namespace)


def _webhook_closed(snapshot: Snapshot) -> _Value | None:
    """Present only while it is so; of a spec that cannot be used nothing is known."""
    session = snapshot.session
    found = None if session.problems else closed_webhooks(session.spec.webhooks, snapshot.defaults.webhook_destinations)
    return None if found is None else (_TRUE, found)


def _settings_pending(snapshot: Snapshot) -> _Value | None:
    """Present only while it is so; what was stored of this pod stands until its runner was asked again."""
    stored, pod, takes = snapshot.session.status, snapshot.pod, snapshot.observation.takes_settings
    if pod is None or takes:
        return None
    was_so = stored.pod_uid == pod.uid and find_condition(stored.conditions, ConditionType.SETTINGS_PENDING) is not None
    return (_TRUE, messages.SETTINGS_PENDING) if takes is False or was_so else None


def _tokens_renewed(snapshot: Snapshot, calls: CallReview) -> _Value | None:
    """Return whether the tokens are those of the last renewal; None, and so removed, where nobody asked for one."""
    renewal, pod = snapshot.renewal, snapshot.pod
    if not renewal.wanted:
        return None
    if renewal.known == renewal.wanted:
        return _TRUE, messages.TOKENS_RENEWED
    if pod is None:
        done = snapshot.session.status.handled_requests.renew_tokens_at == renewal.wanted
        return (_TRUE, messages.TOKENS_RENEWED) if done else (_FALSE, messages.TOKENS_WAIT_FOR_POD)
    if pod.renewal is None or snapshot.observation.rejection is Rejection.UNSIGNED:
        return _FALSE, messages.TOKENS_NOT_RENEWABLE
    if calls.refused_renewal is not None:
        return _FALSE, calls.refused_renewal
    return _FALSE, messages.TOKENS_RENEWING
