"""Bring images into a cluster: there is no registry, so their archives are given to containerd directly."""

import functools
from collections.abc import Iterable
from pathlib import Path

from session_devtools.commands import run
from session_devtools.errors import MachineError
from session_devtools.images import Built
from session_devtools.parallel import run_parallel
from session_devtools.progress import Progress

from local_cluster import build
from local_cluster.full.instance import Instance

__all__ = ["load", "load_missing"]


def load(instance: Instance, archive: Path) -> list[str]:
    """Import an OCI or Docker archive, and return the names of the images in it.

    Pods use them with `imagePullPolicy: IfNotPresent`.

    :raises MachineError: the cluster does not run.
    :raises CommandError: the archive is none.
    """
    if not instance.containerd_socket.is_socket():
        raise MachineError(f"the cluster {instance.name} does not run; start it with `make cluster-up`")
    # Not by containerd's own transfer service: what that says is a drawing for a terminal, and names no image.
    output = run(*_images(instance, "import", "--local"), archive.absolute(), timeout=600)
    return [fields[1] for line in output.splitlines() if (fields := line.split()) and fields[0] == "unpacking"]


def load_missing(instance: Instance, images: Iterable[Built], *, progress: Progress) -> list[str]:
    """Load what the cluster lacks, for an import unpacks half a gigabyte; returns the references that were loaded.

    A reference holds the hash of the content, so one that is there is the same image.

    :raises MachineError: the cluster does not run.
    """
    wanted = list(images)
    present = references(instance)
    missing = [built for built in wanted if built.reference not in present]

    def bring(built: Built) -> None:
        with progress.step(f"loading image {built.name}"):
            load(instance, built.archive)

    run_parallel(*(functools.partial(bring, built) for built in missing))
    return [built.reference for built in missing]


def references(instance: Instance) -> frozenset[str]:
    """The names of all images that the cluster has; none if it does not run, which `load` then says better."""
    if not instance.containerd_socket.is_socket():
        return frozenset()
    return frozenset(run(*_images(instance, "list", "--quiet")).split())


def _images(instance: Instance, *command: str) -> tuple[str, ...]:
    ctr = str(build.runtime() / "ctr")
    return (ctr, "--address", str(instance.containerd_socket), "--namespace", "k8s.io", "images", *command)
