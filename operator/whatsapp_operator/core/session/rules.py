"""What to do next: a chain of rules, one for each business case; the first that matches wins.

Each rule takes the snapshot and returns a `Step` or None. `decide` makes sure that the status is stored before the
actions that rely on it; `status` decides how the step is shown.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from session_protocol.states import rests
from session_protocol.vocabulary import RunnerState

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.session import AdmissionStatus, OperatorState, Reason
from whatsapp_operator.core.decision import Action, CreateService, DeletePod, ReadClaim
from whatsapp_operator.core.model import PodFacts
from whatsapp_operator.core.objects.existing_claim import is_usable
from whatsapp_operator.core.objects.network_policy import policy_actions
from whatsapp_operator.core.objects.secret import create_mounted_secret
from whatsapp_operator.core.objects.service import service_manifest
from whatsapp_operator.core.session import messages, never_ran
from whatsapp_operator.core.session.create import (
    Step,
    create_step,
    recovering,
)
from whatsapp_operator.core.session.messages import ReasonMessage
from whatsapp_operator.core.session.snapshot import Snapshot

CLAIM_PATIENCE: Final = timedelta(minutes=1)
""" How long a session keeps its place while its claim is being deleted. """


def next_step(snapshot: Snapshot) -> Step:
    """Return the step of the first rule that matches; if none does, the step that creates the pod."""
    for rule in _RULES:
        if (step := rule(snapshot)) is not None:
            return step
    return create_step(snapshot)


def _stalled(message: ReasonMessage, *, actions: tuple[Action, ...] = ()) -> Step:
    return Step(state=OperatorState.STALLED, ready=message, stalled=message, actions=actions, releases_reservation=True)


def _blocked(message: ReasonMessage) -> Step:
    """Return the step of a session that has to wait for something to go or to come, and takes no place meanwhile."""
    return Step(state=OperatorState.PENDING, ready=message, releases_reservation=True)


def _delete(snapshot: Snapshot, reason: str) -> tuple[Action, ...]:
    pod = snapshot.pod
    if pod is None or pod.deletion is not None:
        return ()
    return (DeletePod(name=pod.name, uid=pod.uid, reason=reason, clears_loss=snapshot.loss is not None),)


# --- nothing can be done by the operator ------------------------------------------------------------------------


def _spec_is_unusable(snapshot: Snapshot) -> Step | None:
    """The stored spec is invalid, for example written under another schema: any action could be wrong, so take none."""
    return _stalled(messages.invalid(snapshot.session.problems)) if snapshot.session.problems else None


def _several_pods(snapshot: Snapshot) -> Step | None:
    """A person created a second pod with our owner reference: deleting one could end the pod that has the session."""
    if snapshot.pod is None or not snapshot.duplicate_pods:
        return None
    return _stalled(messages.multiple_pods((snapshot.pod, *snapshot.duplicate_pods)))


# --- a person decided, or has to --------------------------------------------------------------------------------


def _is_suspended(snapshot: Snapshot) -> Step | None:
    """Suspended: delete the pod gracefully, keep the PVC, release the reservation once the pod is gone."""
    if not snapshot.suspended:
        return None
    message = snapshot.in_doubt or (messages.SUSPENDED if snapshot.pod is None else messages.SUSPENDING)
    return Step(
        state=OperatorState.SUSPENDED, ready=message, actions=_delete(snapshot, "Suspended"), releases_reservation=True
    )


def _is_held(snapshot: Snapshot) -> Step | None:
    """The runner reported a hold, so a new pod would do harm: keep a running pod, do not replace one that has ended."""
    if snapshot.hold is None:
        return None
    if rests(snapshot.hold):
        return _rest(snapshot, RunnerState(snapshot.hold))
    ended = snapshot.pod is not None and (snapshot.pod.ended or snapshot.attempts.pod_failed)
    return _stalled(
        messages.held(snapshot.hold, requested=False), actions=_delete(snapshot, snapshot.hold) if ended else ()
    )


def _rest(snapshot: Snapshot, hold: RunnerState) -> Step:
    """Nobody is there to scan: delete the pod gracefully, and release the reservation once it is gone. The PVC stays."""
    return Step(
        state=hold,
        ready=snapshot.in_doubt or messages.held(hold, requested=False),
        actions=_delete(snapshot, hold),
        releases_reservation=True,
    )


def _is_exhausted(snapshot: Snapshot) -> Step | None:
    """It failed too often: another pod would fail the same way, so release the reservation for other sessions."""
    if not snapshot.attempts.exhausted:
        return None
    return _stalled(
        messages.exhausted(snapshot.attempts.recovery),
        actions=_delete(snapshot, "RecoveryExhausted") if snapshot.attempts.pod_failed else (),
    )


def _is_not_allowed(snapshot: Snapshot) -> Step | None:
    """The operator's settings forbid the pod that the spec asks for: keep a running one, make no other."""
    replaces = snapshot.pod is not None and snapshot.pod.deletion is None and snapshot.requests.pending
    if not snapshot.not_allowed or not (snapshot.pod is None or replaces):
        return None
    return _stalled(messages.not_allowed(snapshot.not_allowed))


