"""Starts that did not come up, one after the other: pods that ended before they ever ran, through no fault of the session.

A node refuses each of them, somebody deletes each of them, or each runner finds a profile or a sandbox with which it must
not go on. They are not failures, and nothing gives up on them; but the next pod waits, longer each time, or a session would
make a thousand pods in a minute. The count is in status, and a pod that runs for half a minute ends it. Which pods never
ran is what this operator has seen of them (`Observation.unstarted`): after a restart of the operator a pod that was gone
before is not counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from whatsapp_operator.api.session import RecoverySpec, RecoveryStatus, SessionStatus
from whatsapp_operator.core.model import PodFacts, PodUID
from whatsapp_operator.core.recovery import backoff
from whatsapp_operator.core.recovery.failure import Loss, is_paced


@dataclass(frozen=True, kw_only=True)
class Starts:
    """The last starts of a session."""

    since_status: Sequence[PodUID] = ()
    """ The pods that are not in status yet, oldest first. """
    unstarted: Mapping[PodUID, datetime]
    """ Those pods that never ran, with the times at which this operator saw them first. """


def with_starts(
    recovery: RecoveryStatus,
    starts: Starts,
    *,
    status: SessionStatus,
    pod: PodFacts | None,
    loss: Loss | None,
    spec: RecoverySpec,
    now: datetime,
) -> RecoveryStatus:
    """Return the record after the pods that are gone without having run, and after the present one, if it is lost.

    :param loss: why the present pod is lost.
    """
    gone = _gone(starts, status=status, present=pod.uid if pod is not None else None)
    if gone:
        failed = (recovery.failed_starts or 0) + len(gone)
        recovery = recovery.model_copy(update={"failed_starts": failed})
        recovery = _waiting(recovery, until=max(gone) + backoff.delay(spec, failures=failed), now=now)
    if pod is None or loss is None:
        return recovery
    if pod.started is None:
        delay = backoff.delay(spec, failures=(recovery.failed_starts or 0) + 1)
        return _waiting(recovery, until=starts.unstarted.get(pod.uid, pod.created) + delay, now=now)
    return _paced(recovery, ended=pod.finished or pod.created, spec=spec) if is_paced(loss) else recovery


def _paced(recovery: RecoveryStatus, *, ended: datetime, spec: RecoverySpec) -> RecoveryStatus:
    """Return the record after a runner that refused to go on; the time of the next attempt tells that it is counted."""
    if recovery.next_attempt_time is not None and recovery.next_attempt_time > ended:
        return recovery
    failed = (recovery.failed_starts or 0) + 1
    due = backoff.rounded_up(ended + backoff.delay(spec, failures=failed))
    return recovery.model_copy(update={"failed_starts": failed, "next_attempt_time": due})


def _gone(starts: Starts, *, status: SessionStatus, present: PodUID | None) -> tuple[datetime, ...]:
    """Return when those pods were created that are gone without having run, and that status does not know as gone yet."""
    before = (PodUID(status.pod_uid),) if status.pod_uid is not None and status.replicas else ()
    known = starts.unstarted
    return tuple(known[uid] for uid in (*before, *starts.since_status) if uid != present and uid in known)


def _waiting(recovery: RecoveryStatus, *, until: datetime, now: datetime) -> RecoveryStatus:
    due = backoff.rounded_up(until)
    return recovery if due <= now else recovery.model_copy(update={"next_attempt_time": due})
