"""The way of an image from its sources to the cache, with a container tool that only notes what it is asked."""

import dataclasses
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from session_devtools.errors import BuildError
from session_devtools.images.annotations import Origin
from session_devtools.images.apt import HOST_CA, AptRoute, Source
from session_devtools.images.base import ARCHIVE as BASE_ARCHIVE
from session_devtools.images.base import base_key
from session_devtools.images.build import ARCHIVE, KEPT_ARCHIVES, WHEELS, ImageBuilder, clean
from session_devtools.images.definitions import Image
from session_devtools.images.wheels import fetch_wheels
from session_devtools.progress import NoProgress

ROUTE = AptRoute(sources=(Source(uri="http://mirror.example/debian/", suite="bookworm"),))
IMAGE = Image(name="x", dockerfile="Dockerfile", requirements=("lock.txt",), sources=("code",))


class Notebook:
    """A container tool without containers."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.arguments: Mapping[str, str] = {}
        self.annotations: Mapping[str, str] = {}
        self.mounts: dict[str, Path] = {}
        self.texts: dict[str, str] = {}
        self.builds = 0
        self.fails = False

    def has(self, reference: str) -> bool:
        """By name."""
        return reference in self.images

    def add_base(self, archive: Path, reference: str) -> None:
        """Needs the archive."""
        assert archive.exists()
        self.images.add(reference)

    def build(
        self,
        reference: str,
        *,
        dockerfile: Path,
        context: Path,
        arguments: Mapping[str, str],
        annotations: Mapping[str, str],
        mounts: Mapping[Path, str],
        log: Path,
    ) -> None:
        """Notes all of it; the mounted files' text too, as they may be gone later."""
        self.builds += 1
        log.write_text("it goes on\n")
        if self.fails:
            raise BuildError("no space left")
        assert dockerfile.is_relative_to(context)
        assert arguments["BASE"] in self.images
        self.arguments = arguments
        self.annotations = annotations
        self.mounts = {target: path for path, target in mounts.items()}
        self.texts = {target: path.read_text() for path, target in mounts.items() if path.is_file()}
        self.images.add(reference)

    def export(self, reference: str, archive: Path, *, log: Path) -> None:
        """A file with the name in it."""
        assert log.exists()
        archive.write_text(reference)

    def size(self, reference: str) -> int:
        """Always the same."""
        assert reference in self.images
        return 42

    def digest(self, reference: str) -> str:
        """Of an image that is there."""
        assert reference in self.images
        return "sha256:d1"


@pytest.fixture
def tool() -> Notebook:
    """The container tool."""
    return Notebook()


