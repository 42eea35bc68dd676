"""Our own cluster for the demo to play in: brought up with the images in it, and removed.

Loaded only when it is asked for: on a cluster of somebody else's nothing of ours is touched.
"""

from local_cluster import build as programs
from local_cluster.full import machine
from local_cluster.full.cluster import FullCluster
from local_cluster.full.load import load_missing
from session_devtools import packages
from session_devtools.errors import ToolError
from session_devtools.images.build import Built, build, unbuilt
from session_devtools.kubectl import Kubectl
from session_devtools.steps import Steps

from session_demo.errors import DemoError
from session_demo.installation import Images

IMAGE_MINUTES = 2
""" What the three images add on two idle cores, beside the compiling. """


def local(name: str) -> tuple[Kubectl, Images]:
    """Bring our own cluster up and the images into it. :raises DemoError: it cannot be shown, with what to do."""
    progress = Steps()
    try:
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
        kubeconfig = cluster.kubeconfig
    except ToolError as error:
        raise DemoError(str(error)) from error
    images = Images(**{name: image.reference for name, image in built.items()})
    return Kubectl(program=program, kubeconfig=kubeconfig), images


def remove(name: str) -> None:
    """Remove our own cluster with everything it made."""
    FullCluster(name).down(progress=Steps())
