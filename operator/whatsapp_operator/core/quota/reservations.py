"""Reservations, read from sessions and pods, and the status of a quota that follows from them.

The admission round reads them from one LIST each of sessions, pods and quotas; `admit` decides by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.conditions import Condition, ConditionStatus, Reason, set_condition
from whatsapp_operator.api.invalid import InvalidObject
from whatsapp_operator.api.quota import QuotaSpec, QuotaStatus, WhatsAppSessionQuota
from whatsapp_operator.api.resources import effective
from whatsapp_operator.api.session import OperatingMode, WhatsAppSession
from whatsapp_operator.core.model import AssumedReservation, SessionUID
from whatsapp_operator.core.objects import names, ownership
from whatsapp_operator.core.objects.facts import memory_limits
from whatsapp_operator.core.objects.reading import part, text
from whatsapp_operator.core.quota.eligibility import is_on_hold

WITHIN_LIMITS: Final = "WithinLimits"
""" A quota's condition: False after its limits were lowered below what is admitted. No session is stopped for that. """
LIMITS_EXCEEDED: Final = "LimitsExceeded"


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The share of a quota that one session takes: by its status, by its pod, or assumed."""

    session_uid: SessionUID
    quota: str
    namespace: str
    memory: int
    """ Bytes. """

    def is_met_by(self, assumed: AssumedReservation) -> bool:
        """Whether an assumed reservation equals this one; after an edit of the spec it may not."""
        return (assumed.quota_name, assumed.memory) == (self.quota, self.memory)


@dataclass(frozen=True, kw_only=True)
class PendingSession:
    """A session that wants to run and has no reservation that fits it."""

    created: datetime
    reservation: Reservation
    """ The reservation it wants. """


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of one quota is taken, and how many sessions wait for it."""

    admitted: int = 0
    waiting: int = 0
    memory: int = 0
    """ Bytes. """


def wanted_reservation(session: WhatsAppSession) -> Reservation:
    """Return the reservation that a pod created now would need. The spec must be valid."""
    return Reservation(
        session_uid=names.session_uid(session),
        quota=session.spec.quota_name,
        namespace=session.metadata.namespace,
        memory=int(effective(session.spec.resources).limits.memory),
    )


def stored_reservation(session: WhatsAppSession) -> Reservation | None:
    """Return the reservation in the session's status."""
    admission = session.status.admission
    if admission is None:
        return None
    return Reservation(
        session_uid=names.session_uid(session),
        quota=admission.quota_name,
        namespace=session.metadata.namespace,
        memory=int(admission.memory or 0),
    )


def pod_reservation(pod: Mapping[str, Any]) -> Reservation | None:
    """Return the reservation of a pod, which counts until the object is gone, even after the pod ended.

    None for a pod that belongs to no session or quota.
    """
    uid, quota = ownership.session_uid(pod), ownership.quota_name(pod)
    if uid is None or quota is None:
        return None
    return Reservation(
        session_uid=uid,
        quota=quota,
        namespace=text(part(pod, "metadata"), "namespace"),
        memory=memory_limits(part(pod, "spec")),
    )


def missing_reservation(session: WhatsAppSession) -> Reservation | None:
    """Return the reservation that a pod created now would need; None when the one in status is enough."""
    reserved, wanted = stored_reservation(session), wanted_reservation(session)
    fits = reserved is not None and reserved.quota == wanted.quota and reserved.memory >= wanted.memory
    return None if fits else wanted


def covers(reservation: Reservation, assumed: AssumedReservation) -> bool:
    """Whether a reservation includes the assumed one, which then need not be counted any more."""
    return reservation.quota == assumed.quota_name and reservation.memory >= assumed.memory


def pending_session(session: WhatsAppSession) -> PendingSession | None:
    """Return the session as pending; None when it must not run, is on hold, or has the reservation it needs.

    Whether it has a pod is not checked here: the LIST of pods shows that.
    """
    metadata = session.metadata
    if metadata.deletion_timestamp is not None or session.problems:
        return None
    if session.spec.operating_mode is not OperatingMode.RUNNING:
        return None
    missing = missing_reservation(session)
    if missing is None or is_on_hold(session):
        return None
    created = metadata.creation_timestamp or datetime.max.replace(tzinfo=UTC)
    return PendingSession(created=created, reservation=missing)


def quota_status(quota: WhatsAppSessionQuota, *, usage: Usage, now: datetime) -> QuotaStatus:
    """Return the status that the quota should have."""
    generation = quota.metadata.generation
    status, reason, message = ConditionStatus.TRUE, WITHIN_LIMITS, "The admitted sessions are within the limits."
    try:
        if over := _over(quota.spec, usage):
            status, reason = ConditionStatus.FALSE, LIMITS_EXCEEDED
            message = f"More is admitted than the limits allow ({over}). No session is stopped for that; no new one is admitted."
    except InvalidObject as error:
        status, reason = ConditionStatus.UNKNOWN, Reason.INVALID_OBJECT
        message = f"No session is admitted until the spec is corrected: {error}."
    condition = Condition(
        type=WITHIN_LIMITS, status=status, reason=reason, message=message, observed_generation=generation
    )
    return QuotaStatus(
        observed_generation=generation,
        admitted=usage.admitted,
        waiting=usage.waiting,
        memory_reserved=Decimal(usage.memory),
        conditions=set_condition(quota.status.conditions, condition, now),
    )


def _over(spec: QuotaSpec, usage: Usage) -> str:
    over = []
    if spec.sessions is not None and usage.admitted > spec.sessions:
        over.append(f"{usage.admitted} of {spec.sessions} sessions")
    if spec.memory is not None and usage.memory > spec.memory:
        over.append(f"{format_quantity(Decimal(usage.memory))} of {format_quantity(spec.memory)} memory")
    return ", ".join(over)
