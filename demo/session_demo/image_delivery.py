"""How the images reach the nodes of a cluster that is not ours: by a registry, or by kind's own way in.

`choose_delivery` turns what the person asked for into one of the two and refuses what cannot work, before anything is built;
`deliver` then returns how pods call the images.
"""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from session_devtools.commands import run
from session_devtools.errors import ToolError
from session_devtools.images.build import Built
from session_devtools.images.push import push
from session_devtools.installation.transformers import Images
from session_devtools.progress import Progress

from session_demo.errors import DemoError

USAGE = (
    "the cluster's nodes have to get the images from somewhere. Name a registry that you may push to and the nodes may "
    "pull from:\n"
    "  make demo CLUSTER=current REGISTRY=registry.example.com/team\n"
    "(REGISTRY_INSECURE=1 for one that speaks plain HTTP; log in first with `buildah login` or `docker login`), or, for "
    "a cluster of kind:\n"
    "  make demo CLUSTER=current KIND=kind"
)
HOST = r"(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?)"
PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{HOST}(?:/{PART})*")
PUSH_LIMIT = 900.0
""" Seconds that kind may take for one image of a quarter of a gigabyte. """


class Delivery(Protocol):
    """A way for images into a cluster."""

    @property
    def leftovers(self) -> str:
        """What of it is there after `make demo-down`, for a person to know."""

    def deliver(self, built: Mapping[str, Built], *, progress: Progress) -> Images:
        """Bring the images there. :raises DemoError: it cannot be shown."""


@dataclass(frozen=True, kw_only=True)
class RegistryDelivery:
    """Pushed by buildah, pulled by the kubelets."""

    repository: str
    """ As in `registry.example.com:5000/team`. """
    verify_tls: bool = True

    @property
    def leftovers(self) -> str:
        """The registry is the person's."""
        return f"the images whatsapp-operator, whatsapp-runner and whatsapp-standin in {self.repository}"

    def deliver(self, built: Mapping[str, Built], *, progress: Progress) -> Images:
        """Push what the registry does not have."""
        pushed = {}
        for name, image in built.items():
            try:
                pushed[name] = push(image, self.repository, verify_tls=self.verify_tls, progress=progress)
            except ToolError as error:
                advice = "" if not self.verify_tls else "; REGISTRY_INSECURE=1 is for registries that speak plain HTTP"
                host = self.repository.partition("/")[0]
                raise DemoError(f"{error}\nMay you push there? `buildah login {host}` logs in{advice}.") from error
        return Images(**pushed)


def run_kind(command: Sequence[str]) -> None:
    """Run kind. :raises CommandError: a command failed, with its words."""
    run(*command, timeout=PUSH_LIMIT)


@dataclass(frozen=True, kw_only=True)
class KindDelivery:
    """`kind load image-archive`: recorded after kind's documentation, not tried against a cluster of kind."""

    cluster: str
    program: str
    run: Callable[[Sequence[str]], None] = field(default=run_kind, repr=False)

    @property
    def leftovers(self) -> str:
        """Kind has no command that takes an image away again."""
        return f"the images on the nodes of the kind cluster {self.cluster}"

    def command(self, image: Built) -> list[str]:
        """The command line for one image."""
        return [self.program, "load", "image-archive", str(image.archive), "--name", self.cluster]

    def deliver(self, built: Mapping[str, Built], *, progress: Progress) -> Images:
        """Load each archive into every node; the images keep the names they were built with."""
        for image in built.values():
            with progress.step(f"loading image {image.name} into the kind cluster {self.cluster}"):
                self.run(self.command(image))
        return Images(**{name: image.reference for name, image in built.items()})


def choose_delivery(
    *, registry: str, insecure: bool, kind: str, context: str, search_path: str | None = None
) -> Delivery:
    """Return the way that the person asked for. :raises DemoError: it cannot work, with what to do."""
    if registry and kind:
        raise DemoError("REGISTRY and KIND are two ways for the images into the cluster: name one of them")
    if registry:
        return RegistryDelivery(repository=check_registry(registry), verify_tls=not insecure)
    if not kind:
        raise DemoError(USAGE)
    if context != f"kind-{kind}":
        raise DemoError(
            f"KIND={kind} is the cluster of context kind-{kind}, but the current context is {context}: "
            f"`kubectl config use-context kind-{kind}`, or name a registry instead"
        )
    program = shutil.which("kind", path=search_path)
    if program is None:
        raise DemoError("kind is not on the PATH: KIND=… loads the images with it")
    return KindDelivery(cluster=kind, program=program)


def check_registry(registry: str) -> str:
    """Return the place that images are pushed below. :raises DemoError: it cannot be one."""
    if REPOSITORY.fullmatch(registry) is None:
        raise DemoError(
            f"REGISTRY={registry} is no place for images: it is a host, a port if need be and a path, in lower case and "
            "without https:// and tag, as in registry.example.com:5000/team"
        )
    return registry
