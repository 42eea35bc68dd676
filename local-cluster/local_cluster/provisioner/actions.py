"""What the plan can ask for: one small object per verb. `steps` carries them out; each may be repeated at any point."""

import dataclasses

from local_cluster.provisioner.names import VolumeName
from local_cluster.provisioner.observed import Claim, StorageClass


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provision:
    """Make the file and its mount if they are missing, then the PersistentVolume, then move the file into use."""

    claim: Claim
    storage_class: StorageClass
    size: int
    """ Bytes of the file: the claim's size, rounded up. """

    @property
    def name(self) -> VolumeName:
        """The volume to make."""
        return self.claim.volume_name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refuse:
    """Tell the claim's owner why it gets no volume, and what to do."""

    claim: Claim
    message: str

    @property
    def name(self) -> VolumeName:
        """The volume that is not made."""
        return self.claim.volume_name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adopt:
    """Move a file into use whose PersistentVolume exists: the process ended between the two steps."""

    name: VolumeName


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mount:
    """Mount a volume again, after a reboot."""

    name: VolumeName


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remove:
    """Unmount, delete the file, delete the PersistentVolume."""

    name: VolumeName


@dataclasses.dataclass(frozen=True, kw_only=True)
class Retain:
    """Unmount, keep the file for a person, let the PersistentVolume go if there is one."""

    name: VolumeName


@dataclasses.dataclass(frozen=True, kw_only=True)
class Discard:
    """Unmount and delete what was being made for a claim that no longer asks for it."""

    name: VolumeName


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportLoss:
    """Say that a volume's file is gone: somebody deleted it, and its pods cannot start."""

    name: VolumeName
    claim: Claim | None
    """ Whom to tell; None if the claim is gone too. """


Action = Provision | Refuse | Adopt | Mount | Remove | Retain | Discard | ReportLoss
