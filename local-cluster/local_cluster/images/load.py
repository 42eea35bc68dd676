"""Bring built images into a local cluster, those only that it does not have: an import unpacks half a gigabyte."""

from collections.abc import Iterable

from local_cluster.commands import run
from local_cluster.full.instance import Instance
from local_cluster.full.load import load
from local_cluster.images.build import Built
from local_cluster.steps import Progress


def load_missing(instance: Instance, images: Iterable[Built], *, progress: Progress) -> list[str]:
    """Load what the cluster lacks; returns the references that were loaded.

    A reference holds the hash of the content, so one that is there is the same image. Raises MachineError when the
    cluster does not run.
    """
    wanted = list(images)
    present = references(instance)
    missing = [built for built in wanted if built.reference not in present]
    for built in missing:
        with progress.step(f"loading image {built.name}"):
            load(instance, built.archive)
    return [built.reference for built in missing]


def references(instance: Instance) -> frozenset[str]:
    """The names of all images that the cluster has; none if it does not run, which `load` then says better."""
    if not instance.containerd_socket.is_socket():
        return frozenset()
    ctr = ("ctr", "--address", str(instance.containerd_socket), "--namespace", "k8s.io", "images", "list", "--quiet")
    return frozenset(run(*ctr).split())
