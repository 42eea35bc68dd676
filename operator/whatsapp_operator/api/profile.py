"""The volume with the browser's profile: what people choose about it, and what they may change later.

Another volume is another profile, and another profile has no login: so everything that would lead to another volume is
immutable, and the size may only grow. The rules on changes stand on the whole spec (`PROFILE_CHANGES`), because a rule
on the block itself is not asked when somebody adds or drops the block.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict
from session_protocol.quantities import GI

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.fields import VolumeSize
from whatsapp_operator.api.pod_options import name_of, name_or_nothing
from whatsapp_operator.api.rules import Rule, validations

DEFAULT_PROFILE_SIZE: Final = GI


class AccessMode(StrEnum):
    """Who may mount the profile at the same time."""

    READ_WRITE_ONCE_POD = "ReadWriteOncePod"
    READ_WRITE_ONCE = "ReadWriteOnce"


class Retention(StrEnum):
    """What happens to the profile when its session is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


_EXCLUSIVE = Rule(
    "!has(self.existingClaim) || (!has(self.size) && !has(self.storageClassName))",
    "size and storageClassName are for a claim that the operator creates: remove them, or remove existingClaim",
    field=".existingClaim",
)
_NOT_OURS = Rule(
    "!has(self.existingClaim) || !has(self.retention) || self.retention != 'Delete'",
    "an existing claim is never deleted by the operator: remove retention, or remove existingClaim",
    field=".retention",
)


class ProfileSpec(SpecModel):
    """The volume with the browser's profile, which holds the login."""

    model_config = ConfigDict(json_schema_extra=validations(_EXCLUSIVE, _NOT_OURS))

    size: VolumeSize | None = None
    """The size of the volume, such as 2Gi. It may only grow, and only where the storage can do that. Default: 1Gi. Not
    together with existingClaim."""
    storage_class_name: Annotated[str, name_or_nothing("a StorageClass", nothing="a volume made by hand")] | None = None
    """The StorageClass that creates the volume; cannot be changed. Default: the cluster's default class. Empty means
    no class: a volume that somebody created by hand. Not together with existingClaim."""
    access_mode: AccessMode = AccessMode.READ_WRITE_ONCE_POD
    """ReadWriteOncePod, so that two browsers can never share a profile; ReadWriteOnce for storage drivers that do not
    support it. Cannot be changed. Ignored with existingClaim."""
    retention: Retention = Retention.RETAIN
    """What happens to the volume claim when the session is deleted: Retain keeps it, and a later session of the same
    name and namespace gets its login back; Delete deletes it with the session, and the phone has to be linked again."""
    existing_claim: Annotated[str, name_of("a PersistentVolumeClaim")] | None = None
    """The name of a PersistentVolumeClaim in the same namespace to use instead of one that the operator creates. It must
    have the label wasession.dev/profile=true, which its owner gives it. Cannot be changed."""

    @property
    def wanted_size(self) -> Decimal | None:
        """Return the bytes of the PVC to create, or None with an existing one."""
        if self.existing_claim is not None:
            return None
        return DEFAULT_PROFILE_SIZE if self.size is None else self.size


def _given(owner: str, field: str) -> str:
    """CEL: this field of the profile is written."""
    return f"has({owner}.profile) && has({owner}.profile.{field})"


def _unchanged(field: str) -> str:
    """CEL: this field of the profile is as it was: neither added nor dropped nor changed."""
    new, old = _given("self", field), _given("oldSelf", field)
    return f"({new}) == ({old}) && (!({new}) || self.profile.{field} == oldSelf.profile.{field})"


def _in_effect(owner: str, field: str, default: str) -> str:
    """CEL: this field of the profile as a text, or its default; `orValue` would cost without bound."""
    return f"({_given(owner, field)} ? string({owner}.profile.{field}) : '{default}')"


_SIZE, _OLD_SIZE = (_in_effect(owner, "size", "1Gi") for owner in ("self", "oldSelf"))
_SHARED, _OLD_SHARED = (
    f"({_given(owner, 'accessMode')} && {owner}.profile.accessMode != 'ReadWriteOncePod')"
    for owner in ("self", "oldSelf")
)
PROFILE_CHANGES: Final = (
    Rule(
        _unchanged("storageClassName"),
        "storageClassName cannot be changed: create a new session, or restore the old value",
        field=".profile.storageClassName",
    ),
    Rule(
        f"{_SHARED} == {_OLD_SHARED}",
        "accessMode cannot be changed: create a new session, or restore the old value",
        field=".profile.accessMode",
    ),
    Rule(
        _unchanged("existingClaim"),
        "existingClaim cannot be changed: create a new session, or restore the old value",
        field=".profile.existingClaim",
    ),
    Rule(
        f"!isQuantity({_SIZE}) || !isQuantity({_OLD_SIZE}) || quantity({_SIZE}).compareTo(quantity({_OLD_SIZE})) >= 0",
        "size may only grow: a volume cannot shrink",
        field=".profile.size",
        computed=f"'size may only grow: a volume cannot shrink, so write ' + {_OLD_SIZE} + ' or more'",
    ),
)