# --- there is a pod ---------------------------------------------------------------------------------------------


def _is_requested_anew(snapshot: Snapshot) -> Step | None:
    """A person asked for a new pod: delete this one gracefully, so that it still saves its latest login data."""
    if snapshot.pod is None or snapshot.pod.deletion is not None or not snapshot.requests.pending:
        return None
    return recovering(messages.REQUESTED, actions=_delete(snapshot, messages.REQUESTED.reason))


def _never_ran(snapshot: Snapshot) -> Step | None:
    """The pod never ran, and cannot become what the session needs, or has been waited for long enough."""
    counted = snapshot.attempts.pod_failed or snapshot.loss is not None or snapshot.requests.pending
    return None if snapshot.pod is None or counted else never_ran.with_pod(snapshot, snapshot.pod)


def _is_terminating(snapshot: Snapshot) -> Step | None:
    """The pod is being deleted, no matter by whom: wait until the object is gone, so that there are never two pods."""
    if snapshot.pod is None or snapshot.pod.deletion is None:
        return None
    if snapshot.in_doubt is not None:
        return recovering(snapshot.in_doubt)
    if snapshot.requests.pending:
        return recovering(messages.REQUESTED)
    if snapshot.attempts.pod_failed:
        return recovering(messages.backing_off(snapshot.attempts.recovery))
    if snapshot.loss is not None:
        return recovering(messages.lost(snapshot.loss, snapshot.attempts.recovery))
    return recovering(_why_terminating(snapshot, snapshot.pod))


def _why_terminating(snapshot: Snapshot, pod: PodFacts) -> messages.ReasonMessage:
    """Return the cause as it was told, if the pod had ended for it before it was deleted."""
    recovery = snapshot.attempts.recovery
    shown = messages.stored_recovering(snapshot.session.status)
    if recovery.next_attempt_time is not None and messages.is_cause(shown):
        return messages.waiting_after_loss(recovery, before=shown)
    return messages.terminating(pod)


def _has_failed(snapshot: Snapshot) -> Step | None:
    """The pod has failed and the failure is counted: delete it, because the next pod needs its name."""
    if snapshot.pod is None or not snapshot.attempts.pod_failed:
        return None
    return recovering(messages.backing_off(snapshot.attempts.recovery), actions=_delete(snapshot, "Failed"))


def _is_lost(snapshot: Snapshot) -> Step | None:
    """Evicted, preempted, refused, or its node went down: replace it and count no failure.

    The loss is stored in status first: once the pod is deleted, nothing else shows it.
    """
    if snapshot.pod is None or snapshot.loss is None:
        return None
    message = messages.lost(snapshot.loss, snapshot.attempts.recovery)
    return Step(
        state=OperatorState.RECOVERING,
        ready=message,
        recovering=message,
        actions=_delete(snapshot, snapshot.loss.reason),
        status_first=True,
    )


