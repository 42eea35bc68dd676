"""The rules about a session that is admitted and does not run: its pod is replaced, or its place is given back.

`rules` asks `with_pod` or `without_pod`. Why the pod is deleted is in status before that, because nothing shows it
afterwards; and so is the record by which the session asks for a place again, because the place goes with the pod.
"""

from session_protocol.times import format_time

from whatsapp_operator.api.session import OperatorState, Reason, RequeueStatus
from whatsapp_operator.core.decision import DeletePod
from whatsapp_operator.core.model import PodFacts
from whatsapp_operator.core.session import messages
from whatsapp_operator.core.session.create import Step
from whatsapp_operator.core.session.messages import ReasonMessage, reason_message
from whatsapp_operator.core.session.snapshot import Snapshot
from whatsapp_operator.core.session.startup import REPLACED_FOR


def with_pod(snapshot: Snapshot, pod: PodFacts) -> Step | None:
    """Return the step for a pod that never ran and shall not be waited for any longer; None: no rule is about it."""
    review = snapshot.startup
    if pod.ran or pod.ended:
        return None
    if review.place.record is not None and review.place.revoked:
        return _replacing(pod, _timed_out(_cause(review.place.record), snapshot))
    if pod.deletion is not None:
        return _same_message(snapshot, pod)
    if review.replaced_for is not None:
        return _replacing(pod, review.replaced_for)
    if review.place.next_record is not None:
        record = review.place.next_record
        return _replacing(pod, _timed_out(_cause(record), snapshot), record=record)
    return None


def without_pod(snapshot: Snapshot) -> Step | None:
    """Return the step of a session that gives its place back or waits outside; None: it may have a pod."""
    place = snapshot.startup.place
    if place.next_record is not None:
        return _outside(snapshot, place.next_record)
    if place.record is not None and (place.revoked or (place.outside and snapshot.need.missing is not None)):
        return _outside(snapshot, place.record)
    return None


def with_cause(message: ReasonMessage, record: RequeueStatus) -> ReasonMessage:
    """Return why a session is not admitted, with why its last pod did not run: else nothing would tell it any more."""
    reason, text = _cause(record)
    return reason_message(
        message.reason, f"{message.message} Its last pod never ran ({reason}: {text})", fallback=message.reason
    )


def _same_message(snapshot: Snapshot, pod: PodFacts) -> Step | None:
    """Return the step that keeps saying why the pod is replaced, while it goes."""
    stored = messages.stored_recovering(snapshot.session.status)
    return None if stored is None or stored.reason not in REPLACED_FOR else _replacing(pod, stored)


def _replacing(pod: PodFacts, message: ReasonMessage, *, record: RequeueStatus | None = None) -> Step:
    delete = DeletePod(name=pod.name, uid=pod.uid, reason=message.reason)
    return Step(
        state=OperatorState.RECOVERING,
        ready=message,
        recovering=message,
        actions=() if pod.deletion is not None else (delete,),
        status_first=True,
        requeue=record,
    )


def _outside(snapshot: Snapshot, record: RequeueStatus) -> Step:
    cause = _cause(record)
    when = "" if record.requeue_at is None else f", at {format_time(record.requeue_at)} at the earliest"
    text = (
        f"The session gave its place in the quota {snapshot.session.spec.quota_name} back, because its pod never ran, and "
        f"asks for it again in its turn{when}, or at once after an edit. {cause.reason}: {cause.message}"
    )
    return Step(
        state=OperatorState.QUEUED,
        ready=reason_message(cause.reason, text, fallback=Reason.POD_START_TIMEOUT),
        not_admitted=reason_message(Reason.POD_START_TIMEOUT, text, fallback=Reason.POD_START_TIMEOUT),
        releases_reservation=True,
        requeue=record,
        requeue_at=record.requeue_at,
    )


def _timed_out(cause: ReasonMessage, snapshot: Snapshot) -> ReasonMessage:
    # Without a time: it must be the same at the next look, which knows by it that it is stored.
    text = (
        f"The pod never ran, so it is deleted, and the session gives its place in the quota "
        f"{snapshot.session.spec.quota_name} back for a while. {cause.reason}: {cause.message}"
    )
    return reason_message(Reason.POD_START_TIMEOUT, text, fallback=Reason.POD_START_TIMEOUT)


def _cause(record: RequeueStatus) -> ReasonMessage:
    return ReasonMessage(record.reason or str(Reason.POD_STARTING), record.message or "")
