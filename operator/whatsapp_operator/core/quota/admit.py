"""Which sessions are admitted: one admission round takes the objects of a LIST, returns reservations and refusals.

A session may show its reservation in several places: in status, by its pod, or as assumed. It counts once per quota, by
the session's UID, with the largest memory of them. The assumed reservations must be copied before the LIST: one that is
written to status in between is then seen twice, which the UID makes one, and never missed.

Sessions are served in the order of their creation, those of one namespace by their priority (`queue_order`); one whose pod
did not run in time waits outside for a while, and then comes after those that were waiting by then (`requeue`). All that
fit are admitted in one round, so a small session may pass a large one that waits.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.conditions import Reason
from whatsapp_operator.api.invalid import InvalidObject
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.quota import QuotaSpec, WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import AssumedReservation, Defaults, Refusal, SealedKind, SessionUID
from whatsapp_operator.core.objects.ownership import ReadSeal, no_seal, prove
from whatsapp_operator.core.objects.pod_memory import counted_memory
from whatsapp_operator.core.objects.reading import part, text
from whatsapp_operator.core.quota.not_running import NotRunning, find_not_running, remedy
from whatsapp_operator.core.quota.queue_order import in_order
from whatsapp_operator.core.quota.requeue import is_outside, stored_requeue
from whatsapp_operator.core.quota.reservations import (
    PendingSession,
    Reservation,
    Usage,
    limits_storage,
    pending_session,
    sealed_reservation,
    stored_reservation,
)
from whatsapp_operator.core.quota.storage import Claims, claim_key


@dataclass(frozen=True, kw_only=True)
class AdmissionResult:
    """What a round decided."""

    assumed_reservations: tuple[AssumedReservation, ...]
    """ The new ones: to be kept in memory until they are in status. """
    withdrawn: frozenset[SessionUID]
    """ Sessions whose assumed reservation is void: deleted, not pending any more, or it is in their status. """
    refusals: Mapping[SessionUID, Refusal]
    """ Why each pending session was not admitted. """
    usage: Mapping[str, Usage]
    """ By quota, new reservations included; every existing quota is there. """


@dataclass(kw_only=True)
class _Ledger:
    """The reservations of one quota; it grows during the round."""

    reservations: dict[SessionUID, Reservation] = field(default_factory=dict)
    memory: int = 0
    by_namespace: Counter[str] = field(default_factory=Counter)
    claims: dict[ObjectKey, int] = field(default_factory=dict)
    """ Bytes, by claim. """
    storage: int = 0
    not_running: list[NotRunning] = field(default_factory=list)

    def add(self, reservation: Reservation) -> None:
        known = self.reservations.get(reservation.session_uid)
        if known is not None and known.memory >= reservation.memory:
            return
        self.memory += reservation.memory - (known.memory if known is not None else 0)
        self.by_namespace[reservation.namespace] += known is None
        self.reservations[reservation.session_uid] = reservation

    def add_claim(self, key: ObjectKey, size: int) -> None:
        self.storage += max(0, size - self.claims.get(key, 0))
        self.claims[key] = max(size, self.claims.get(key, 0))


def admit(
    *,
    sessions: Iterable[WhatsAppSession],
    pods: Iterable[Mapping[str, Any]],
    quotas: Iterable[WhatsAppSessionQuota],
    assumed_reservations: Iterable[AssumedReservation],
    pvcs: Iterable[Mapping[str, Any]] = (),
    read_seal: ReadSeal = no_seal,
    declined: Collection[SessionUID] = (),
    pod_start_timeout: timedelta = Defaults.pod_start_timeout,
    now: datetime,
) -> AdmissionResult:
    """Return whom one round admits and refuses.

    :param sessions: all sessions of the LIST.
    :param pods: all pods with our labels, as JSON; those that belong to no session, as far as they prove, do not count.
    :param quotas: all quotas.
    :param pvcs: all PVCs with our labels, as JSON. They may be a little older than the rest: an admitted session counts
        its claim's size itself, so a claim must be known by the time when its session lets go of its reservation.
    :param declined: sessions that can use no place now, as their workers say: their claim is being deleted, say. One that
        is being deleted itself and has no pod then gives its place back, whoever's finalizer keeps it.
    :param pod_start_timeout: the longest wait outside that the operator gives.
    :param assumed_reservations: those not confirmed yet, copied before the LIST was made.
    """
    sessions, limits = tuple(sessions), {quota.name: quota for quota in quotas}
    by_uid = {SessionUID(session.metadata.uid): session for session in sessions}
    pod_reservations, with_pod = _pod_reservations(pods, by_uid, read_seal)
    known_claims = Claims(pvcs, quotas=limits, read_seal=read_seal)
    pending_by_uid = {
        pending.session.metadata.uid: pending
        for session in sessions
        if not session.problems
        and session.metadata.uid not in with_pod
        and session.metadata.uid not in declined
        and (pending := pending_session(session, known_claims.of(session))) is not None
    }
    outside = {
        uid
        for uid, pending in pending_by_uid.items()
        if is_outside(stored_requeue(pending.session), timeout=pod_start_timeout, now=now)
    }
    assumed_by_uid = {assumed.session_uid: assumed for assumed in assumed_reservations}
    withdrawn = frozenset(
        uid
        for uid, assumed in assumed_by_uid.items()
        if uid in outside or not _is_valid(assumed, pending_by_uid.get(uid))
    )

    ledgers = _counted(
        sessions,
        [*pod_reservations, *_stored_reservations(sessions, with_pod=with_pod, declined=declined)],
        [(assumed, by_uid[uid]) for uid, assumed in assumed_by_uid.items() if uid not in withdrawn],
        known_claims,
        quotas=limits,
    )
    for session in sessions:
        _add_if_not_running(ledgers, session, now=now)
    waiting = Counter(pending_by_uid[uid].reservation.quota for uid in outside)
    passed_over = outside | (assumed_by_uid.keys() - withdrawn)
    newly_assumed, refused = [], []
    for pending in in_order(pending for uid, pending in pending_by_uid.items() if uid not in passed_over):
        reservation = pending.reservation
        ledger = ledgers.setdefault(reservation.quota, _Ledger())
        if _refusal(limits.get(reservation.quota), ledger, pending) is not None:
            refused.append(pending)
            waiting[reservation.quota] += 1
            continue
        ledger.add(reservation)
        ledger.add_claim(claim_key(pending.session), reservation.storage or 0)
        newly_assumed.append(
            AssumedReservation(
                session_uid=reservation.session_uid,
                quota_name=reservation.quota,
                memory=reservation.memory,
                storage=reservation.storage,
                reserved_at=now,
            )
        )
    # By what is taken at the end, so that the next round, which finds it taken, says the same.
    refusals = {
        pending.reservation.session_uid: refusal
        for pending in refused
        if (refusal := _refusal(limits.get(pending.reservation.quota), ledgers[pending.reservation.quota], pending))
    }
    usage = {
        name: Usage(
            admitted=len(ledger.reservations),
            waiting=waiting[name],
            memory=ledger.memory,
            storage=ledger.storage if limits_storage(limits.get(name)) else 0,
            not_running=tuple(ledger.not_running),
        )
        for name, ledger in ledgers.items()
    }
    return AdmissionResult(
        assumed_reservations=tuple(newly_assumed), withdrawn=withdrawn, refusals=refusals, usage=usage
    )


def _counted(
    sessions: Iterable[WhatsAppSession],
    reservations: Iterable[Reservation],
    assumed_reservations: Iterable[tuple[AssumedReservation, WhatsAppSession]],
    claims: Claims,
    *,
    quotas: Iterable[str],
) -> dict[str, _Ledger]:
    """Return the ledgers before anybody is admitted, one for each quota that there is or that somebody names."""
    ledgers = {name: _Ledger() for name in quotas}
    for reservation in reservations:
        ledgers.setdefault(reservation.quota, _Ledger()).add(reservation)
    for assumed, session in assumed_reservations:
        ledger = ledgers.setdefault(assumed.quota_name, _Ledger())
        ledger.add(_as_reservation(assumed, session))
        ledger.add_claim(claim_key(session), assumed.storage or 0)
    for claim in claims.sealed:
        ledgers.setdefault(claim.seal.quota, _Ledger()).add_claim(claim.key, claim.seal.storage)
    for session in sessions:
        if session.status.admission is not None and (size := claims.reserved_by(session)):
            ledgers[session.status.admission.quota_name].add_claim(claim_key(session), size)
    return ledgers


def _stored_reservations(
    sessions: Iterable[WhatsAppSession], *, with_pod: Collection[SessionUID], declined: Collection[SessionUID]
) -> Iterator[Reservation]:
    """Return what stands in status, but for a session that is being deleted and whose worker makes no pod any more."""
    for session in sessions:
        uid = session.metadata.uid
        leaves = session.metadata.deletion_timestamp is not None and uid in declined and uid not in with_pod
        if not leaves and (reservation := stored_reservation(session)) is not None:
            yield reservation


def _pod_reservations(
    pods: Iterable[Mapping[str, Any]], by_uid: Mapping[SessionUID, WhatsAppSession], read_seal: ReadSeal
) -> tuple[list[Reservation], set[SessionUID]]:
    """Return the reservations of sealed pods, and the sessions that have an admitted pod and so are not pending.

    A pod without a seal was made by an older operator or by a person. It counts with what its session was admitted
    with, and if that is nothing, not at all: else whoever may create pods could take a place without asking for it.
    """

    def namespace_of(uid: SessionUID) -> str | None:
        return by_uid[uid].metadata.namespace if uid in by_uid else None

    reservations, with_pod = [], set()
    for pod in pods:
        proof = prove(pod, SealedKind.POD, namespace_of=namespace_of, read_seal=read_seal)
        if proof is None:
            continue
        if proof.seal is not None:
            namespace = text(part(pod, "metadata"), "namespace")
            reservations.append(
                sealed_reservation(proof.seal, namespace=namespace, memory=counted_memory(pod, proof.seal))
            )
        if proof.seal is not None or stored_reservation(by_uid[proof.session_uid]) is not None:
            with_pod.add(proof.session_uid)
    return reservations, with_pod


def _add_if_not_running(ledgers: Mapping[str, _Ledger], session: WhatsAppSession, *, now: datetime) -> None:
    admission = session.status.admission
    ledger = ledgers.get(admission.quota_name) if admission is not None else None
    if ledger is None or session.metadata.uid not in ledger.reservations:
        return
    if (found := find_not_running(session, now=now)) is not None:
        ledger.not_running.append(found)


def _is_valid(assumed: AssumedReservation, pending: PendingSession | None) -> bool:
    return pending is not None and pending.reservation.is_met_by(assumed)


def _as_reservation(assumed: AssumedReservation, session: WhatsAppSession) -> Reservation:
    return Reservation(
        session_uid=assumed.session_uid,
        quota=assumed.quota_name,
        namespace=session.metadata.namespace,
        memory=assumed.memory,
    )


def _refusal(quota: WhatsAppSessionQuota | None, ledger: _Ledger, pending: PendingSession) -> Refusal | None:
    """Return why the session cannot be admitted now, or None."""
    name = pending.reservation.quota
    if quota is None:
        return Refusal(
            reason=Reason.QUOTA_NOT_FOUND,
            message=f"The quota {name} does not exist. Create a WhatsAppSessionQuota of that name, or set spec.quotaName "
            "to an existing one (kubectl get wasq).",
        )
    try:
        limits = quota.spec
    except InvalidObject as error:
        return Refusal(
            reason=Reason.INVALID_OBJECT, message=f"The quota {name} has an invalid spec: {error}. Correct it."
        )
    message = _exceeded(limits, ledger, pending)
    return None if message is None else Refusal(reason=Reason.QUOTA_EXCEEDED, message=message)


def _exceeded(limits: QuotaSpec, ledger: _Ledger, pending: PendingSession) -> str | None:
    reservation = pending.reservation
    namespace = reservation.namespace

    def to_do(*, within: str | None = None) -> str:
        # Its own place, which it gives back when it is refused a larger one, is in nobody's way.
        others = [
            found
            for found in ledger.not_running
            if (found.namespace, found.name) != pending.session.key and within in (None, found.namespace)
        ]
        return remedy(others, quota=reservation.quota, namespace=namespace)

    # Its own smaller reservation, left from a pod that is gone, does not count against the larger one.
    own = ledger.reservations.get(reservation.session_uid)
    one, memory = (1, reservation.memory) if own is None else (0, reservation.memory - own.memory)
    if limits.sessions is not None and len(ledger.reservations) + one > limits.sessions:
        return f"Maximum concurrent sessions limit reached ({limits.sessions}). {to_do()}"
    if limits.memory is not None and ledger.memory + memory > limits.memory:
        return f"Maximum session memory limit reached ({format_quantity(limits.memory)}). {to_do()}"
    grows = (reservation.storage or 0) - ledger.claims.get(claim_key(pending.session), 0)
    if limits.storage is not None and grows > 0 and ledger.storage + grows > limits.storage:
        return (
            f"Maximum session storage limit reached ({format_quantity(limits.storage)}). "
            "Please delete some sessions first, and the volume claims that they leave behind."
        )
    in_namespace = ledger.by_namespace[namespace] + one
    if limits.sessions_per_namespace is not None and in_namespace > limits.sessions_per_namespace:
        return (
            f"Maximum concurrent sessions limit reached in namespace {namespace} ({limits.sessions_per_namespace}). "
            f"{to_do(within=namespace)}"
        )
    return None
