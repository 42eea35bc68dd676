"""What is to be done next: a chain of rules, each with its business case; the first that matches wins.

Each rule looks at one snapshot and returns a `Step` or None. What must be in status before an action is the caller's
(`decide`) business, how the step is shown is `status`'s.
"""

from collections.abc import Callable
from dataclasses import replace

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.session import AdmissionStatus, OperatorState, Reason
from whatsapp_operator.core.model import (
    Action,
    CreateService,
    DeletePod,
)
from whatsapp_operator.core.objects.service import service_manifest
from whatsapp_operator.core.quota.reservations import missing_reservation
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.create import (
    Step,
    create_actions,
    create_step,
    recovering,
)
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.snapshot import Snapshot


def next_step(snapshot: Snapshot) -> Step:
    """Return the step of the first rule that matches; without one the pod is created."""
    for rule in _RULES:
        if (step := rule(snapshot)) is not None:
            return step
    return _create(snapshot)


def _stalled(message: ReasonMessage, *, actions: tuple[Action, ...] = ()) -> Step:
    return Step(state=OperatorState.STALLED, ready=message, stalled=message, actions=actions, releases_reservation=True)


def _delete(snapshot: Snapshot, reason: str) -> tuple[Action, ...]:
    pod = snapshot.pod
    if pod is None or pod.deletion is not None:
        return ()
    return (DeletePod(name=pod.name, uid=pod.uid, reason=reason),)


# --- nothing can be done by the operator ------------------------------------------------------------------------


def _spec_is_unusable(snapshot: Snapshot) -> Step | None:
    """A spec stored under another schema: whatever is done could be wrong, so nothing is."""
    return _stalled(messages.invalid(snapshot.session.problems)) if snapshot.session.problems else None


def _several_pods(snapshot: Snapshot) -> Step | None:
    """A person made a second pod with our owner reference: choosing could end the one that holds the session."""
    if snapshot.pod is None or not snapshot.duplicate_pods:
        return None
    return _stalled(messages.multiple_pods((snapshot.pod, *snapshot.duplicate_pods)))


# --- a person decided, or has to --------------------------------------------------------------------------------


def _is_suspended(snapshot: Snapshot) -> Step | None:
    """Suspended: the pod ends cleanly, the PVC stays, the reservation is released when the pod is gone."""
    if not snapshot.suspended:
        return None
    message = messages.SUSPENDED if snapshot.pod is None else messages.SUSPENDING
    return Step(
        state=OperatorState.SUSPENDED, ready=message, actions=_delete(snapshot, "Suspended"), releases_reservation=True
    )


def _is_held(snapshot: Snapshot) -> Step | None:
    """The runner said that a new pod would do harm: one that lives stays, one that ended is not replaced."""
    if snapshot.hold is None:
        return None
    ended = snapshot.pod is not None and (snapshot.pod.ended or snapshot.attempts.pod_failed)
    return _stalled(
        messages.held(snapshot.hold, requested=False), actions=_delete(snapshot, snapshot.hold) if ended else ()
    )


def _is_exhausted(snapshot: Snapshot) -> Step | None:
    """It failed too often: another pod would fail the same way, and its reservation may help another session."""
    if not snapshot.attempts.exhausted:
        return None
    return _stalled(
        messages.exhausted(snapshot.attempts.recovery),
        actions=_delete(snapshot, "RecoveryExhausted") if snapshot.attempts.pod_failed else (),
    )


# --- a pod is there ---------------------------------------------------------------------------------------------


def _is_requested_anew(snapshot: Snapshot) -> Step | None:
    """A person asked for a new pod: this one is closed cleanly, for its last minute of login data."""
    if snapshot.pod is None or snapshot.pod.deletion is not None or not snapshot.requests.pending:
        return None
    return recovering(messages.REQUESTED, actions=_delete(snapshot, messages.REQUESTED.reason))


def _is_terminating(snapshot: Snapshot) -> Step | None:
    """Whoever deleted it: the next pod comes when this object is gone, so that there are never two."""
    if snapshot.pod is None or snapshot.pod.deletion is None:
        return None
    if snapshot.requests.pending:
        return recovering(messages.REQUESTED)
    if snapshot.attempts.pod_failed:
        return recovering(messages.backing_off(snapshot.attempts.recovery))
    if snapshot.loss is not None:
        return recovering(messages.lost(snapshot.pod, reason=snapshot.loss))
    return recovering(messages.TERMINATING)


def _has_failed(snapshot: Snapshot) -> Step | None:
    """The failure is counted; the pod is in the way of the next one."""
    if snapshot.pod is None or not snapshot.attempts.pod_failed:
        return None
    return recovering(messages.backing_off(snapshot.attempts.recovery), actions=_delete(snapshot, "Failed"))


def _is_lost(snapshot: Snapshot) -> Step | None:
    """Evicted, preempted, or its node went down: replaced, not counted. It is told first, for the pod is the proof."""
    if snapshot.pod is None or snapshot.loss is None:
        return None
    message = messages.lost(snapshot.pod, reason=snapshot.loss)
    return Step(
        state=OperatorState.RECOVERING,
        ready=message,
        recovering=message,
        actions=_delete(snapshot, snapshot.loss),
        status_first=True,
    )


