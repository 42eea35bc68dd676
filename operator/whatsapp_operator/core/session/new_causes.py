"""Which causes a status is the first to tell: `decide` names them, and the runtime counts them once it is written."""

from collections.abc import Iterator

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.session import RecoveryStatus, SessionStatus
from whatsapp_operator.core.recovery.cause import Counted
from whatsapp_operator.core.recovery.causes import DELETED_BEFORE_START
from whatsapp_operator.core.session.messages import stored_message
from whatsapp_operator.core.session.snapshot import Snapshot


def new_causes(snapshot: Snapshot, wanted: SessionStatus) -> tuple[str, ...]:
    """Return the names of the causes that the wanted status tells and the stored one does not."""
    return tuple(_new_causes(snapshot, wanted))


def _new_causes(snapshot: Snapshot, wanted: SessionStatus) -> Iterator[str]:
    stored, cause = snapshot.session.status, snapshot.cause
    before, after = stored.recovery or RecoveryStatus(), wanted.recovery or RecoveryStatus()
    if cause is not None:
        if cause.is_failure:
            is_new = before.last_failure != after.last_failure
        elif cause.counted is Counted.WAITS:  # what the scheduler says changes with each node
            is_new = _reason(stored, ConditionType.POD_READY) != _reason(wanted, ConditionType.POD_READY)
        else:  # each loss has its own time for the next pod
            is_new = stored_message(stored, ConditionType.RECOVERING) != stored_message(
                wanted, ConditionType.RECOVERING
            )
        if is_new:
            yield cause.name
    if _reason(wanted, ConditionType.RECOVERING) == DELETED_BEFORE_START.name:
        yield from (DELETED_BEFORE_START.name for _ in range((after.failed_starts or 0) - (before.failed_starts or 0)))


def _reason(status: SessionStatus, kind: ConditionType) -> str | None:
    found = stored_message(status, kind)
    return found.reason if found is not None else None
