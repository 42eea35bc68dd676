"""What is to be done next: a chain of questions, each with its business case; the first that has an answer wins.

Each function looks at one situation and returns a `Step` or passes on. What must be in status before an action is the
caller's (`decide`) business, how the step is told is `said`'s.
"""

from collections.abc import Callable
from dataclasses import replace

from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.api.session import AdmissionStatus, OperatorState, Reason
from whatsapp_operator.core import notes
from whatsapp_operator.core.claim import is_doomed
from whatsapp_operator.core.failure import has_ended, loss_of
from whatsapp_operator.core.making import Step, creations, making, recovering, valid_grant
from whatsapp_operator.core.model import (
    Action,
    CreateService,
    DeletePod,
)
from whatsapp_operator.core.notes import Note
from whatsapp_operator.core.quota import has_fitting_place
from whatsapp_operator.core.recovery import is_after_failure, is_exhausted
from whatsapp_operator.core.service import service_manifest
from whatsapp_operator.core.situation import Situation


def next_step(case: Situation) -> Step:
    """Return the step of the first question that has an answer; the last one always has."""
    for question in _QUESTIONS:
        if (step := question(case)) is not None:
            return step
    return _make(case)


def _stalled(said: Note, *, actions: tuple[Action, ...] = ()) -> Step:
    return Step(state=OperatorState.STALLED, said=said, stalled=said, actions=actions, releases=True)


def _delete(case: Situation, why: str) -> tuple[Action, ...]:
    pod = case.pod
    if pod is None or pod.deletion is not None:
        return ()
    return (DeletePod(name=pod.name, uid=pod.uid, why=why),)


# --- nothing can be done by the operator ------------------------------------------------------------------------


def _spec_is_unusable(case: Situation) -> Step | None:
    """A spec stored under another schema: whatever is done could be wrong, so nothing is."""
    return _stalled(notes.invalid(case.session.problems)) if case.session.problems else None


def _several_pods(case: Situation) -> Step | None:
    """A person made a second pod with our owner reference: choosing could end the one that holds the session."""
    if case.pod is None or not case.rivals:
        return None
    return _stalled(notes.multiple_pods((case.pod, *case.rivals)))


# --- a person decided, or has to --------------------------------------------------------------------------------


def _is_suspended(case: Situation) -> Step | None:
    """Put to rest: the pod ends cleanly, the claim stays, the place goes back when the pod is gone."""
    if not case.suspended:
        return None
    said = notes.SUSPENDED if case.pod is None else notes.SUSPENDING
    return Step(state=OperatorState.SUSPENDED, said=said, actions=_delete(case, "Suspended"), releases=True)


def _waits_for_person(case: Situation) -> Step | None:
    """The runner said that a new pod would do harm: one that lives stays, one that ended is not replaced."""
    if case.stop is None:
        return None
    ended = case.pod is not None and (has_ended(case.pod) or case.failed)
    return _stalled(notes.stopped(case.stop, asked=False), actions=_delete(case, case.stop) if ended else ())


def _is_exhausted(case: Situation) -> Step | None:
    """It failed too often: another pod would fail the same way, and its place may help another session."""
    if not is_exhausted(case.session, case.recovery):
        return None
    return _stalled(notes.exhausted(case.recovery), actions=_delete(case, "RecoveryExhausted") if case.failed else ())


# --- a pod is there ---------------------------------------------------------------------------------------------


def _is_asked_anew(case: Situation) -> Step | None:
    """A person asked for a new pod: this one is closed cleanly, for its last minute of login data."""
    if case.pod is None or case.pod.deletion is not None or not case.asked_anew:
        return None
    return recovering(notes.REQUESTED, actions=_delete(case, notes.REQUESTED.reason))


def _is_ending(case: Situation) -> Step | None:
    """Whoever deleted it: the next pod comes when this object is gone, so that there are never two."""
    if case.pod is None or case.pod.deletion is None:
        return None
    if case.asked_anew:
        return recovering(notes.REQUESTED)
    if case.failed:
        return recovering(notes.backing_off(case.recovery))
    why = loss_of(case.pod)
    return recovering(notes.TERMINATING if why is None else notes.lost(case.pod, why=why))


def _has_failed(case: Situation) -> Step | None:
    """The failure is counted; the pod is in the way of the next one."""
    if case.pod is None or not case.failed:
        return None
    return recovering(notes.backing_off(case.recovery), actions=_delete(case, "Failed"))


def _is_lost(case: Situation) -> Step | None:
    """Evicted, preempted, or its node went down: replaced, not counted. It is told first, for the pod is the proof."""
    if case.pod is None or (why := loss_of(case.pod)) is None:
        return None
    said = notes.lost(case.pod, why=why)
    return Step(
        state=OperatorState.RECOVERING,
        said=said,
        recovering=said,
        actions=_delete(case, why),
        tell_first=True,
    )


