"""Times in status are checked for sense before anything is decided by them.

They were written by another process, whose clock may have been wrong, or by a person. A next attempt ten years ahead
would never come, a reservation or a state from next year would never be old. What cannot be is replaced, and so written anew; what
is only old needs no correction, because all that waits for it is due then.
"""

from datetime import datetime, timedelta
from typing import Final

from session_protocol.times import whole_seconds

from whatsapp_operator.api.session import AdmissionStatus, RecoveryStatus, WhatsAppSession
from whatsapp_operator.core.recovery.backoff import MAX_DELAY

TOLERANCE: Final = timedelta(minutes=1)
""" What an earlier process's clock may have been ahead without a correction: else each change of hands would write. """


def with_sensible_times(session: WhatsAppSession, *, now: datetime) -> WhatsAppSession:
    """Return the session with the times of its status corrected; itself, if there is nothing to correct."""
    status = session.status
    recovery, admission = _recovery(status.recovery, now=now), _admission(status.admission, now=now)
    since = status.state_transition_time
    if since is not None and since > now + TOLERANCE:
        since = whole_seconds(now)
    if recovery is status.recovery and admission is status.admission and since is status.state_transition_time:
        return session
    corrected = status.model_copy(update={"recovery": recovery, "admission": admission, "state_transition_time": since})
    return session.with_status(corrected)


def _recovery(recovery: RecoveryStatus | None, *, now: datetime) -> RecoveryStatus | None:
    if recovery is None:
        return None
    update: dict[str, object] = {}
    due, failure = recovery.next_attempt_time, recovery.last_failure
    if due is not None and due > now + MAX_DELAY + TOLERANCE:
        update["next_attempt_time"] = now
    if failure is not None and failure.time is not None and failure.time > now + TOLERANCE:
        update["last_failure"] = failure.model_copy(update={"time": now})
    return recovery.model_copy(update=update) if update else recovery


def _admission(admission: AdmissionStatus | None, *, now: datetime) -> AdmissionStatus | None:
    if admission is None or admission.reserved_at is None or admission.reserved_at <= now + TOLERANCE:
        return admission
    return admission.model_copy(update={"reserved_at": now})
