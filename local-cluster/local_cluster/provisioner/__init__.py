"""Volumes on demand for the local cluster: each claim gets an ext4 of the asked size in a file of its own.

The cluster's `up` starts `python -m local_cluster.provisioner` on the host and applies `manifests()`; its `down` calls
`cleanup()`. Between the two, this process watches claims and PersistentVolumes and keeps files, mounts and objects in
step. `plan` decides and does nothing, `disk` and `kube` do and decide nothing, `controller` connects them.
`docs/design/volumes.md` tells why it is built so.
"""

from local_cluster.provisioner.cleanup import cleanup
from local_cluster.provisioner.manifests import manifests
from local_cluster.provisioner.names import CLASS, PROVISIONER, USER

__all__ = ["CLASS", "PROVISIONER", "USER", "cleanup", "manifests"]
