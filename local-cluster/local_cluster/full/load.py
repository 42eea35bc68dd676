"""Bring an image into a cluster: there is no registry, so its archive is given to containerd directly."""

from pathlib import Path

from local_cluster.commands import run
from local_cluster.errors import MachineError
from local_cluster.full.instance import Instance

__all__ = ["load"]


def load(instance: Instance, archive: Path) -> list[str]:
    """Import an OCI or Docker archive, and return the names of the images in it.

    Pods use them with `imagePullPolicy: IfNotPresent`. Raises MachineError when the cluster does not run, CommandError
    when the archive is none.
    """
    if not instance.containerd_socket.is_socket():
        raise MachineError(f"the cluster {instance.name} does not run; start it with `make cluster-up`")
    ctr = ("ctr", "--address", str(instance.containerd_socket), "--namespace", "k8s.io", "images", "import")
    said = run(*ctr, archive.absolute(), timeout=600)
    return [words[1] for line in said.splitlines() if (words := line.split()) and words[0] == "unpacking"]