@pytest.fixture
def image_builder(tmp_path: Path, tool: Notebook, monkeypatch: pytest.MonkeyPatch) -> ImageBuilder:
    """A repository with one image; base and wheels are made already."""
    root, cache = tmp_path / "root", tmp_path / "cache"
    for name in ("Dockerfile", "lock.txt", ".dockerignore", "LICENSE", "code/a.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    base = cache / f"image-base-{base_key(ROUTE)}"
    base.mkdir(parents=True)
    (base / BASE_ARCHIVE).touch()
    # A lock without packages needs no pip that works: an empty one is enough to fill the cache.
    monkeypatch.setattr("session_devtools.images.wheels.run_logged", lambda *_, log, **__: log.touch())
    fetch_wheels(root / "lock.txt", progress=NoProgress(), cache=cache)
    return ImageBuilder(
        builder=tool,
        route=ROUTE,
        origin=Origin(version="1.2.3", revision="c0ffee"),
        cache=cache,
        root=root,
        progress=NoProgress(),
        clock=lambda: datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
    )


def test_an_image_comes_with_its_name_and_its_archive(image_builder: ImageBuilder, tool: Notebook) -> None:
    """The tag is the hash of the content, the archive carries the whole name."""
    built = image_builder.build(IMAGE)

    assert re.fullmatch(r"localhost/whatsapp-x:[0-9a-f]{12}", built.reference)
    assert (built.archive.read_text(), built.size, tool.builds) == (built.reference, 42, 1)


def test_the_second_time_nothing_is_built(image_builder: ImageBuilder, tool: Notebook) -> None:
    """Not even the container tool is asked."""
    first = image_builder.build(IMAGE)
    tool.images.clear()

    assert image_builder.build(IMAGE) == first
    assert tool.builds == 1


def test_a_change_is_a_new_image(image_builder: ImageBuilder, tool: Notebook) -> None:
    """Under a new name: a cluster that runs the old one goes on with it until it is told."""
    first = image_builder.build(IMAGE)
    (image_builder.root / "code/a.py").write_text("changed")

    second = image_builder.build(IMAGE)

    assert first.reference != second.reference
    assert first.archive.exists()
    assert tool.builds == 2


def test_another_commit_is_not(image_builder: ImageBuilder, tool: Notebook) -> None:
    """The image says which commit it was built from; one with the same files needs none of its own."""
    first = image_builder.build(IMAGE)

    assert dataclasses.replace(image_builder, origin=Origin(version="1.2.3", revision="bad")).build(IMAGE) == first
    assert tool.builds == 1


def test_an_image_says_what_it_is_and_where_it_comes_from(image_builder: ImageBuilder, tool: Notebook) -> None:
    """What the Dockerfile says of itself, and what the build knows."""
    (image_builder.root / "Dockerfile").write_text('LABEL org.opencontainers.image.title="x" \\\n')

    image_builder.build(IMAGE)

    prefix = "org.opencontainers.image."
    assert {
        f"{prefix}title": "x",
        f"{prefix}version": "1.2.3",
        f"{prefix}revision": "c0ffee",
        f"{prefix}created": "2026-03-04T05:06:07Z",
        f"{prefix}base.name": f"localhost/debian-base:{base_key(ROUTE)}",
        f"{prefix}base.digest": "sha256:d1",
    } == tool.annotations


def test_going_back_is_free(image_builder: ImageBuilder, tool: Notebook) -> None:
    """Yesterday's branch has its image in the cache."""
    first = image_builder.build(IMAGE)
    (image_builder.root / "code/a.py").write_text("changed")
    image_builder.build(IMAGE)
    (image_builder.root / "code/a.py").write_text("code/a.py")

    assert image_builder.build(IMAGE) == first
    assert tool.builds == 2


def test_only_the_last_few_are_kept(image_builder: ImageBuilder) -> None:
    """The cache does not grow with every change; the base and other images are not touched."""
    other = image_builder.cache / "image-xyz-0"
    other.mkdir()
    for number in range(KEPT_ARCHIVES + 2):
        (image_builder.root / "code/a.py").write_text(str(number))
        built = image_builder.build(IMAGE)
        os.utime(built.archive.parent, (number, number))
    newest = image_builder.build(IMAGE)

    kept = list(image_builder.cache.glob("image-x-*"))
    assert len(kept) == KEPT_ARCHIVES
    assert newest.archive.parent in kept
    assert other.exists()
    assert len(list(image_builder.cache.glob("image-base-*"))) == 1


def test_a_build_needs_no_index_and_no_network_for_its_wheels(image_builder: ImageBuilder, tool: Notebook) -> None:
    """They are mounted, and pip asks nobody."""
    image_builder.build(IMAGE)

    assert tool.arguments["PIP_NO_INDEX"] == "1"
    assert tool.arguments["PIP_FIND_LINKS"] == WHEELS
    assert tool.mounts[WHEELS].name.startswith("wheels-lock-")
    assert set(tool.mounts) == {WHEELS}


def test_a_machine_behind_a_proxy_lends_its_way(image_builder: ImageBuilder, tool: Notebook) -> None:
    """Apt's settings and the machine's authorities are seen during the build, and are no part of the image."""
    source = Source(uri="https://mirror.example/debian/", suite="bookworm")
    route = AptRoute(sources=(source,), settings=('Acquire::https::Proxy "http://proxy.example:3128";',))
    behind = dataclasses.replace(image_builder, route=route)
    base = image_builder.cache / f"image-base-{base_key(route)}"
    base.mkdir()
    (base / BASE_ARCHIVE).touch()

    behind.build(IMAGE)

    assert tool.texts["/etc/apt/apt.conf.d/99host"] == route.apt_conf
    assert HOST_CA in tool.mounts
    assert not any("proxy" in value for value in tool.arguments.values())


def test_a_failed_build_leaves_the_cache_as_it_was(image_builder: ImageBuilder, tool: Notebook) -> None:
    """The next try begins anew, and succeeds."""
    tool.fails = True
    before = {path.name for path in image_builder.cache.iterdir() if not path.name.startswith(".")}
    with pytest.raises(BuildError, match="no space left"):
        image_builder.build(IMAGE)
    after = {path.name for path in image_builder.cache.iterdir() if not path.name.startswith(".")}
    tool.fails = False

    assert before == after
    assert image_builder.build(IMAGE).size == 42


def test_the_context_is_not_kept(image_builder: ImageBuilder) -> None:
    """The archive, its size and the log are all that stays of a build."""
    built = image_builder.build(IMAGE)

    assert {path.name for path in built.archive.parent.iterdir()} == {ARCHIVE, "facts.json", "build.log"}


def test_the_base_is_unpacked_once(image_builder: ImageBuilder, tool: Notebook) -> None:
    """All images stand on the same."""
    image_builder.build(IMAGE)
    bases = {name for name in tool.images if "debian-base" in name}
    image_builder.build(dataclasses.replace(IMAGE, name="y"))

    assert bases == {name for name in tool.images if "debian-base" in name}
    assert bases == {f"localhost/debian-base:{base_key(ROUTE)}"}


def test_cleaning_takes_all_that_building_made(image_builder: ImageBuilder) -> None:
    """And leaves the cache's other contents, which took minutes to compile."""
    image_builder.build(IMAGE)
    (image_builder.cache / "images/root").mkdir(parents=True)
    (image_builder.cache / "kubernetes-v1").mkdir()

    clean(cache=image_builder.cache)

    assert [path.name for path in image_builder.cache.iterdir() if not path.name.startswith(".")] == ["kubernetes-v1"]
    assert clean(cache=image_builder.cache) == []
