"""Bring a built image into a registry, for a cluster that is not on this machine.

Who may push is the registry's business: buildah reads the logins that `docker login`, `podman login` or `buildah login`
left, and none are kept here.
"""

import tempfile
from pathlib import Path
from typing import Protocol

from session_devtools.build.cache import cache_folder
from session_devtools.images.build import Built
from session_devtools.images.buildah import Buildah
from session_devtools.progress import Progress

__all__ = ["ImageStore", "push", "pushed_reference"]


class ImageStore(Protocol):
    """What a push needs of a container tool."""

    def has(self, reference: str) -> bool:
        """Whether there is an image of this name."""

    def take(self, archive: Path) -> None:
        """Read an archive's image, under the name that it carries."""

    def push(self, reference: str, destination: str, *, verify_tls: bool, log: Path) -> None:
        """Copy an image to a registry. :raises BuildError: it could not be built, with what the registry said."""


def push(
    built: Built, repository: str, *, progress: Progress, verify_tls: bool = True, store: ImageStore | None = None
) -> str:
    """Push an image below `repository`, as in `registry.example/team`; returns the name that pods use.

    Without `verify_tls` plain HTTP is spoken too, for a registry of one's own.

    :raises BuildError: it could not be built, with what the registry said.
    :raises CommandError: the image's archive cannot be read.
    """
    images = store or Buildah(cache_folder() / "images")
    destination = pushed_reference(built, repository)
    with tempfile.TemporaryDirectory(prefix="push-") as folder, progress.step(f"pushing image {built.name}"):
        if not images.has(built.reference):
            # The storage was cleaned; the archive in the cache is the image, whatever became of the builds.
            images.take(built.archive)
        images.push(built.reference, destination, verify_tls=verify_tls, log=Path(folder) / "push.log")
    return destination


def pushed_reference(built: Built, repository: str) -> str:
    """The image's name in a registry: only the place before it changes, the tag still says what is in it."""
    return f"{repository.rstrip('/')}/{built.reference.removeprefix('localhost/')}"
