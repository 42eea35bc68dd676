"""What the provisioner sees: claims, volumes and classes out of the API's JSON, files and mounts from the disk.

Only the fields that the plan needs; parsing happens here once, so that the plan meets no optional dictionary.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.names import (
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    ClaimUID,
    VolumeName,
    volume_name,
)
from local_cluster.provisioner.quantities import parse_bytes

Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StorageClass:
    """A class whose provisioner is ours; other classes are not parsed."""

    name: str
    reclaim_policy: str = "Delete"
    waits_for_consumer: bool = True
    parameters: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Json) -> Self | None:
        """None for a class of somebody else's."""
        if raw["provisioner"] != PROVISIONER:
            return None
        return cls(
            name=raw["metadata"]["name"],
            reclaim_policy=raw.get("reclaimPolicy", "Delete"),
            waits_for_consumer=raw.get("volumeBindingMode") == "WaitForFirstConsumer",
            parameters=tuple(sorted(raw.get("parameters") or {})),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim of any class, bound or not."""

    uid: ClaimUID
    namespace: str
    name: str
    class_name: str
    size: int
    """ Bytes asked for. """
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    volume_mode: str = "Filesystem"
    node: str = ""
    """ The node that the scheduler selected; empty as long as no pod uses the claim. """
    volume: str = ""
    """ The volume it is bound to, or shall be. """
    deleting: bool = False
    has_selector: bool = False
    has_source: bool = False

    @property
    def volume_name(self) -> VolumeName:
        """The name of the volume that we make for it."""
        return volume_name(self.uid)

    @classmethod
    def parse(cls, raw: Json) -> Self:
        """Raises QuantityError, which the API server's validation keeps from happening."""
        meta, spec = raw["metadata"], raw["spec"]
        return cls(
            uid=ClaimUID(meta["uid"]),
            namespace=meta["namespace"],
            name=meta["name"],
            class_name=spec.get("storageClassName") or "",
            size=parse_bytes(str(spec["resources"]["requests"]["storage"])),
            access_modes=tuple(spec.get("accessModes", ())),
            volume_mode=spec.get("volumeMode", "Filesystem"),
            node=(meta.get("annotations") or {}).get(SELECTED_NODE, ""),
            volume=spec.get("volumeName", ""),
            deleting="deletionTimestamp" in meta,
            has_selector=bool(spec.get("selector")),
            has_source=bool(spec.get("dataSource") or spec.get("dataSourceRef")),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Volume:
    """A PersistentVolume that this provisioner made in this state folder; others are not parsed."""

    name: VolumeName
    phase: str = "Bound"
    reclaim_policy: str = "Delete"
    deleting: bool = False

    @classmethod
    def parse(cls, raw: Json, layout: Layout) -> Self | None:
        """None for a volume of somebody else's, another node's or another state folder's."""
        meta, spec = raw["metadata"], raw["spec"]
        name = VolumeName(meta["name"])
        by = (meta.get("annotations") or {}).get(PROVISIONED_BY)
        if by != PROVISIONER or spec.get("local", {}).get("path") != str(layout.data(name)):
            return None
        return cls(
            name=name,
            # A new volume has no phase until the controller manager has looked at it.
            phase=raw.get("status", {}).get("phase", "Pending"),
            reclaim_policy=spec["persistentVolumeReclaimPolicy"],
            deleting="deletionTimestamp" in meta,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class File:
    """A volume's file on the disk."""

    name: VolumeName
    stage: Stage
    size: int
    """ Bytes it may grow to. """
    allocated: int = 0
    """ Bytes it takes now; the file is sparse. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disk:
    """The state folder as it is: files, mounts, and what the disk has left."""

    files: Mapping[VolumeName, File] = dataclasses.field(default_factory=dict)
    mounted: frozenset[VolumeName] = frozenset()
    free: int = 0
    """ Bytes that the host's disk has left for root. """

    @property
    def unpromised(self) -> int:
        """Bytes left when every existing volume is filled to its size; retained ones count as they are."""
        growing = (file for file in self.files.values() if file.stage is not Stage.RETAINED)
        return self.free - sum(max(0, file.size - file.allocated) for file in growing)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observed:
    """All that one decision is made from."""

    node: str
    classes: Mapping[str, StorageClass]
    claims: tuple[Claim, ...]
    volumes: Mapping[VolumeName, Volume]
    disk: Disk
