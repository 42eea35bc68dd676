"""Counting failures and timing the next attempt: `status.recovery`, from one observation to the next.

The record names the pod that failed, so that each failure is counted once, however often it is observed. The count
is reset by a new generation of the spec, by a person's request, by another template than that of the pod that failed
(all are tried at once), and by a pod that has run for healthyAfter.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.session import LastFailure, RecoverySpec, RecoveryStatus, WhatsAppSession
from whatsapp_operator.core.model import PodFacts
from whatsapp_operator.core.recovery import backoff
from whatsapp_operator.core.recovery.failed_starts import Starts, with_starts
from whatsapp_operator.core.recovery.failure import Outcome
from whatsapp_operator.core.session.requests import Requests

UP_AFTER: Final = timedelta(seconds=30)
""" A pod that has run for so long is no start that failed: a runner that must not go on says so before. """


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The failures of a session, and what follows from them."""

    recovery: RecoveryStatus
    """ The record that counts in this decision. """
    status: RecoveryStatus
    """ The record to store in status. """
    pod_failed: bool
    """ The present pod has failed, and the failure is counted. """
    after_failure: bool
    """ The next pod follows a failure, not a loss or a first start. """
    exhausted: bool
    """ No further pod is created until a person asks for one or edits the spec. """
    healthy_at: datetime | None
    """ When the present pod has run long enough for a count to be reset. """
    is_new: bool
    """ A failure or a wait is not in status yet, and may get lost. """


def count_attempts(
    session: WhatsAppSession,
    *,
    requests: Requests,
    pod: PodFacts | None,
    outcome: Outcome,
    restarts: int,
    starts: Starts,
    timed: bool,
    mended: bool = False,
    now: datetime,
) -> Attempts:
    """Return the failures after the present pod's outcome was counted.

    :param restarts: number of pods that are not in status yet, without the session's very first one.
    :param starts: the last pods, and which of them never ran.
    :param timed: whether there is a next attempt to time; not when the session is suspended or on hold.
    :param mended: whether the next pod is made from another template than the one that failed (`mended`).
    """
    spec = session.spec.recovery
    recovery = stored_recovery(session, requested=requests.unrecorded or mended)
    if restarts:
        recovery = recovery.model_copy(update={"restarts": recovery.restarts + restarts})
    present = pod if pod is not None and not is_recorded(recovery, pod) else None
    if not (requests.unrecorded or mended or session.is_edited):  # all of them are tried at once
        loss = outcome.loss if present is not None else None
        recovery = with_starts(recovery, starts, status=session.status, pod=pod, loss=loss, spec=spec, now=now)
    if present is not None and outcome.loss is None:
        recovery = _with_outcome(recovery, present, outcome=outcome, spec=spec, now=now)
    if not timed:
        recovery = recovery.model_copy(update={"next_attempt_time": None, "failed_starts": None})
    before = session.status.recovery or RecoveryStatus()
    waits = recovery.next_attempt_time is not None and recovery.next_attempt_time != before.next_attempt_time
    return Attempts(
        recovery=recovery,
        status=_while_requested(recovery, session) if requests.pending else recovery,
        pod_failed=pod is not None and is_recorded(recovery, pod),
        after_failure=is_after_failure(session, recovery),
        exhausted=is_exhausted(session, recovery),
        healthy_at=_reset_at(recovery, pod, spec=spec) if pod is not None else None,
        is_new=waits or recovery.last_failure != before.last_failure,
    )


def _with_outcome(
    recovery: RecoveryStatus, pod: PodFacts, *, outcome: Outcome, spec: RecoverySpec, now: datetime
) -> RecoveryStatus:
    if outcome.failure is not None:
        return with_failure(recovery, outcome.failure, pod=pod, spec=spec)
    return recovery if pod.deletion is not None or pod.ended else with_active_pod(recovery, pod, spec=spec, now=now)