def _has_pod(case: Situation) -> Step | None:
    """The pod is on its way, or runs: a pending one is shown with its reason and never cured by deletion."""
    if case.pod is None:
        return None
    actions: tuple[Action, ...] = ()
    if case.seen.service is None:  # somebody deleted it: the pod has lost its name
        actions = (CreateService(manifest=service_manifest(case.session.metadata.namespace)),)
    running = case.pod.started is not None
    again = case.recovery.consecutive_failures > 0 and not running
    return Step(
        state=OperatorState.PENDING,
        said=notes.RUNNER_STARTING if running else case.pending,
        recovering=notes.backing_off(case.recovery) if again else None,
        actions=actions,
    )


# --- no pod is there: what stands in the way of one ---------------------------------------------------------------


def _name_is_taken(case: Situation) -> Step | None:
    """A pod of our name that is not ours: one that goes by itself is waited for, any other is a person's business."""
    other = case.squatter
    if other is None:
        return None
    if other.deletion is not None or (other.managed and other.owner_uid is not None):
        return Step(state=OperatorState.PENDING, said=notes.PREVIOUS_POD)
    return _stalled(notes.name_taken("pod", other.name))


def _claim_cannot_be_used(case: Situation) -> Step | None:
    """A claim of our name that is somebody else's, or that is going: a profile on it would be lost."""
    claim = case.seen.claim
    if claim is None or case.session.spec.profile.existing_claim is not None:
        return None
    if not claim.ours:
        return _stalled(notes.name_taken("PersistentVolumeClaim", claim.name))
    if is_doomed(case.session, claim):
        return Step(state=OperatorState.PENDING, said=notes.CLAIM_TERMINATING)
    return None


def _service_is_taken(case: Situation) -> Step | None:
    """The namespace's Service of our name is somebody else's: the session would have no name."""
    return _stalled(notes.SERVICE_TAKEN) if case.seen.service is not None and not case.seen.service.ours else None


def _backs_off(case: Situation) -> Step | None:
    """The next attempt is not due yet. The place is kept: the wait is at most five minutes."""
    due = case.recovery.next_attempt_time
    if due is None or due <= case.now:
        return None
    said = notes.backing_off(case.recovery) if is_after_failure(case.session, case.recovery) else notes.REPLACING
    return recovering(said, wake_at=due)


def _is_paused(case: Situation) -> Step | None:
    """Many sessions failed together: what would answer a failure waits until it is quiet. First starts go on."""
    if case.seen.recovery_paused is None or not is_after_failure(case.session, case.recovery):
        return None
    return recovering(Note(Reason.RECOVERY_PAUSED, case.seen.recovery_paused))


def _needs_admission(case: Situation) -> Step | None:
    """No pod without a place in the quota, and the place is in status first."""
    if has_fitting_place(case.session):
        return None
    if (grant := valid_grant(case)) is not None:
        admission = AdmissionStatus.model_validate(
            {"quotaName": grant.quota_name, "reservedAt": grant.granted, "memory": grant.memory}
        )
        return replace(making(case), admission=admission)
    waits = _refusal(case)
    return Step(state=OperatorState.QUEUED, said=waits, waits=waits)


def _refusal(case: Situation) -> Note:
    """Return why it waits: by the last round; before the first one what an earlier operator heard still stands."""
    if case.seen.refusal is not None:
        return Note(case.seen.refusal.reason, case.seen.refusal.message)
    told = find_condition(case.session.status.conditions, ConditionType.ADMITTED)
    if told is not None and told.reason in (Reason.QUOTA_EXCEEDED, Reason.QUOTA_NOT_FOUND):
        return Note(told.reason, told.message)
    return notes.WAITING_FOR_ADMISSION


def _make(case: Situation) -> Step:
    """Nothing is in the way. All objects are proposed each time; those that exist are no harm."""
    blocked = case.seen.blocked
    if blocked is not None and blocked.action != "PatchClaim":
        retry_at = blocked.retry_at
        wait = retry_at is not None and retry_at > case.now
        return Step(
            state=OperatorState.PENDING,
            said=notes.refused(blocked),
            making=True,
            actions=() if wait else creations(case),
            wake_at=retry_at if wait else None,
        )
    return replace(making(case), actions=creations(case))


_QUESTIONS: tuple[Callable[[Situation], Step | None], ...] = (
    _spec_is_unusable,
    _several_pods,
    _is_suspended,
    _waits_for_person,
    _is_exhausted,
    _is_asked_anew,
    _is_ending,
    _has_failed,
    _is_lost,
    _has_pod,
    _name_is_taken,
    _claim_cannot_be_used,
    _service_is_taken,
    _backs_off,
    _is_paused,
    _needs_admission,
)
