"""The PVC of a session's profile: created once, grown, handed over when its session is re-applied, never deleted here.

With `retention: Retain` the PVC has no owner: garbage collection can then never take a login away, and a session of
the same name finds the PVC by our labels. With `Delete` an owner reference takes it along. A PVC named by
`existingClaim` is the person's: nothing here touches it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from session_protocol.quantities import format_quantity

from whatsapp_operator.api.constants import SESSION_KIND
from whatsapp_operator.api.session import Retention, WhatsAppSession
from whatsapp_operator.core.decision import CreatePVC, PatchPVC
from whatsapp_operator.core.model import KeyID, Manifest, PVCFacts, Seal
from whatsapp_operator.core.objects import names


class PVCReview(NamedTuple):
    """How a PVC compares with the spec."""

    will_be_deleted: bool
    patch: PatchPVC | None
    """ None: it is as the spec asks, is not ours, or will be deleted. """


def pvc_manifest(session: WhatsAppSession) -> Manifest | None:
    """Return the PVC to create; None with `existingClaim`."""
    profile = session.spec.profile
    if profile.wanted_size is None:
        return None
    metadata: dict[str, Any] = {
        "name": names.pvc_name(session),
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


def create_pvc(session: WhatsAppSession, *, key_id: KeyID) -> CreatePVC | None:
    """Return the action that creates the PVC, with its seal; None with `existingClaim`."""
    manifest = pvc_manifest(session)
    return None if manifest is None else CreatePVC(manifest=manifest, seal=_seal(session, key_id))


def _seal(session: WhatsAppSession, key_id: KeyID) -> Seal:
    """Return what the PVC is sealed with when the operator makes it, or makes it larger."""
    return Seal(
        key_id=key_id,
        session_uid=names.session_uid(session),
        quota=session.spec.quota_name,
        storage=int(session.spec.profile.wanted_size or 0),
    )


def _will_be_deleted(session: WhatsAppSession, pvc: PVCFacts) -> bool:
    """Whether the PVC is being deleted, or will be because it belongs to a deleted session of this name.

    The profile on such a PVC would be lost while the browser uses it, so the session waits for a new PVC.
    """
    uid = session.metadata.uid
    return pvc.deletion is not None or any(
        owner.get("kind") == SESSION_KIND and owner.get("uid") != uid for owner in pvc.owners
    )


def review_pvc(
    session: WhatsAppSession, pvc: PVCFacts, *, may_grow: bool = True, key_id: KeyID | None = None
) -> PVCReview:
    """Compare the PVC with the spec, which must be valid.

    :param may_grow: whether the quota has counted the size that the spec asks for.
    :param key_id: the current key, for the seal of a larger PVC; None: it gets none.
    """
    going = _will_be_deleted(session, pvc)
    return PVCReview(going, None if going else _patch(session, pvc, may_grow=may_grow, key_id=key_id))


def _patch(session: WhatsAppSession, pvc: PVCFacts, *, may_grow: bool, key_id: KeyID | None) -> PatchPVC | None:
    """Return the patch that sets size and owner references as the spec asks, or None."""
    profile = session.spec.profile
    if not pvc.ours or profile.wanted_size is None:
        return None
    patch: dict[str, Any] = {}
    reasons = []
    if may_grow and profile.wanted_size > pvc.requested:
        size = format_quantity(profile.wanted_size)
        patch["spec"] = {"resources": {"requests": {"storage": size}}}
        reasons.append(f"grow from {format_quantity(Decimal(pvc.requested))} to {size}")
    others = [dict(owner) for owner in pvc.owners if owner.get("uid") != session.metadata.uid]
    owned = len(others) < len(pvc.owners)
    if owned != (profile.retention is Retention.DELETE):
        owners = others if owned else [*others, _free_reference(session, others)]
        patch["metadata"] = {"ownerReferences": owners or None}
        reasons.append("keep it after the session" if owned else "delete it with the session")
    if not patch:
        return None
    patch["metadata"] = {**patch.get("metadata", {}), "resourceVersion": pvc.resource_version}
    seal = _seal(session, key_id) if key_id is not None and "spec" in patch else None
    return PatchPVC(name=pvc.name, patch=patch, reason=", ".join(reasons), seal=seal)


def _free_reference(session: WhatsAppSession, others: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return our owner reference: as the controller, unless the PVC has one already (there may be only one)."""
    return names.owner_reference(session) | {"controller": not any(owner.get("controller") for owner in others)}
