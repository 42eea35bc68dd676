"""A cluster of ours with the project's images in it: what the demo, the benchmarks and the end-to-end tests begin with."""

from session_devtools import packages
from session_devtools.images.build import Built, build, unbuilt
from session_devtools.installation.transformers import Images
from session_devtools.kubectl import Kubectl
from session_devtools.progress import ConsoleProgress

from local_cluster import build as programs
from local_cluster.full import machine
from local_cluster.full.cluster import FullCluster
from local_cluster.full.load import load_missing

__all__ = ["down", "up"]

IMAGE_MINUTES = 2  # what the three images add on two idle cores, beside the compiling


def up(name: str) -> tuple[Kubectl, Images]:
    """Bring the cluster up and the images into it. :raises ToolError: it could not be done, with what to do."""
    progress = ConsoleProgress()
    machine.check()  # before anything is asked of apt
    cluster = FullCluster(name)
    built: dict[str, Built] = {}
    cluster.up(
        progress=progress,
        needs=packages.IMAGES,
        beside=[lambda: built.update(build(progress=progress))],
        minutes=IMAGE_MINUTES if unbuilt() else 0,
    )
    load_missing(cluster.instance, built.values(), progress=progress)
    program = programs.kubernetes(progress=progress) / "kubectl"
    images = Images(**{name: image.reference for name, image in built.items()})
    return Kubectl(program=program, kubeconfig=cluster.kubeconfig), images


def down(name: str) -> None:
    """Remove the cluster with everything it made."""
    FullCluster(name).down(progress=ConsoleProgress())
