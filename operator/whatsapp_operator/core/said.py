"""The whole status of a session, composed from one situation and one step. Nothing is said that was not seen.

The same situation gives the same status to the letter; at rest that is the one already stored, and nothing is written.
"""

from datetime import datetime
from decimal import Decimal

from whatsapp_operator.api.conditions import (
    Condition,
    Conditions,
    ConditionStatus,
    ConditionType,
    find_condition,
    remove_condition,
    set_condition,
)
from whatsapp_operator.api.session import AdmissionStatus, Reason, SessionStatus
from whatsapp_operator.core import names, notes
from whatsapp_operator.core.claim import claim_patch
from whatsapp_operator.core.failure import has_ended
from whatsapp_operator.core.making import Step
from whatsapp_operator.core.model import PodFacts
from whatsapp_operator.core.notes import Note
from whatsapp_operator.core.pod import fingerprint
from whatsapp_operator.core.situation import Situation
from whatsapp_operator.core.voice import Voice, voice

_TRUE, _FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
_Said = tuple[ConditionStatus, Note]


def status(case: Situation, step: Step) -> SessionStatus:
    """Return what the session's status is to be."""
    before, session, pod = case.session.status, case.session, case.pod
    speaks = voice(case, step)
    admission = _admission(case, step)
    told = case.stop is None and not session.problems  # an unusable spec names nothing
    return before.model_copy(
        update={
            "observed_generation": session.metadata.generation,
            "state": speaks.state,
            "conditions": _conditions(case, step, speaks, admission),
            "pod_name": pod.name if pod is not None else before.pod_name,
            "pod_uid": pod.uid if pod is not None else case.came[-1] if case.came else before.pod_uid,
            "pvc_name": names.profile_claim(session) if told and (step.making or pod is not None) else before.pvc_name,
            "node_name": pod.node if pod is not None else None,
            "image": pod.image if pod is not None else None,
            "token_secret_name": _secret_name(case, step),
            "endpoint": names.endpoint(session),
            "replicas": 0 if pod is None else 1,
            "selector": names.selector(session),
            "link": speaks.link,
            "admission": admission,
            "recovery": case.told_recovery,
            "handled_requests": case.handled,
        }
    )


def _secret_name(case: Situation, step: Step) -> str | None:
    if case.pod is not None and case.pod.secret_name is not None:
        return case.pod.secret_name
    if step.making:
        return names.secret_name(case.session, key_id=case.defaults.key_id, extra_ca=case.defaults.extra_ca)
    return case.session.status.token_secret_name


def _admission(case: Situation, step: Step) -> AdmissionStatus | None:
    """Return the reservation: it comes by a grant, stays while a pod object or the wish to run does, and follows the pod."""
    held, pod = case.session.status.admission, case.pod
    if pod is None:
        # Refused a larger place than it holds: holding on to the smaller one would keep others out, and two such
        # sessions could wait for each other for ever.
        refused = step.waits is not None and case.seen.refusal is not None
        return None if step.releases or refused else step.admission or held
    if held is None:  # lost from status somehow; the pod takes the place all the same
        return AdmissionStatus(
            quota_name=pod.quota or case.session.spec.quota_name, reserved_at=pod.created, memory=Decimal(pod.memory)
        )
    if held.memory is not None and 0 < pod.memory < held.memory:  # made anew with less than before
        return held.model_copy(update={"memory": Decimal(pod.memory)})
    return held


def _conditions(case: Situation, step: Step, speaks: Voice, admission: AdmissionStatus | None) -> Conditions:
    told: dict[ConditionType, _Said | None] = {
        ConditionType.READY: (speaks.ready, speaks.ready_note),
        ConditionType.LINKED: (speaks.linked, speaks.linked_note),
        ConditionType.ADMITTED: _admitted(step, admission),
        ConditionType.POD_READY: _pod_ready(case),
        ConditionType.POD_SCHEDULED: _pod_scheduled(case.pod),
        ConditionType.SUSPENDED: _suspended(case),
        ConditionType.STALLED: _stalled(case, step),
        ConditionType.RECOVERING: _recovering(step),
        ConditionType.CONFLICT: _conflict(case),
    }
    conditions = case.session.status.conditions
    for kind, said in told.items():
        conditions = (
            remove_condition(conditions, kind) if said is None else _set(conditions, kind, said, case, now=case.now)
        )
    return conditions


def _set(conditions: Conditions, kind: str, said: _Said, case: Situation, *, now: datetime) -> Conditions:
    state, (reason, message) = said
    condition = Condition(
        type=kind,
        status=state,
        reason=reason,
        message=message,
        observed_generation=case.session.metadata.generation,
    )
    return set_condition(conditions, condition, now)


