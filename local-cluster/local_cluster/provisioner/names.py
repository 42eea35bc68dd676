"""The names that this provisioner and other parts of the cluster must agree on.

Kubernetes' own annotations stand here too, so that no other module spells one out.
"""

from typing import Final, NewType

VolumeName = NewType("VolumeName", str)
""" `pvc-<uid of the claim>`: the PersistentVolume's name, the file's stem and the mount point's folder. """

ClaimUID = NewType("ClaimUID", str)

PROVISIONER: Final = "local.wasession.dev/loop"
CLASS: Final = "local-loop"
USER: Final = "system:wasession:provisioner"
""" The common name of the provisioner's client certificate; `manifests()` gives it its rights. """

FINALIZER: Final = "local.wasession.dev/file"
""" Keeps a PersistentVolume that somebody deletes until its file was dealt with as its reclaim policy says. """

SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
""" Without it the controller manager takes a released volume for one without a deleter and marks it Failed. """

DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
HOSTNAME: Final = "kubernetes.io/hostname"


def volume_name(uid: ClaimUID) -> VolumeName:
    """The name of a claim's volume: the same after every restart, so that a half-done claim is taken up again."""
    return VolumeName(f"pvc-{uid}")