def _has_pod(snapshot: Snapshot) -> Step | None:
    """The pod is on its way, or runs: a pending one is shown with its reason and never cured by deletion."""
    if snapshot.pod is None:
        return None
    actions: tuple[Action, ...] = ()
    if snapshot.observation.service is None:  # somebody deleted it: the pod has lost its name
        actions = (CreateService(manifest=service_manifest(snapshot.session.metadata.namespace)),)
    running = snapshot.pod.started is not None
    again = snapshot.attempts.recovery.consecutive_failures > 0 and not running
    return Step(
        state=OperatorState.PENDING,
        ready=messages.RUNNER_STARTING if running else snapshot.pending_message,
        recovering=messages.backing_off(snapshot.attempts.recovery) if again else None,
        actions=actions,
    )


# --- no pod is there: what stands in the way of one ---------------------------------------------------------------


def _name_is_taken(snapshot: Snapshot) -> Step | None:
    """A pod of our name that is not ours: one that goes by itself is waited for, any other is a person's business."""
    other = snapshot.foreign_pod
    if other is None:
        return None
    if other.deletion is not None or (other.managed and other.owner_uid is not None):
        return Step(state=OperatorState.PENDING, ready=messages.PREVIOUS_POD)
    return _stalled(messages.name_taken("pod", other.name))


def _pvc_cannot_be_used(snapshot: Snapshot) -> Step | None:
    """A PVC of our name that is somebody else's, or that is being deleted: a profile on it would be lost."""
    pvc = snapshot.observation.pvc
    if pvc is None or snapshot.session.spec.profile.existing_claim is not None:
        return None
    if not pvc.ours:
        return _stalled(messages.name_taken("PersistentVolumeClaim", pvc.name))
    if snapshot.pvc_will_be_deleted:
        return Step(state=OperatorState.PENDING, ready=messages.CLAIM_TERMINATING)
    return None


def _service_is_taken(snapshot: Snapshot) -> Step | None:
    """The namespace's Service of our name is somebody else's: the session would have no name."""
    return (
        _stalled(messages.SERVICE_TAKEN)
        if snapshot.observation.service is not None and not snapshot.observation.service.ours
        else None
    )


def _backs_off(snapshot: Snapshot) -> Step | None:
    """The next attempt is not due yet. The reservation is kept: the wait is at most five minutes."""
    due = snapshot.attempts.recovery.next_attempt_time
    if due is None or due <= snapshot.now:
        return None
    message = (
        messages.backing_off(snapshot.attempts.recovery) if snapshot.attempts.after_failure else messages.REPLACING
    )
    return recovering(message, requeue_at=due)


def _is_paused(snapshot: Snapshot) -> Step | None:
    """Many sessions failed together: what would answer a failure waits until it is quiet. First starts go on."""
    if snapshot.observation.recovery_paused is None or not snapshot.attempts.after_failure:
        return None
    return recovering(ReasonMessage(Reason.RECOVERY_PAUSED, snapshot.observation.recovery_paused))


def _needs_admission(snapshot: Snapshot) -> Step | None:
    """No pod without a reservation in the quota, which is in status first."""
    missing, assumed = missing_reservation(snapshot.session), snapshot.observation.assumed
    if missing is None:
        return None
    if assumed is not None and missing.is_met_by(assumed):
        admission = AdmissionStatus.model_validate(
            {"quotaName": assumed.quota_name, "reservedAt": assumed.reserved_at, "memory": assumed.memory}
        )
        return replace(create_step(snapshot), admission=admission)
    not_admitted = _refusal(snapshot)
    return Step(state=OperatorState.QUEUED, ready=not_admitted, not_admitted=not_admitted)


def _refusal(snapshot: Snapshot) -> ReasonMessage:
    """Return why it is not admitted: by the last round; before the first one what an earlier operator wrote still holds."""
    if snapshot.observation.refusal is not None:
        return ReasonMessage(snapshot.observation.refusal.reason, snapshot.observation.refusal.message)
    stored = messages.stored_message(snapshot.session.status, ConditionType.ADMITTED)
    if stored is not None and stored.reason in (Reason.QUOTA_EXCEEDED, Reason.QUOTA_NOT_FOUND):
        return stored
    return messages.WAITING_FOR_ADMISSION


def _create(snapshot: Snapshot) -> Step:
    """Nothing is in the way, but maybe the API server."""
    refused_action = snapshot.refused_action
    if refused_action is not None:
        retry_at = refused_action.retry_at
        wait = retry_at is not None and retry_at > snapshot.now
        return Step(
            state=OperatorState.PENDING,
            ready=messages.refused(refused_action),
            creates_objects=True,
            actions=() if wait else create_actions(snapshot),
            requeue_at=retry_at if wait else None,
        )
    return create_step(snapshot)


_RULES: tuple[Callable[[Snapshot], Step | None], ...] = (
    _spec_is_unusable,
    _several_pods,
    _is_suspended,
    _is_held,
    _is_exhausted,
    _is_requested_anew,
    _is_terminating,
    _has_failed,
    _is_lost,
    _has_pod,
    _name_is_taken,
    _pvc_cannot_be_used,
    _service_is_taken,
    _backs_off,
    _is_paused,
    _needs_admission,
)
