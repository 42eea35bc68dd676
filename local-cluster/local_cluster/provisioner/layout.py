"""Where things lie in the provisioner's state folder; the folder a file lies in says how far it came.

    new/pvc-….img        being made: no PersistentVolume was ever created, nobody can have written to it
    volumes/pvc-….img    in use: a PersistentVolume stands (or stood) for it
    retained/pvc-….img   kept for a person: its PersistentVolume is gone and did not say Delete
    mounts/pvc-…/data    what a pod sees

A file moves between the folders by rename, which is atomic and does not disturb its mount. `data` lies inside the
mounted file system: where the mount is missing the path is missing too, and the kubelet refuses to start the pod
instead of letting it write to the host's disk.
"""

import dataclasses
from enum import StrEnum
from pathlib import Path

from local_cluster.provisioner.names import VolumeName


class Stage(StrEnum):
    """How far a volume's file came: the name of its folder."""

    NEW = "new"
    IN_USE = "volumes"
    RETAINED = "retained"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths under one state folder."""

    root: Path

    def folder(self, stage: Stage) -> Path:
        """The folder of all files of a stage."""
        return self.root / stage.value

    def file(self, stage: Stage, name: VolumeName) -> Path:
        """The file that holds a volume's file system."""
        return self.folder(stage) / f"{name}.img"

    @property
    def mounts(self) -> Path:
        """The folder of all mount points."""
        return self.root / "mounts"

    def mount_point(self, name: VolumeName) -> Path:
        """Where a volume's file system is mounted on the host."""
        return self.mounts / name

    def data(self, name: VolumeName) -> Path:
        """The folder inside the mounted file system that pods get; without ext4's `lost+found`."""
        return self.mount_point(name) / "data"

    def create(self) -> None:
        """Make the folders; only root may look inside, as the files hold what pods keep private."""
        for folder in (self.root, *(self.folder(stage) for stage in Stage), self.mounts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
