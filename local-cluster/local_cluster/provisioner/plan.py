"""The one decision of the provisioner: from all that is observed to what is to be done now.

Pure, and level-based: it never asks what happened, only what is. Whatever a crash, a reboot or a person left behind is
met in the next pass, because each state of (claim, PersistentVolume, file, mount) has its answer here. `controller`
calls it after every change and at every re-LIST.

    PersistentVolume      file        mount   answer
    none, claim asks      any         any     Provision (takes up what is there) or Refuse
    none, nobody asks     new         any     Discard
    none                  in use      any     Retain: somebody's data, and no Delete was ever said
    wanted                new         any     Adopt
    wanted                in use      no      Mount
    wanted                in use      yes     nothing
    wanted                none        any     ReportLoss
    released or deleted   any         any     Remove or Retain, by its reclaim policy
"""

from collections.abc import Collection, Iterator
from typing import Final

from local_cluster.provisioner.actions import (
    Action,
    Adopt,
    Discard,
    Mount,
    Provision,
    Refuse,
    Remove,
    ReportLoss,
    Retain,
)
from local_cluster.provisioner.layout import Stage
from local_cluster.provisioner.names import VolumeName
from local_cluster.provisioner.observed import Claim, File, Observed, StorageClass, Volume
from local_cluster.provisioner.quantities import MIB, rough_bytes

SMALLEST: Final = 16 * MIB
""" Smaller file systems have no room for ext4's journal; a claim for less gets this much. """

OFFERED_MODES: Final = frozenset({"ReadWriteOncePod", "ReadWriteOnce"})


def plan(observed: Observed, *, resting: Collection[VolumeName] = ()) -> tuple[Action, ...]:
    """The actions to carry out now, at most one per volume; `resting` ones failed lately and wait for their retry."""
    actions = (*_for_claims(observed), *_for_disk_and_volumes(observed))
    return tuple(action for action in actions if action.name not in resting)


def file_size(claim: Claim) -> int:
    """The claim's size in bytes, at least SMALLEST, rounded up to whole MiB as ext4 wants whole blocks."""
    return max(SMALLEST, -(-claim.size // MIB) * MIB)


def is_asking(claim: Claim, *, observed: Observed) -> bool:
    """Whether a claim waits for a volume from this very provisioner."""
    found = observed.classes.get(claim.class_name)
    if found is None or claim.volume or claim.deleting:
        return False
    # With WaitForFirstConsumer the scheduler writes the node once a pod needs the claim, and again if it changes
    # its mind; a claim for another node is that node's provisioner's.
    return claim.node == observed.node or (not found.waits_for_consumer and not claim.node)


def _for_claims(observed: Observed) -> Iterator[Action]:
    unpromised = observed.disk.unpromised
    for claim in sorted(observed.claims, key=lambda claim: (claim.namespace, claim.name)):
        name = claim.volume_name
        file = observed.disk.files.get(name)
        # A file in use without a PersistentVolume in sight: our own creation that the watch has not shown yet.
        if name in observed.volumes or (file and file.stage is Stage.IN_USE) or not is_asking(claim, observed=observed):
            continue
        size = file_size(claim)
        needed = 0 if file else size
        storage_class = observed.classes[claim.class_name]
        message = next(refusals(claim, storage_class=storage_class, needed=needed, unpromised=unpromised), None)
        if message:
            yield Refuse(claim=claim, message=message)
            continue
        unpromised -= needed
        yield Provision(claim=claim, storage_class=storage_class, size=size)


def refusals(claim: Claim, *, storage_class: StorageClass, needed: int, unpromised: int) -> Iterator[str]:
    """Why this claim gets no volume, and what its owner can do about it. Sizes in bytes."""
    if storage_class.parameters:
        parameters = ", ".join(storage_class.parameters)
        yield f"StorageClass {storage_class.name} has parameters ({parameters}), and none exist here: make it anew without"
    if claim.volume_mode != "Filesystem":
        yield f"volumeMode {claim.volume_mode} is not offered: ask for Filesystem"
    if not set(claim.access_modes) <= OFFERED_MODES:
        modes = ", ".join(claim.access_modes)
        yield f"access mode {modes} is not offered on a single node: ask for ReadWriteOncePod or ReadWriteOnce"
    if claim.has_selector:
        yield "a claim with a selector cannot get a new volume: remove spec.selector"
    if claim.has_source:
        yield "volumes are always made empty: remove spec.dataSource and spec.dataSourceRef"
    if needed > unpromised:
        yield (
            f"the claim asks for {rough_bytes(needed)}, but the host's disk has only {rough_bytes(max(0, unpromised))}"
            " left beside what existing volumes may still take: free disk space or delete claims, then it goes on by itself"
        )


def _for_disk_and_volumes(observed: Observed) -> Iterator[Action]:
    disk = observed.disk
    claims = {claim.volume_name: claim for claim in observed.claims}
    asking = {name for name, claim in claims.items() if is_asking(claim, observed=observed)}
    for name in sorted({*observed.volumes, *disk.files, *disk.mounted}):
        volume, file, mounted = observed.volumes.get(name), disk.files.get(name), name in disk.mounted
        if volume is not None:
            action = _for_volume(volume, claim=claims.get(name), file=file, mounted=mounted)
        elif file is not None and file.stage is Stage.IN_USE:
            action = Retain(name=name)
        elif name in asking:
            action = None
        elif mounted or (file is not None and file.stage is Stage.NEW):
            action = Discard(name=name)
        else:
            action = None
        if action is not None:
            yield action


def _for_volume(volume: Volume, *, claim: Claim | None, file: File | None, mounted: bool) -> Action | None:
    # A deleted volume stays as long as its claim does: Kubernetes protects it, and so do we.
    if volume.phase in {"Released", "Failed"} or (volume.deleting and volume.phase != "Bound"):
        if volume.reclaim_policy == "Delete":
            return Remove(name=volume.name)
        return Retain(name=volume.name) if volume.deleting else None
    if file is None or file.stage is Stage.RETAINED:
        return ReportLoss(name=volume.name, claim=claim)
    if file.stage is Stage.NEW:
        return Adopt(name=volume.name)
    return None if mounted else Mount(name=volume.name)
