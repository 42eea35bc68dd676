"""Who holds a place in a quota without running, for the quota's status and for those who wait for a place.

A session is named only after `USUAL_START`: each one that is admitted takes some seconds to start, and is no news.
Names of another namespace are for those who may read the quota; a session that waits reads those of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.quota import MOST_NOT_RUNNING, NotRunningSession
from whatsapp_operator.api.session import Reason, WhatsAppSession
from whatsapp_operator.core.quota.requeue import not_running_since

USUAL_START: Final = timedelta(minutes=1)
""" A pod that starts as it should is running by then. """
_MOST_NAMED: Final = 3
""" Sessions that a message names. """


class NotRunning(NamedTuple):
    """An admitted session without a running pod."""

    since: datetime
    namespace: str
    name: str
    reason: str


def find_not_running(session: WhatsAppSession, *, now: datetime) -> NotRunning | None:
    """Return an admitted session as one that does not run, by its status; None: it runs, or has just begun to start."""
    metadata, conditions = session.metadata, session.status.conditions
    if metadata.deletion_timestamp is not None:
        since, reason = metadata.deletion_timestamp, "Deleting"
    else:
        pod_ready, ready = (
            find_condition(conditions, ConditionType.POD_READY),
            find_condition(conditions, ConditionType.READY),
        )
        if pod_ready is None or pod_ready.status == ConditionStatus.TRUE or pod_ready.reason == Reason.POD_NOT_READY:
            return None
        since = not_running_since(session, now=now)
        reason = ready.reason if ready is not None and ready.status != ConditionStatus.TRUE else Reason.NO_POD
    if since + USUAL_START > now:
        return None
    return NotRunning(since, metadata.namespace, metadata.name, str(reason))


def named(found: Iterable[NotRunning]) -> tuple[NotRunningSession, ...]:
    """Return those that have not run for longest, as the quota's status has them."""
    return tuple(
        NotRunningSession(namespace=one.namespace, name=one.name, since=one.since, reason=one.reason)
        for one in sorted(found)[:MOST_NOT_RUNNING]
    )


def remedy(found: Sequence[NotRunning], *, quota: str, namespace: str) -> str:
    """Return what can be done about a limit that is reached, for a session of this namespace."""
    if not found:
        return "Please terminate some sessions first."
    own = sorted(one for one in found if one.namespace == namespace)
    names = ", ".join(f"{one.name}: {one.reason}" for one in own[:_MOST_NAMED])
    more = f" and {len(own) - _MOST_NAMED} more" if len(own) > _MOST_NAMED else ""
    ours = f", in this namespace {names}{more}" if names else ""
    count = "1 of the admitted sessions does" if len(found) == 1 else f"{len(found)} of the admitted sessions do"
    return (
        f"{count} not run{ours}. A place whose pod never runs is given back by itself; to have one sooner, mend or terminate "
        f"those (kubectl describe wasq {quota} names them)."
    )