def stored_recovery(session: WhatsAppSession, *, requested: bool) -> RecoveryStatus:
    """Return the stored record; with `requested`, its count and its wait are reset."""
    recorded = _recorded(session)
    return _reset(recorded) if requested else recorded


def _while_requested(recovery: RecoveryStatus, session: WhatsAppSession) -> RecoveryStatus:
    """Return the record to store while a request is pending: with the old count, since the request may be withdrawn."""
    failures = max(recovery.consecutive_failures, _recorded(session).consecutive_failures)
    return recovery.model_copy(update={"consecutive_failures": failures})


def _recorded(session: WhatsAppSession) -> RecoveryStatus:
    """Return the stored record; its count and its wait are reset if the spec was changed since."""
    recorded = session.status.recovery or RecoveryStatus()
    return _reset(recorded) if session.is_edited else recorded


def with_active_pod(recovery: RecoveryStatus, pod: PodFacts, *, spec: RecoverySpec, now: datetime) -> RecoveryStatus:
    """Return the record while a pod is active: no wait, and after healthyAfter the count is reset."""
    up = {"failed_starts": None} if pod.started is not None and now >= pod.started + UP_AFTER else {}
    recovery = recovery.model_copy(update={"next_attempt_time": None, **up})
    healthy = healthy_at(pod, spec=spec)
    return _reset(recovery) if healthy is not None and healthy <= now else recovery


def with_failure(
    recovery: RecoveryStatus, failure: LastFailure, *, pod: PodFacts, spec: RecoverySpec
) -> RecoveryStatus:
    """Return the record with this failure counted; the same one if it is counted already."""
    if is_recorded(recovery, pod):
        return recovery
    healthy = healthy_at(pod, spec=spec)
    reset = healthy is not None and failure.time is not None and healthy <= failure.time
    failures = 1 if reset else recovery.consecutive_failures + 1
    exhausted = backoff.is_exhausted(spec, failures=failures)
    next_attempt = None if exhausted or failure.time is None else failure.time + backoff.delay(spec, failures=failures)
    return recovery.model_copy(
        update={
            "consecutive_failures": failures,
            "last_failure": failure.model_copy(update={"image": pod.image, "template_hash": pod.template_hash or None}),
            "next_attempt_time": next_attempt and backoff.rounded_up(next_attempt),
        }
    )


def is_recorded(recovery: RecoveryStatus, pod: PodFacts) -> bool:
    """Whether this pod's failure is in the record."""
    return recovery.last_failure is not None and recovery.last_failure.pod_uid == pod.uid


def is_after_failure(session: WhatsAppSession, recovery: RecoveryStatus) -> bool:
    """Whether the next pod follows a failure, not a loss or a first start; only such pods wait for the breaker."""
    failure = recovery.last_failure
    return recovery.consecutive_failures > 0 and failure is not None and failure.pod_uid == session.status.pod_uid


def healthy_at(pod: PodFacts, *, spec: RecoverySpec) -> datetime | None:
    """Return when the pod has run for healthyAfter; None: it did not start, or it ended before."""
    if pod.started is None:
        return None
    due = pod.started + spec.healthy_after
    return None if pod.ended and pod.finished is not None and pod.finished < due else due


def _reset_at(recovery: RecoveryStatus, pod: PodFacts, *, spec: RecoverySpec) -> datetime | None:
    healthy = healthy_at(pod, spec=spec)
    if healthy is None or pod.started is None or not recovery.failed_starts:
        return healthy
    return min(healthy, pod.started + UP_AFTER)


def is_exhausted(session: WhatsAppSession, recovery: RecoveryStatus) -> bool:
    """Whether no further pod is created until a person asks for one or edits the spec."""
    return backoff.is_exhausted(session.spec.recovery, failures=recovery.consecutive_failures)


def _reset(recovery: RecoveryStatus) -> RecoveryStatus:
    return recovery.model_copy(update={"consecutive_failures": 0, "failed_starts": None, "next_attempt_time": None})
