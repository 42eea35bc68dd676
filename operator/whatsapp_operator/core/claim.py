"""The claim for a session's profile: made once, grown, handed over when its session is re-applied, never deleted here.

With `retention: Retain` the claim has no owner: garbage collection can then never take a login away, and a session of
the same name finds the claim by our labels. With `Delete` an owner reference takes it along. A claim named by
`existingClaim` is the person's: nothing here touches it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.constants import SESSION_KIND
from whatsapp_operator.api.session import Retention, WhatsAppSession
from whatsapp_operator.core import names
from whatsapp_operator.core.model import ClaimFacts, Manifest, PatchClaim


def claim_manifest(session: WhatsAppSession) -> Manifest | None:
    """Return the claim to create; None when the person brings one."""
    profile = session.spec.profile
    if profile.wanted_size is None:
        return None
    metadata: dict[str, Any] = {
        "name": names.claim_name(session),
        "namespace": session.metadata.namespace,
        "labels": names.labels(session),
    }
    if profile.retention is Retention.DELETE:
        metadata["ownerReferences"] = [names.owner_reference(session)]
    spec: dict[str, Any] = {
        "accessModes": [str(profile.access_mode)],
        "resources": {"requests": {"storage": format_quantity(profile.wanted_size)}},
    }
    if profile.storage_class_name is not None:
        spec["storageClassName"] = profile.storage_class_name
    return Manifest({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})


def is_doomed(session: WhatsAppSession, claim: ClaimFacts) -> bool:
    """Whether the claim is going or will go: it is being deleted, or it belongs to a deleted session of this name.

    A profile on such a claim would be lost under a running browser; so the session waits for a new one.
    """
    uid = session.metadata.uid
    return claim.deletion is not None or any(
        owner.get("kind") == SESSION_KIND and owner.get("uid") != uid for owner in claim.owners
    )


def claim_patch(session: WhatsAppSession, claim: ClaimFacts) -> PatchClaim | None:
    """Return what the claim needs to be as the spec says, or None: its size, and whether it goes with the session."""
    profile = session.spec.profile
    if not claim.ours or profile.wanted_size is None or is_doomed(session, claim):
        return None
    patch: dict[str, Any] = {}
    why = []
    if profile.wanted_size > claim.requested:
        size = format_quantity(profile.wanted_size)
        patch["spec"] = {"resources": {"requests": {"storage": size}}}
        why.append(f"grow from {format_quantity(Decimal(claim.requested))} to {size}")
    others = [dict(owner) for owner in claim.owners if owner.get("uid") != session.metadata.uid]
    owned = len(others) < len(claim.owners)
    if owned != (profile.retention is Retention.DELETE):
        owners = others if owned else [*others, _free_reference(session, others)]
        patch["metadata"] = {"ownerReferences": owners or None}
        why.append("keep it after the session" if owned else "delete it with the session")
    if not patch:
        return None
    patch["metadata"] = {**patch.get("metadata", {}), "resourceVersion": claim.resource_version}
    return PatchClaim(name=claim.name, patch=patch, why=", ".join(why))


def _free_reference(session: WhatsAppSession, others: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return our reference; an object may have one controller only, and another one may be it already."""
    return names.owner_reference(session) | {"controller": not any(owner.get("controller") for owner in others)}
