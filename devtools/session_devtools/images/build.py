"""From the sources to an OCI archive in the cache, or straight to the archive if it is there.

`__main__`, the demo and the tests call `build`. The key of an image is a hash of everything that decides its content:
the base, the Dockerfile, the locks, the version, the code. It is also the image's tag, so a cluster that runs another tag runs other
code, and an unchanged image is neither built nor loaded twice.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from session_devtools import packages
from session_devtools.build.cache import cache_folder, content_key, entry
from session_devtools.commands import run
from session_devtools.images.annotations import Origin, annotations, find_origin
from session_devtools.images.apt import HOST_CA, AptRoute, find_route
from session_devtools.images.base import base_key, make_base
from session_devtools.images.buildah import Buildah, BuildTool
from session_devtools.images.debian import DIFFERENCES, FOLDER, LABELS, SNAPSHOT, label
from session_devtools.images.definitions import IMAGES, ROOT, Image
from session_devtools.images.logged import last_line
from session_devtools.images.wheels import fetch_wheels
from session_devtools.mounts import mounts_under
from session_devtools.progress import Progress

ARCHIVE: Final = "image.tar"
FACTS: Final = "facts.json"
WHEELS: Final = "/mnt"
""" Where a build sees the wheels: a folder that every Debian has, so that none is left behind. """

CONTEXT_MTIME: Final = 946684800
""" The time of every staged file: the year 2000, in seconds of the epoch. """

KEPT_ARCHIVES: Final = 3
""" Archives of one image that stay in the cache: going back to yesterday's branch is quick. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Built:
    """An image that can be loaded."""

    name: str
    reference: str
    """ Name and tag, as pods call it. """
    archive: Path
    """ An OCI archive that carries the reference. """
    size: int
    """ Bytes of its files, unpacked. """


class PublicBase(NamedTuple):
    """A registry's image to stand on."""

    name: str
    verify_tls: bool = True


def build(
    names: Iterable[str] = tuple(IMAGES),
    *,
    progress: Progress,
    cache: Path | None = None,
    root: Path = ROOT,
    base: PublicBase | None = None,
) -> dict[str, Built]:
    """These images by name, built if anything in them has changed.

    :param base: a registry's image to stand on; None: a Debian made from packages.

    :raises BuildError: it could not be built, with the end of the log.
    :raises MachineError: the machine lacks something.
    """
    image_builder = image_builder_for(progress=progress, cache=cache, root=root, base=base)
    return {name: image_builder.build(IMAGES[name]) for name in names}


def image_builder_for(
    *, progress: Progress, cache: Path | None = None, root: Path = ROOT, base: PublicBase | None = None
) -> "ImageBuilder":
    """The builder of this machine. :raises BuildError, MachineError: as `build` does."""
    packages.ensure(packages.IMAGES, progress=progress)
    folder = cache_folder() if cache is None else cache
    builder = Buildah(folder / "images")
    return ImageBuilder(
        builder=builder,
        route=_route(folder),
        snapshot=_snapshot(),
        public_base=None if base is None else (base.name, builder.pull(base.name, verify_tls=base.verify_tls)),
        origin=find_origin(root),
        cache=folder,
        root=root,
        progress=progress,
    )


def _snapshot() -> str:
    return os.environ.get(SNAPSHOT, "").strip()


def _route(cache: Path) -> AptRoute:
    route, snapshot = find_route(cache=cache), _snapshot()
    return route.at(snapshot) if snapshot else route


def unbuilt(names: Iterable[str] = tuple(IMAGES), *, cache: Path | None = None, root: Path = ROOT) -> list[str]:
    """Those of the images that `build` would have to make. :raises MachineError: as it does."""
    folder = cache_folder() if cache is None else cache
    route = _route(folder)
    return [name for name in names if not (folder / entry_name(IMAGES[name], route=route, root=root)).is_dir()]


def entry_name(image: Image, *, route: AptRoute, root: Path = ROOT) -> str:
    """An image's folder in the cache; the key at its end is also the image's tag."""
    return f"image-{image.name}-{image_key(image.inputs(root), route=route)}"


def image_key(inputs: Mapping[str, bytes], *, route: AptRoute, base: tuple[str, str] | None = None) -> str:
    """The hash over all that decides an image's content; `base`: name and digest of a registry's image."""
    return content_key(files=inputs, extra=(base_key(route), *(base or ())))