def _key_ends(snapshot: Snapshot) -> Step | None:
    """The pod's key was retired and its last day is near: replace the pod, in its turn, while the key still works."""
    pod, renew_at = snapshot.pod, snapshot.observation.renew_at
    if pod is None or renew_at is None or renew_at > snapshot.now:
        return None
    return recovering(messages.KEY_ENDS, actions=_delete(snapshot, "KeyEnds"))


def _has_pod(snapshot: Snapshot) -> Step | None:
    """The pod starts or runs. A pending one is reported with its reason; deleting it would not help."""
    if snapshot.pod is None:
        return None
    running = snapshot.pod.started is not None
    again = snapshot.attempts.recovery.consecutive_failures > 0 and not running
    # Neither status nor a seal says that it was admitted: it takes no place that it did not get in a round.
    uncounted = snapshot.session.status.admission is None and snapshot.pod.seal is None
    admission = _assumed(snapshot) if uncounted else None
    return Step(
        state=OperatorState.PENDING,
        ready=messages.RUNNER_STARTING if running else snapshot.pending_message,
        recovering=messages.backing_off(snapshot.attempts.recovery) if again else None,
        actions=_restored(snapshot),
        admission=admission,
        not_admitted=_refusal(snapshot) if uncounted and admission is None else None,
    )


def _restored(snapshot: Snapshot) -> tuple[Action, ...]:
    """Return the actions that bring back what the pod needs: its name in DNS, its NetworkPolicy, Secrets to start with."""
    namespace, observation = snapshot.session.metadata.namespace, snapshot.observation
    service = () if observation.service is not None else (CreateService(manifest=service_manifest(namespace)),)
    policy = policy_actions(observation.network_policy, namespace=namespace, defaults=snapshot.defaults)
    due = snapshot.startup.secrets_due
    secrets = (
        (create_mounted_secret(snapshot.session, snapshot.defaults),) if due is not None and due <= snapshot.now else ()
    )
    return (*service, *policy, *secrets)


# --- there is no pod: what keeps one from being created ---------------------------------------------------------------


def _name_is_taken(snapshot: Snapshot) -> Step | None:
    """A foreign pod has the name: wait if it will go by itself, else a person has to delete it."""
    other = snapshot.foreign_pod
    if other is None:
        return None
    if other.deletion is not None or (other.managed and other.owner_uid is not None):
        return _blocked(messages.PREVIOUS_POD)
    return _stalled(messages.pod_taken(other.name))


def _pvc_cannot_be_used(snapshot: Snapshot) -> Step | None:
    """The PVC with our name is foreign, or is being deleted and would take the profile with it."""
    pvc = snapshot.observation.pvc
    if pvc is None or snapshot.session.spec.profile.existing_claim is not None:
        return None
    if not pvc.ours:
        return _stalled(messages.claim_taken(pvc.name, session=snapshot.session.key))
    if not snapshot.pvc_will_be_deleted:
        return None
    # What was deleted to begin anew is gone in a moment; until then nobody else gets the place.
    due = snapshot.now if pvc.deletion is None else pvc.deletion + CLAIM_PATIENCE
    if due > snapshot.now + 2 * CLAIM_PATIENCE:  # by a clock that is ahead
        due = snapshot.now
    if due <= snapshot.now:
        return _blocked(messages.CLAIM_TERMINATING)
    return Step(state=OperatorState.PENDING, ready=messages.CLAIM_TERMINATING, requeue_at=due)


def _existing_claim_cannot_be_used(snapshot: Snapshot) -> Step | None:
    """The PVC that the spec names must be there, and released by its owner; it is read before each pod."""
    name, claim = snapshot.session.spec.profile.existing_claim, snapshot.observation.existing_claim
    if name is None:
        return None
    if claim is None or claim.name != name:
        return Step(state=OperatorState.PENDING, ready=messages.STARTING, actions=(ReadClaim(name=name),))
    if is_usable(claim, snapshot.session.metadata.name):
        return None
    if not claim.exists or claim.terminating:
        return _blocked(messages.claim_terminating(name) if claim.exists else messages.claim_not_found(name))
    if claim.made_for is not None:
        return _stalled(messages.claim_of_another(name, owner=claim.made_for))
    return _stalled(messages.claim_not_released(name, namespace=snapshot.session.metadata.namespace))


