"""Reservations, read from sessions and pods, and the status of a quota that follows from them.

The admission round reads them from one LIST each of sessions, pods and quotas; `admit` decides by them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.conditions import Condition, ConditionStatus, Reason, set_condition
from whatsapp_operator.api.invalid import InvalidObject
from whatsapp_operator.api.quota import QuotaSpec, QuotaStatus, WhatsAppSessionQuota
from whatsapp_operator.api.resources import effective
from whatsapp_operator.api.session import OperatingMode, WhatsAppSession
from whatsapp_operator.core.model import AssumedReservation, Seal, SessionUID
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.quota.eligibility import is_on_hold
from whatsapp_operator.core.quota.not_running import NotRunning, named
from whatsapp_operator.core.quota.requeue import queue_time

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
    storage: int | None = None
    """ Bytes; None: nobody asked for it, because the quota does not limit storage. """

    def is_met_by(self, assumed: AssumedReservation) -> bool:
        """Whether an assumed reservation equals this one; after an edit of the spec it may not."""
        return (assumed.quota_name, assumed.memory, assumed.storage) == (self.quota, self.memory, self.storage)


class Need(NamedTuple):
    """What a session's pod, created now, would need."""

    wanted: Reservation
    missing: Reservation | None
    """ The reservation to ask for; None: the one in status is enough. """
    assumed: AssumedReservation | None
    """ What the last admission round assumed for the session, if that meets the reservation. """


@dataclass(frozen=True, kw_only=True)
class PendingSession:
    """A session that wants to run and has no reservation that fits it."""

    session: WhatsAppSession
    since: datetime
    """ Since when it counts as waiting: its creation, or the end of its last wait outside. """
    reservation: Reservation
    """ The reservation it wants. """


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of one quota is taken, and how many sessions wait for it."""

    admitted: int = 0
    waiting: int = 0
    memory: int = 0
    """ Bytes. """
    storage: int = 0
    """ Bytes; 0 where the quota does not limit it. """
    not_running: tuple[NotRunning, ...] = ()
    """ The admitted sessions that have had no running pod for some time. """


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What is known of a session's storage when its need is asked for."""

    limited: bool = False
    """ Its quota limits storage. """
    existing: int = 0
    """ Bytes of the claim that it has; 0: none. """


UNLIMITED: Final = Claimed()


def wanted_storage(session: WhatsAppSession) -> int:
    """Return the size of the claim that the operator makes for the session, in bytes. The spec must be valid."""
    return int(session.spec.profile.wanted_size or 0)


def _wanted_reservation(session: WhatsAppSession, claimed: Claimed) -> Reservation:
    return Reservation(
        session_uid=names.session_uid(session),
        quota=session.spec.quota_name,
        namespace=session.metadata.namespace,
        memory=int(effective(session.spec.resources).limits.memory),
        storage=wanted_storage(session) if claimed.limited else None,
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
        storage=None if admission.storage is None else int(admission.storage),
    )


def sealed_reservation(seal: Seal, *, namespace: str, memory: int) -> Reservation:
    """Return the reservation of a sealed pod, which counts until the object is gone, even after the pod ended.

    :param memory: what it counts (`core.objects.pod_memory`).
    """
    return Reservation(session_uid=seal.session_uid, quota=seal.quota, namespace=namespace, memory=memory)


def need_of(session: WhatsAppSession, *, assumed: AssumedReservation | None, claimed: Claimed = UNLIMITED) -> Need:
    """Return what a pod created now would need. The spec must be valid."""
    reserved, wanted = stored_reservation(session), _wanted_reservation(session, claimed)
    fits = (
        reserved is not None
        and reserved.quota == wanted.quota
        and reserved.memory >= wanted.memory
        # Admitted before there was a limit: what it has it may keep.
        and (wanted.storage or 0) <= (claimed.existing if reserved.storage is None else reserved.storage)
    )
    met = assumed is not None and wanted.is_met_by(assumed)
    return Need(wanted, None if fits else wanted, assumed if met else None)


def needs_of(session: WhatsAppSession, *, assumed: AssumedReservation | None, claimed: Claimed) -> tuple[Need, bool]:
    """Return what a pod created now would need, and whether the quota has counted a claim of the spec's size."""
    reserved = stored_reservation(session)
    counted = reserved is not None and wanted_storage(session) <= (reserved.storage or 0)
    return need_of(session, assumed=assumed, claimed=claimed), counted or not claimed.limited


def covers(reservation: Reservation, assumed: AssumedReservation) -> bool:
    """Whether a reservation includes the assumed one, which then need not be counted any more."""
    return (
        reservation.quota == assumed.quota_name
        and reservation.memory >= assumed.memory
        and (reservation.storage or 0) >= (assumed.storage or 0)
    )


def pending_session(session: WhatsAppSession, claimed: Claimed = UNLIMITED) -> PendingSession | None:
    """Return the session as pending; None when it must not run, is on hold, or has the reservation it needs.

    Whether it has a pod is not checked here: the LIST of pods shows that.
    """
    metadata = session.metadata
    if metadata.deletion_timestamp is not None or session.problems:
        return None
    if session.spec.operating_mode is not OperatingMode.RUNNING:
        return None
    missing = need_of(session, assumed=None, claimed=claimed).missing
    if missing is None or is_on_hold(session):
        return None
    since = queue_time(session) or datetime.max.replace(tzinfo=UTC)
    return PendingSession(session=session, since=since, reservation=missing)


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
        storage_reserved=Decimal(usage.storage) if limits_storage(quota) else None,
        not_running=len(usage.not_running) or None,
        not_running_sessions=named(usage.not_running) or None,
        conditions=set_condition(quota.status.conditions, condition, now),
    )


def limits_storage(quota: WhatsAppSessionQuota | None) -> bool:
    """Whether the quota limits storage; one that is not there or cannot be read admits nobody anyway."""
    return quota is not None and quota.stored_spec is not None and quota.stored_spec.storage is not None


def _over(spec: QuotaSpec, usage: Usage) -> str:
    over = []
    if spec.sessions is not None and usage.admitted > spec.sessions:
        over.append(f"{usage.admitted} of {spec.sessions} sessions")
    if spec.memory is not None and usage.memory > spec.memory:
        over.append(f"{format_quantity(Decimal(usage.memory))} of {format_quantity(spec.memory)} memory")
    if spec.storage is not None and usage.storage > spec.storage:
        over.append(f"{format_quantity(Decimal(usage.storage))} of {format_quantity(spec.storage)} storage")
    return ", ".join(over)
