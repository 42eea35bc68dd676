"""Where a demo can play: our own cluster, or the one that kubectl points at. Each gives kubectl and the images."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from local_cluster import build as programs
from local_cluster.full.cluster import FullCluster
from local_cluster.full.load import load_missing
from session_devtools.errors import ToolError
from session_devtools.images.build import Built, build
from session_devtools.steps import Steps

from session_demo.errors import DemoError
from session_demo.installation import Images
from session_demo.kubectl import Kubectl

PLUGIN = Path(__file__).parents[2] / "plugin"


def local(name: str) -> tuple[Kubectl, Images]:
    """Bring our own cluster up and the images into it; raises DemoError with what to do."""
    progress = Steps()
    try:
        cluster = FullCluster(name)
        cluster.up(progress=progress)
        built = build(progress=progress)
        load_missing(cluster.instance, built.values(), progress=progress)
        program = programs.kubernetes(progress=progress) / "kubectl"
        kubeconfig = cluster.kubeconfig
    except ToolError as error:
        raise DemoError(str(error)) from error
    return Kubectl(program=str(program), flags=(f"--kubeconfig={kubeconfig}",)), references(built)


def references(built: dict[str, Built]) -> Images:
    """Return how pods call the images just built."""
    return Images(**{name: image.reference for name, image in built.items()})


def farewell(kubectl: Kubectl) -> str:
    """Return the line after which kubectl and its plugin work in the person's shell."""
    folders = [str(PLUGIN)]
    if shutil.which("kubectl") is None:
        folders.insert(0, str(Path(kubectl.program).parent))
    kubeconfig = [flag.removeprefix("--kubeconfig=") for flag in kubectl.flags if flag.startswith("--kubeconfig=")]
    exports = [f"KUBECONFIG={shlex.quote(kubeconfig[0])}"] if kubeconfig else []
    path = ":".join([*map(shlex.quote, folders), "$PATH"])
    return " ".join(["export", *exports, f"PATH={path}"])
