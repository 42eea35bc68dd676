"""The claims that count against quotas: those of admitted sessions, and those that sessions left behind.

A claim stays when its session is suspended, and with `Retain` when it is deleted: otherwise twenty sessions, one after
the other through one place, would leave twenty volumes that nobody counts. So each sealed claim counts as long as it is
there. An admitted session counts the size that it was admitted with, before its claim is made; claim and reservation
are counted once, by the claim's name.

Nothing of this is read where no quota limits storage.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import KeyID, Seal, SealedKind
from whatsapp_operator.core.objects import names, ownership
from whatsapp_operator.core.objects.facts import requested_storage
from whatsapp_operator.core.objects.ownership import ReadSeal
from whatsapp_operator.core.objects.reading import part, text
from whatsapp_operator.core.quota.reservations import Claimed, limits_storage, stored_reservation, wanted_storage


class Claims:
    """The claims of one round, and which quotas limit storage."""

    def __init__(
        self, claims: Iterable[Mapping[str, Any]], *, quotas: Mapping[str, WhatsAppSessionQuota], read_seal: ReadSeal
    ) -> None:
        self._limited = frozenset(name for name, quota in quotas.items() if limits_storage(quota))
        self._by_key: dict[ObjectKey, Mapping[str, Any]] = {}
        self.sealed: list[SealedClaim] = []
        """ Those that prove that the operator made them. """
        for claim in claims if self._limited else ():
            metadata = part(claim, "metadata")
            key = ObjectKey(text(metadata, "namespace"), text(metadata, "name"))
            self._by_key[key] = claim
            if (seal := read_seal(claim, SealedKind.PVC)) is not None:
                self.sealed.append(SealedClaim(key, seal))

    def of(self, session: WhatsAppSession) -> Claimed:
        """Return the size of the session's claim, and whether its quota limits storage; its spec must be valid."""
        claim = self._by_key.get(claim_key(session))
        existing = 0 if claim is None else requested_storage(claim)
        return Claimed(limited=session.spec.quota_name in self._limited, existing=existing)

    def reserved_by(self, session: WhatsAppSession) -> int:
        """Return the bytes that an admitted session counts, in a quota that limits storage.

        One that was admitted before there was a limit counts the claim that it has, but no more than it asks for:
        neither an edit of the spec nor a claim that a person made takes a share that nobody gave.
        """
        reservation = stored_reservation(session)
        if reservation is None or reservation.quota not in self._limited:
            return 0
        if reservation.storage is not None:
            return reservation.storage
        if session.problems:
            return 0
        claim, wanted = self._by_key.get(claim_key(session)), wanted_storage(session)
        return wanted if claim is None else min(wanted, requested_storage(claim))


class SealedClaim(NamedTuple):
    """A claim that the operator made."""

    key: ObjectKey
    seal: Seal


def claim_key(session: WhatsAppSession) -> ObjectKey:
    """Return which claim is the session's."""
    return ObjectKey(session.metadata.namespace, names.pvc_name(session))


def due_seal(
    claim: Mapping[str, Any], *, seal: Seal | None, session: WhatsAppSession | None, key_id: KeyID
) -> Seal | None:
    """Return the seal that a claim should have; None: it should have none.

    With the current key in any case. An admitted session's claim counts in the quota that the session is admitted to;
    one that was not sealed yet counts no more than its session asks for. A claim that was left behind keeps its words.

    :param seal: the one that it has.
    :param session: the session whose claim it is, by its name.
    """
    admission = session.status.admission if session is not None and not session.problems else None
    if session is None or admission is None or not ownership.is_managed_for(claim, session.metadata.name):
        return None if seal is None else replace(seal, key_id=key_id)
    if seal is None and session.spec.profile.existing_claim is not None:
        return None
    return Seal(
        key_id=key_id,
        session_uid=names.session_uid(session),
        quota=admission.quota_name,
        storage=min(wanted_storage(session), requested_storage(claim)) if seal is None else seal.storage,
    )
