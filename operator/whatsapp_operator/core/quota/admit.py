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
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import AssumedReservation, Defaults, Refusal, SealedKind, SessionUID
from whatsapp_operator.core.objects.ownership import ReadSeal, no_seal, prove
from whatsapp_operator.core.objects.pod_memory import counted_memory
from whatsapp_operator.core.objects.reading import part, text
from whatsapp_operator.core.quota.ledger import Ledger, refusal
from whatsapp_operator.core.quota.not_running import find_not_running
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
    pending_by_uid = _pending(sessions, known_claims, passed_over=with_pod | frozenset(declined))
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
    passed_over = outside | (assumed_by_uid.keys() - withdrawn)
    asking = in_order(pending for uid, pending in pending_by_uid.items() if uid not in passed_over)
    admitted, refused = _divided(asking, ledgers, limits)
    waiting = Counter(pending.reservation.quota for pending in (*refused, *(pending_by_uid[uid] for uid in outside)))
    return AdmissionResult(
        assumed_reservations=tuple(_assumed(pending.reservation, now=now) for pending in admitted),
        withdrawn=withdrawn,
        # By what is taken at the end, so that the next round, which finds it taken, says the same.
        refusals={
            pending.reservation.session_uid: found
            for pending in refused
            if (found := _refusal_of(pending, ledgers, limits)) is not None
        },
        usage={
            name: Usage(
                admitted=len(ledger.reservations),
                waiting=waiting[name],
                memory=ledger.memory,
                storage=ledger.storage if limits_storage(limits.get(name)) else 0,
                not_running=tuple(ledger.not_running),
            )
            for name, ledger in ledgers.items()
        },
    )


def _pending(
    sessions: Iterable[WhatsAppSession], claims: Claims, *, passed_over: Collection[SessionUID]
) -> dict[SessionUID, PendingSession]:
    """Return the sessions that want to run and have no reservation that fits."""
    return {
        SessionUID(session.metadata.uid): pending
        for session in sessions
        if not session.problems
        and session.metadata.uid not in passed_over
        and (pending := pending_session(session, claims.of(session))) is not None
    }


def _divided(
    asking: Iterable[PendingSession], ledgers: dict[str, Ledger], limits: Mapping[str, WhatsAppSessionQuota]
) -> tuple[list[PendingSession], list[PendingSession]]:
    """Return who is admitted and who is refused, one after the other; the ledgers grow by those who are admitted."""
    admitted, refused = [], []
    for pending in asking:
        reservation = pending.reservation
        ledger = ledgers.setdefault(reservation.quota, Ledger())
        if _refusal_of(pending, ledgers, limits) is not None:
            refused.append(pending)
            continue
        ledger.add(reservation)
        ledger.add_claim(claim_key(pending.session), reservation.storage or 0)
        admitted.append(pending)
    return admitted, refused


def _refusal_of(
    pending: PendingSession, ledgers: Mapping[str, Ledger], limits: Mapping[str, WhatsAppSessionQuota]
) -> Refusal | None:
    quota = pending.reservation.quota
    return refusal(limits.get(quota), ledgers[quota], pending)


def _counted(
    sessions: Iterable[WhatsAppSession],
    reservations: Iterable[Reservation],
    assumed_reservations: Iterable[tuple[AssumedReservation, WhatsAppSession]],
    claims: Claims,
    *,
    quotas: Iterable[str],
) -> dict[str, Ledger]:
    """Return the ledgers before anybody is admitted, one for each quota that there is or that somebody names."""
    ledgers = {name: Ledger() for name in quotas}
    for reservation in reservations:
        ledgers.setdefault(reservation.quota, Ledger()).add(reservation)
    for assumed, session in assumed_reservations:
        ledger = ledgers.setdefault(assumed.quota_name, Ledger())
        ledger.add(_as_reservation(assumed, session))
        ledger.add_claim(claim_key(session), assumed.storage or 0)
    for claim in claims.sealed:
        ledgers.setdefault(claim.seal.quota, Ledger()).add_claim(claim.key, claim.seal.storage)
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


def _add_if_not_running(ledgers: Mapping[str, Ledger], session: WhatsAppSession, *, now: datetime) -> None:
    admission = session.status.admission
    ledger = ledgers.get(admission.quota_name) if admission is not None else None
    if ledger is None or session.metadata.uid not in ledger.reservations:
        return
    if (found := find_not_running(session, now=now)) is not None:
        ledger.not_running.append(found)


def _is_valid(assumed: AssumedReservation, pending: PendingSession | None) -> bool:
    return pending is not None and pending.reservation.is_met_by(assumed)


def _assumed(reservation: Reservation, *, now: datetime) -> AssumedReservation:
    return AssumedReservation(
        session_uid=reservation.session_uid,
        quota_name=reservation.quota,
        memory=reservation.memory,
        storage=reservation.storage,
        reserved_at=now,
    )


def _as_reservation(assumed: AssumedReservation, session: WhatsAppSession) -> Reservation:
    return Reservation(
        session_uid=assumed.session_uid,
        quota=assumed.quota_name,
        namespace=session.metadata.namespace,
        memory=assumed.memory,
    )