def _service_is_taken(snapshot: Snapshot) -> Step | None:
    """The Service with our name is foreign: the session would have no DNS name."""
    return (
        _stalled(messages.SERVICE_TAKEN)
        if snapshot.observation.service is not None and not snapshot.observation.service.ours
        else None
    )


def _policy_is_taken(snapshot: Snapshot) -> Step | None:
    """The NetworkPolicy with our name is foreign: the session would run with somebody else's rules."""
    policy = snapshot.observation.network_policy
    if snapshot.defaults.network is None or policy is None or policy.ours:
        return None
    return _stalled(messages.POLICY_TAKEN)


def _gives_place_back(snapshot: Snapshot) -> Step | None:
    """No pod could be made for too long, or none came to run: the place is others', until it is this session's turn."""
    return never_ran.without_pod(snapshot)


def _backs_off(snapshot: Snapshot) -> Step | None:
    """The next attempt is not due yet. The reservation is kept, because the wait is five minutes at most."""
    due = snapshot.attempts.recovery.next_attempt_time
    if due is None or due <= snapshot.now:
        return None
    recovery = snapshot.attempts.recovery
    if snapshot.attempts.after_failure:
        return recovering(messages.backing_off(recovery), requeue_at=due)
    stored = messages.stored_recovering(snapshot.session.status)
    return recovering(messages.waiting_after_loss(recovery, before=stored), requeue_at=due)


def _is_paused(snapshot: Snapshot) -> Step | None:
    """The circuit breaker is open: pods that follow a failure wait until it closes. First starts go on."""
    if snapshot.observation.recovery_paused is None or not snapshot.attempts.after_failure:
        return None
    return recovering(ReasonMessage(Reason.RECOVERY_PAUSED, snapshot.observation.recovery_paused))


def _needs_admission(snapshot: Snapshot) -> Step | None:
    """The session needs a reservation, stored in status, before its pod is created."""
    if snapshot.need.missing is None:
        return None
    if (admission := _assumed(snapshot)) is not None:
        return replace(create_step(snapshot), admission=admission)
    not_admitted, record = _refusal(snapshot), snapshot.startup.place.record
    if record is not None:
        not_admitted = never_ran.with_cause(not_admitted, record)
    return Step(state=OperatorState.QUEUED, ready=not_admitted, not_admitted=not_admitted)


def _assumed(snapshot: Snapshot) -> AdmissionStatus | None:
    """Return the reservation that the last round gave, if it is the one that the session needs now."""
    assumed = snapshot.need.assumed
    if snapshot.need.missing is None or assumed is None:
        return None
    return AdmissionStatus.model_validate(
        {
            "quotaName": assumed.quota_name,
            "reservedAt": assumed.reserved_at,
            "memory": assumed.memory,
            "storage": assumed.storage,
        }
    )


def _refusal(snapshot: Snapshot) -> ReasonMessage:
    """Return why it is not admitted: the last round's refusal; before the first round, the one stored in status."""
    if snapshot.observation.refusal is not None:
        return ReasonMessage(snapshot.observation.refusal.reason, snapshot.observation.refusal.message)
    stored = messages.stored_message(snapshot.session.status, ConditionType.ADMITTED)
    if stored is not None and stored.reason in (Reason.QUOTA_EXCEEDED, Reason.QUOTA_NOT_FOUND):
        return stored
    return messages.WAITING_FOR_ADMISSION


_RULES: tuple[Callable[[Snapshot], Step | None], ...] = (
    _spec_is_unusable,
    _several_pods,
    _is_suspended,
    _is_held,
    _is_exhausted,
    _is_not_allowed,
    _is_requested_anew,
    _never_ran,
    _is_terminating,
    _has_failed,
    _is_lost,
    _key_ends,
    _has_pod,
    _name_is_taken,
    _pvc_cannot_be_used,
    _existing_claim_cannot_be_used,
    _service_is_taken,
    _policy_is_taken,
    _gives_place_back,
    _backs_off,
    _is_paused,
    _needs_admission,
)
