"""A place is given back when its pod does not come up, and asked for again: how long that takes, and whose turn it is.

A session that is admitted holds its place while its pod starts. Some pods never do: no image, no node, a ResourceQuota.
So after some time the reservation goes, the reason stays in `status.requeue`, and after a wait the session is pending
again, as Kueue requeues a workload whose pods are not ready in time. It comes after all that were waiting by then: a
session that cannot run takes one turn, and then it is the others', however many such sessions there are.

`core.session.startup` asks for the `Place` of a session once per decision; the admission round reads the record from
status. Two things make a difference: whether somebody says why the pod cannot run (scheduler, kubelet, API server), for an
image that is being pulled and a volume that is being made say nothing; and whether a phone is linked, for an outage of
an hour must not give a live account's place to somebody else.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition, is_true
from whatsapp_operator.api.requests import HandledRequests, requested
from whatsapp_operator.api.session import OperatorState, RequeueStatus, WhatsAppSession
from whatsapp_operator.core.session.requests import request_pending

SILENT: Final = 3
""" How many times as long a pod is waited for of which nobody says that it cannot run. """
LINKED: Final = 6
""" How many times as long a session with a linked phone is waited for. """
NEW_POD: Final = 5
""" Each pod gets at least this part of the timeout, however long its predecessors took. """
FIRST_WAIT: Final = 10
""" The first wait outside is this part of the timeout; it doubles up to the timeout. """
_SECOND: Final = timedelta(seconds=1)


class Startup(NamedTuple):
    """Why a session that is admitted does not run yet."""

    pod_created: datetime | None
    """ None: it has no pod, and none can be made. """
    explained: bool
    """ Scheduler, kubelet or API server say why; else an image may be on its way, or a volume. """
    reason: str
    message: str


class Place(NamedTuple):
    """How a session stands to its place in the quota."""

    record: RequeueStatus | None
    """ Why it gave its place back, this time or before, and when it asks again; None: nothing of that holds. """
    revoked: bool
    """ The reservation in status is the one that it gave back. """
    outside: bool
    """ Its time to ask again has not come. """
    give_back_at: datetime | None
    """ When it gives its reservation back, if nothing changes; None: nothing keeps its pod from running. """
    next_record: RequeueStatus | None
    """ The record to store with that, once it is time. """


def place_of(session: WhatsAppSession, startup: Startup | None, *, timeout: timedelta, now: datetime) -> Place:
    """Return how the session stands to its place; `startup` is None while its pod runs, or nothing is in its way."""
    record, admission = stored_requeue(session), session.status.admission
    reserved_at = admission.reserved_at if admission is not None else None
    asks_at = record.requeue_at if record is not None else None
    due = _give_back_at(session, startup, timeout=timeout, now=now) if startup is not None and admission else None
    return Place(
        record=record,
        revoked=reserved_at is not None and asks_at is not None and reserved_at < asks_at,
        outside=is_outside(record, timeout=timeout, now=now),
        give_back_at=due,
        next_record=_next_record(session, startup, before=record, timeout=timeout, now=now)
        if startup is not None and due is not None and due <= now
        else None,
    )


def stored_requeue(session: WhatsAppSession) -> RequeueStatus | None:
    """Return the record that holds; None: there is none, or an edit or a new request has ended it."""
    requeue = session.status.requeue
    if requeue is None or requeue.requeue_at is None or session.is_edited:
        return None
    return None if request_pending(session, requeue.requests or HandledRequests()) else requeue


def is_outside(record: RequeueStatus | None, *, timeout: timedelta, now: datetime) -> bool:
    """Whether the time to ask again has not come. A wait that is longer than any given is that of a clock that was set."""
    due = record.requeue_at if record is not None else None
    return due is not None and now < due <= now + timeout + _SECOND


def queue_time(session: WhatsAppSession) -> datetime | None:
    """Return since when the session counts as waiting: its creation, or the end of its last wait outside.

    One whose QR codes had passed unused waits since it was asked for again, like a new session: since it is Queued, and
    until that is written it comes last.
    """
    status, record = session.status, stored_requeue(session)
    times = [session.metadata.creation_timestamp]
    if record is not None and record.requeue_at is not None:
        times.append(record.requeue_at)
    if status.link is not None and status.link.expired_time is not None:
        times.append(status.state_transition_time if status.state == OperatorState.QUEUED else None)
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def not_running_since(session: WhatsAppSession, *, now: datetime) -> datetime:
    """Return since when the session has held its reservation without a pod that is ready, as its status shows."""
    status = session.status
    ready = find_condition(status.conditions, ConditionType.POD_READY)
    if ready is not None and ready.status == ConditionStatus.TRUE:
        return now
    times = (
        status.admission.reserved_at if status.admission is not None else None,
        ready.last_transition_time if ready is not None else None,
        status.recovery.last_failure.time if status.recovery and status.recovery.last_failure else None,
    )
    return min(max((time for time in times if time is not None), default=now), now)


def _give_back_at(session: WhatsAppSession, startup: Startup, *, timeout: timedelta, now: datetime) -> datetime:
    if is_true(session.status.conditions, ConditionType.LINKED):
        patience = timeout * LINKED
    else:
        patience = timeout if startup.explained else timeout * SILENT
    due = not_running_since(session, now=now) + patience
    created = startup.pod_created
    # The API server's clock may be ahead: what it made in the future is no reason to wait.
    return due if created is None or created > now + _SECOND else max(due, created + timeout / NEW_POD)


def _next_record(
    session: WhatsAppSession, startup: Startup, *, before: RequeueStatus | None, timeout: timedelta, now: datetime
) -> RequeueStatus:
    count = 1 if before is None else before.count + 1
    # 2^10 times the first wait is beyond the timeout, so larger powers are not needed.
    wait = min(timeout / FIRST_WAIT * (1 << min(count - 1, 10)), timeout)
    requests = requested(session.metadata.annotations)
    return RequeueStatus(
        count=count,
        requeue_at=now + max(wait, _SECOND),
        reason=startup.reason,
        message=startup.message,
        requests=requests if requests != HandledRequests() else None,
    )
