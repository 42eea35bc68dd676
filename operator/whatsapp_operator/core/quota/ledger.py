"""What is reserved of one quota, and whether there is room in it for one more session."""

from collections import Counter
from dataclasses import dataclass, field

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.conditions import Reason
from whatsapp_operator.api.invalid import InvalidObject
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.quota import QuotaSpec, WhatsAppSessionQuota
from whatsapp_operator.core.model import Refusal, SessionUID
from whatsapp_operator.core.quota.not_running import NotRunning, remedy
from whatsapp_operator.core.quota.reservations import PendingSession, Reservation
from whatsapp_operator.core.quota.storage import claim_key


@dataclass(kw_only=True)
class Ledger:
    """The reservations of one quota; it grows during the round."""

    reservations: dict[SessionUID, Reservation] = field(default_factory=dict)
    memory: int = 0
    by_namespace: Counter[str] = field(default_factory=Counter)
    claims: dict[ObjectKey, int] = field(default_factory=dict)
    """ Bytes, by claim. """
    storage: int = 0
    not_running: list[NotRunning] = field(default_factory=list)
    """ Complete before anybody is refused: who waits is told of it. """
    _remedies: dict[tuple[str, bool], str] = field(default_factory=dict)

    def add(self, reservation: Reservation) -> None:
        """Count a reservation; of several of one session the largest."""
        known = self.reservations.get(reservation.session_uid)
        if known is not None and known.memory >= reservation.memory:
            return
        self.memory += reservation.memory - (known.memory if known is not None else 0)
        self.by_namespace[reservation.namespace] += known is None
        self.reservations[reservation.session_uid] = reservation

    def add_claim(self, key: ObjectKey, size: int) -> None:
        """Count a volume claim; of several sizes the largest."""
        self.storage += max(0, size - self.claims.get(key, 0))
        self.claims[key] = max(size, self.claims.get(key, 0))

    def to_do(self, pending: PendingSession, *, in_namespace: bool) -> str:
        """Return what makes room for the session; the same for all of a namespace that have no place, so it is kept."""
        quota, namespace = pending.reservation.quota, pending.reservation.namespace
        found = (one for one in self.not_running if not in_namespace or one.namespace == namespace)
        if pending.reservation.session_uid in self.reservations:
            # Its own place, which it gives back when it is refused a larger one, is in nobody's way.
            others = [one for one in found if (one.namespace, one.name) != pending.session.key]
            return remedy(others, quota=quota, namespace=namespace)
        if (known := self._remedies.get((namespace, in_namespace))) is None:
            known = self._remedies[namespace, in_namespace] = remedy(list(found), quota=quota, namespace=namespace)
        return known


def refusal(quota: WhatsAppSessionQuota | None, ledger: Ledger, pending: PendingSession) -> Refusal | None:
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


def _exceeded(limits: QuotaSpec, ledger: Ledger, pending: PendingSession) -> str | None:
    reservation = pending.reservation
    namespace = reservation.namespace
    # Its own smaller reservation, left from a pod that is gone, does not count against the larger one.
    own = ledger.reservations.get(reservation.session_uid)
    one, memory = (1, reservation.memory) if own is None else (0, reservation.memory - own.memory)
    if limits.sessions is not None and len(ledger.reservations) + one > limits.sessions:
        return f"Maximum concurrent sessions limit reached ({limits.sessions}). {ledger.to_do(pending, in_namespace=False)}"
    if limits.memory is not None and ledger.memory + memory > limits.memory:
        to_do = ledger.to_do(pending, in_namespace=False)
        return f"Maximum session memory limit reached ({format_quantity(limits.memory)}). {to_do}"
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
            f"{ledger.to_do(pending, in_namespace=True)}"
        )
    return None
