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
from whatsapp_operator.core.quota.reservations import (
    PendingSession,
    Reservation,
)
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
