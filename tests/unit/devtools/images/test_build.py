"""The way of an image from its sources to the cache, with a container tool that only notes what it is asked."""

import dataclasses
import io
import os
import re

import pytest
from session_devtools.errors import BuildError
from session_devtools.images.annotations import Origin
from session_devtools.images.apt import HOST_CA, AptRoute, Source
from session_devtools.images.base import ARCHIVE as BASE_ARCHIVE
from session_devtools.images.base import base_key
from session_devtools.images.build import ARCHIVE, KEPT_ARCHIVES, WHEELS, ImageBuilder, clean
from session_devtools.images.debian import DIFFERENCES, LABELS
from session_devtools.images.definitions import Image
from session_devtools.progress import ConsoleProgress
from unit.devtools.images.conftest import ROUTE
from unit.devtools.images.notebook import Notebook

IMAGE = Image(name="x", dockerfile="Dockerfile", requirements=("lock.txt",), sources=("code",))


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


def test_what_the_build_has_found_out_becomes_labels(image_builder: ImageBuilder, tool: Notebook) -> None:
    """The version of the browser that came up, and what differs from the file of Debian's packages, which is shown, too."""
    tool.noted = {path: f"{name} 2 instead of 1\nand more\n" for name, path in LABELS.items()}
    output = io.StringIO()
    shown = dataclasses.replace(image_builder, progress=ConsoleProgress(stream=output))

    shown.build(IMAGE)

    assert {name: f"{name} 2 instead of 1; and more" for name in LABELS}.items() <= tool.annotations.items()
    assert "org.opencontainers.image.version" in tool.annotations
    assert "differ from requirements/debian/x.txt" in output.getvalue()
    assert "dev.wasession.debian-differences 2 instead of 1\n" in output.getvalue()


def test_an_image_that_is_as_the_file_says_has_no_label_about_it(image_builder: ImageBuilder, tool: Notebook) -> None:
    """Neither has one that noted nothing."""
    tool.noted = {DIFFERENCES: "\n"}

    image_builder.build(IMAGE)

    assert [] == [name for name in tool.annotations if name.startswith("dev.wasession.")]
    assert 1 == tool.builds


def test_exact_packages_come_from_a_snapshot(image_builder: ImageBuilder, tool: Notebook) -> None:
    """The build is told its address; without one it is told nothing, for a Dockerfile's own default holds."""
    image_builder.build(IMAGE)
    assert "DEBIAN_SNAPSHOT" not in tool.arguments
    (image_builder.root / "code/a.py").write_text("changed")

    dataclasses.replace(image_builder, snapshot="http://snapshot.example/debian/20260101T000000Z").build(IMAGE)

    assert "http://snapshot.example/debian/20260101T000000Z" == tool.arguments["DEBIAN_SNAPSHOT"]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("docker.io/library/debian:bookworm-slim", "docker.io/library/debian@sha256:d2"),
        ("127.0.0.1:5000/debian:12", "127.0.0.1:5000/debian@sha256:d2"),
        ("127.0.0.1:5000/debian", "127.0.0.1:5000/debian@sha256:d2"),
    ],
)
def test_a_registry_s_base_is_named_with_its_digest(
    name: str, base: str, image_builder: ImageBuilder, tool: Notebook
) -> None:
    """The build stands on exactly that one, and the image says so; another digest is another image."""
    on_debian = image_builder.build(IMAGE)
    tool.images.add(base)
    public = dataclasses.replace(image_builder, public_base=(name, "sha256:d2"))

    built = public.build(IMAGE)

    assert base == tool.arguments["BASE"]
    assert (name, "sha256:d2") == (
        tool.annotations["org.opencontainers.image.base.name"],
        tool.annotations["org.opencontainers.image.base.digest"],
    )
    tool.images.add(base.replace("d2", "d3"))
    newer = dataclasses.replace(public, public_base=(name, "sha256:d3")).build(IMAGE)
    assert 3 == len({on_debian.reference, built.reference, newer.reference})


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