def write_context(inputs: Mapping[str, bytes], context: Path) -> None:
    """Write the very bytes that the key was made of, for the build to read: the sources may change meanwhile.

    One mode and one time for all, so that a new checkout of the same files makes the same layers.
    """
    for name, content in inputs.items():
        file = context / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for path in (context, *context.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (CONTEXT_MTIME, CONTEXT_MTIME))


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageBuilder:
    """Builds images one by one: with what, from where, into which cache."""

    builder: BuildTool
    route: AptRoute
    snapshot: str = ""
    """ The address that exact versions of Debian's packages come from; empty: the newest ones are taken. """
    public_base: tuple[str, str] | None = None
    """ Name and digest of a registry's image to stand on. """
    origin: Origin
    cache: Path
    root: Path
    progress: Progress
    clock: Callable[[], datetime] = _utc_now

    def build(self, image: Image) -> Built:
        """One image, out of the cache or new. :raises BuildError: it could not be built. the cache is then as it was."""
        inputs = image.inputs(self.root)
        key = image_key(inputs, route=self.route, base=self.public_base)
        reference = f"{image.repository}:{key}"

        def fill(folder: Path) -> None:
            context = folder / "context"
            write_context(inputs, context)
            base, base_name, base_digest = self.base()
            mounts = self._mounts([context / name for name in image.requirements], scratch=folder)
            arguments = {
                "BASE": base,
                "VERSION": self.origin.version,
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": WHEELS,
                **({SNAPSHOT: self.snapshot} if self.snapshot else {}),
            }
            image_annotations = annotations(
                dockerfile=inputs[image.dockerfile].decode(),
                origin=self.origin,
                created=self.clock(),
                base=(base_name, base_digest),
            )
            log = folder / "build.log"
            make = partial(
                self.builder.build,
                reference,
                dockerfile=context / image.dockerfile,
                context=context,
                arguments=arguments,
                mounts=mounts,
                log=log,
            )
            with self.progress.step(f"image {image.name}", status=lambda: last_line(log)):
                make(annotations=image_annotations)
                if noted := self._noted(image, reference):
                    # What the build has found out is known only now; all layers are there already.
                    make(annotations=image_annotations | noted)
                self.builder.export(reference, folder / ARCHIVE, log=log)
                (folder / FACTS).write_text(json.dumps({"size": self.builder.size(reference)}))
            shutil.rmtree(context)

        folder = entry(f"image-{image.name}-{key}", fill, progress=self.progress, cache=self.cache)
        folder.touch()  # the youngest are the ones that are used
        _remove_old(image, cache=self.cache)
        size = json.loads((folder / FACTS).read_text())["size"]
        return Built(name=image.name, reference=reference, archive=folder / ARCHIVE, size=size)

    def base(self) -> tuple[str, str, str]:
        """The base as a Dockerfile names it, and its name and digest for people."""
        if self.public_base is not None:
            name, digest = self.public_base
            return f"{_without_tag(name)}@{digest}", name, digest
        key, archive = make_base(self.route, progress=self.progress, cache=self.cache)
        reference = f"localhost/debian-base:{key}"
        if not self.builder.has(reference):
            with self.progress.step("base image: unpacking"):
                self.builder.add_base(archive, reference)
        return reference, reference, self.builder.digest(reference)

    def _noted(self, image: Image, reference: str) -> dict[str, str]:
        """The labels of what the build has noted in the image; differences are shown, too."""
        noted = self.builder.read(reference, *LABELS.values())
        differences = noted.get(DIFFERENCES, "").splitlines()
        if differences:
            self.progress.info(f"image {image.name}: Debian's packages differ from {FOLDER}/{image.name}.txt:")
        for line in differences:
            self.progress.info(f"  {line}")
        return {name: text for name, path in LABELS.items() if (text := label(noted.get(path, "")))}

    def _mounts(self, requirements: Iterable[Path], *, scratch: Path) -> dict[Path, str]:
        """What the build's commands see of the machine: the wheels, and the way to Debian's packages if it is special."""
        wheels = fetch_wheels(*requirements, progress=self.progress, cache=self.cache)
        return {wheels: WHEELS, **self.way_to_packages(scratch=scratch)}

    def way_to_packages(self, *, scratch: Path) -> dict[Path, str]:
        """What apt needs to see of the machine inside a container, if its way is special; files are made in `scratch`."""
        mounts = {}
        if self.route.apt_conf:
            (scratch / "apt.conf").write_text(self.route.apt_conf)
            mounts[scratch / "apt.conf"] = "/etc/apt/apt.conf.d/99host"
        if bundle := self.route.certificate_bundle():
            mounts[bundle] = HOST_CA
        return mounts


def _without_tag(name: str) -> str:
    """An image's name as it stands before a digest."""
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".lstrip("/")


def clean(*, cache: Path | None = None) -> list[Path]:
    """Remove all images, their base, layers and wheels; the next build begins anew, with today's packages."""
    folder = (cache_folder() if cache is None else cache).resolve()
    found = [path for pattern in ("image-*", "wheels-*", "apt-*", "images") for path in folder.glob(pattern)]
    for path in found:
        # A build that was cut off may have left its container's file system mounted.
        for point in mounts_under(path):
            run("umount", point)
        shutil.rmtree(path)
    return found


def _remove_old(image: Image, *, cache: Path) -> None:
    found = sorted(cache.glob(f"image-{image.name}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT_ARCHIVES:]:
        shutil.rmtree(path, ignore_errors=True)