def _admitted(step: Step, admission: AdmissionStatus | None) -> _Said:
    if step.waits is not None:
        return _FALSE, step.waits
    if admission is not None:
        return _TRUE, notes.admitted(admission.quota_name, admission.memory)
    if step.releases:
        return _FALSE, Note(Reason.SLOT_RELEASED, "Holds no place in a quota, because it shall not run.")
    return _FALSE, notes.WAITING_FOR_ADMISSION


def _pod_ready(case: Situation) -> _Said:
    pod = case.pod
    if pod is None:
        return _FALSE, Note(Reason.NO_POD, "There is no pod.")
    if pod.deletion is not None:
        return _FALSE, Note(Reason.POD_TERMINATING, "The pod is ending.")
    if has_ended(pod):
        return _FALSE, Note(Reason.POD_ENDED, "The runner's container has ended.")
    if pod.ready:
        outdated = not case.session.problems and pod.made_from not in ("", fingerprint(case.session, case.defaults))
        later = f" It was made before the last edit, which reaches the next pod: now, if you {notes.RESTART}."
        return _TRUE, Note(Reason.POD_READY, f"The runner serves.{later if outdated else ''}")
    if pod.started is None:
        return _FALSE, case.pending
    return _FALSE, Note(Reason.POD_NOT_READY, "The runner does not serve.")


def _pod_scheduled(pod: PodFacts | None) -> _Said | None:
    """Copied from the pod; gone with it."""
    if pod is None or pod.scheduled is None:
        return None
    said = notes.note(pod.scheduled_reason, pod.scheduled_message, otherwise=Reason.SCHEDULED)
    return (_TRUE if pod.scheduled else _FALSE), said


def _suspended(case: Situation) -> _Said | None:
    if case.session.problems:  # nobody knows; what was said last stays
        told = find_condition(case.session.status.conditions, ConditionType.SUSPENDED)
        return None if told is None else (told.status, Note(told.reason, told.message))
    if not case.suspended:
        return _FALSE, Note(Reason.NOT_SUSPENDED, "spec.operatingMode is Running.")
    return (_TRUE, notes.SUSPENDED) if case.pod is None else (_FALSE, notes.SUSPENDING)


def _stalled(case: Situation, step: Step) -> _Said:
    # A stop first, whatever else is the matter: this condition is the only memory of it.
    if case.told_stop is not None:
        return _TRUE, notes.stopped(case.told_stop, asked=case.asked_anew)
    if step.stalled is not None:
        return _TRUE, step.stalled
    blocked = case.seen.blocked
    if blocked is not None and blocked.action == "PatchClaim" and wants_claim_patch(case):
        return _TRUE, notes.resize_refused(blocked.message)
    if (fault := _resize_fault(case)) is not None:
        return _TRUE, fault
    return _FALSE, Note(Reason.NOT_STALLED, "Nothing waits for a person's decision.")


def _resize_fault(case: Situation) -> Note | None:
    """What the storage said when the claim was to grow.

    Said once: a storage that tries again takes its fault back for a moment, and words it anew each time.
    """
    claim = case.claim
    if claim is None or not (claim.resize_fault or claim.resizing):
        return None
    told = _stored(case.session.status, ConditionType.STALLED)
    if told is not None and told.reason == Reason.CLAIM_RESIZE_REFUSED:
        return told
    return notes.resize_refused(claim.resize_fault) if claim.resize_fault else None


def wants_claim_patch(case: Situation) -> bool:
    """Whether the claim is not as the spec asks."""
    claim = case.seen.claim
    return claim is not None and not case.session.problems and claim_patch(case.session, claim) is not None


def _recovering(step: Step) -> _Said:
    if step.recovering is not None:
        return _TRUE, step.recovering
    return _FALSE, Note(Reason.NOT_RECOVERING, "No pod is being replaced.")


def _conflict(case: Situation) -> _Said:
    if case.told_stop == Reason.CONFLICT:
        return _TRUE, notes.stopped(Reason.CONFLICT, asked=case.asked_anew)
    return _FALSE, Note(Reason.NO_CONFLICT, "Nobody else is known to use this session.")


def stored_recovering(before: SessionStatus) -> Note | None:
    """Return what the stored status says of recovering, when it says so."""
    return _stored(before, ConditionType.RECOVERING)


def _stored(before: SessionStatus, kind: ConditionType) -> Note | None:
    found = find_condition(before.conditions, kind)
    return Note(found.reason, found.message) if found is not None and found.status == _TRUE else None
