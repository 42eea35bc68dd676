"""Bring built images into a registry, for a cluster that is not on this machine.

Who may push is the registry's business: buildah reads the logins that `docker login`, `podman login` or `buildah login`
left, and none are kept here.
"""

from collections.abc import Iterable
from pathlib import Path

from local_cluster.build.cache import cache_folder
from local_cluster.images.build import Built
from local_cluster.images.buildah import Buildah
from local_cluster.steps import Progress


def push(
    images: Iterable[Built], *, registry: str, progress: Progress, plain_http: bool = False, cache: Path | None = None
) -> dict[str, str]:
    """Push them below `registry`, as in `registry.example/team`; returns the name that pods use, by image.

    Raises BuildError with what the registry said. `plain_http` is for a registry of one's own on this machine.
    """
    folder = cache_folder() if cache is None else cache
    buildah = Buildah(folder / "images")
    pushed: dict[str, str] = {}
    for built in images:
        target = target_of(built, registry=registry)
        log = folder / f".push-{built.name}.log"
        log.unlink(missing_ok=True)
        with progress.step(f"pushing {target}"):
            if not buildah.has(built.reference):
                # The storage was cleaned, or the archive comes from another machine's cache.
                buildah.take(built.archive, log=log)
            buildah.push(built.reference, target, plain_http=plain_http, log=log)
        log.unlink()
        pushed[built.name] = target
    return pushed


def target_of(built: Built, *, registry: str) -> str:
    """The image's name in a registry: the same name and tag, only the host differs."""
    return f"{registry.rstrip('/')}/{built.reference.removeprefix('localhost/')}"
