"""Which files decide an image: all that its Dockerfile copies, and nothing else."""

import re
from pathlib import Path

import pytest
from session_devtools.images.apt import AptRoute, Source
from session_devtools.images.build import image_key, write_context
from session_devtools.images.definitions import IMAGES, ROOT, VERSION, Image

ROUTE = AptRoute(sources=(Source(uri="http://mirror.example/debian/", suite="bookworm"),))
IMAGE = Image(name="x", dockerfile="Dockerfile", requirements=("lock.txt",), sources=("code",))
names = pytest.mark.parametrize("name", IMAGES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one image."""
    for name in (
        "Dockerfile",
        "lock.txt",
        ".dockerignore",
        "LICENSE",
        VERSION,
        "code/a.py",
        "code/deep/b.py",
        "other/c.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def copied(image: Image) -> list[str]:
    """The sources of a Dockerfile's COPY lines, those between its stages apart."""
    lines = (ROOT / image.dockerfile).read_text().splitlines()
    return [source for line in lines if re.match(r"COPY (?!--from)", line) for source in line.split()[1:-1]]


@names
def test_everything_that_is_copied_counts(name: str) -> None:
    """A file that a Dockerfile copies and the key does not know would leave a stale image in the cache."""
    image = IMAGES[name]
    inputs = image.inputs()

    for source in copied(image):
        assert source in inputs or any(path.startswith(f"{source}/") for path in inputs)


@names
def test_everything_that_counts_is_copied(name: str) -> None:
    """A file that counts and is not copied would rebuild the image for nothing."""
    image = IMAGES[name]

    assert {*image.sources, *image.requirements, *image.packages, "LICENSE"} == set(copied(image)) - {VERSION}


@names
def test_docker_sees_what_is_copied(name: str) -> None:
    """The .dockerignore lets every copied folder through."""
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    for source in copied(IMAGES[name]):
        assert any(source == path or source.startswith(f"{path}/") for path in let_through)


@names
def test_no_rubbish_counts(name: str) -> None:
    """Byte code of the machine that builds is not what an image is made of."""
    assert [] == [path for path in IMAGES[name].inputs() if "__pycache__" in path or path.endswith(".pyc")]


@names
def test_the_lock_has_hashes(name: str) -> None:
    """Pip checks each file against the lock, in the build too."""
    image = IMAGES[name]

    assert all("--hash=sha256:" in (ROOT / lock).read_text() for lock in image.requirements)
    assert len(image.requirements) == (ROOT / image.dockerfile).read_text().count("--require-hashes")


@names
def test_a_dockerfile_is_plain(name: str) -> None:
    """buildah, podman and docker read the same file: no heredoc, no mount and no syntax line of only one of them."""
    text = (ROOT / IMAGES[name].dockerfile).read_text()

    assert "<<" not in text
    assert "RUN --" not in text
    assert "# syntax" not in text
    assert re.search(r"^ARG BASE=docker\.io/library/debian:bookworm-slim(@sha256:[0-9a-f]{64})?$", text, re.MULTILINE)
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", text, re.MULTILINE)
    assert ("${BASE}", "") == stages[-1]
    assert {base for base, _ in stages} <= {"${BASE}", *(name for _, name in stages)}


@names
def test_a_dockerfile_ends_as_a_user_that_is_not_root(name: str) -> None:
    """By number, as the kubelet cannot look names up; and PID 1 is the program itself, which gets the signals."""
    lines = (ROOT / IMAGES[name].dockerfile).read_text().splitlines()

    assert "USER 10001:10001" == lines[-2]
    assert lines[-1].startswith('ENTRYPOINT ["python", "-m", ')


def test_the_dependencies_are_made_alike() -> None:
    """The first layers of all images are the same text, so that the second image takes them from the first."""
    first = {
        image.name: (ROOT / image.dockerfile).read_text().split("FROM ${BASE} AS python\n")[1]
        for image in IMAGES.values()
    }

    assert 1 == len({text.split("COPY requirements")[0] for text in first.values()})


@pytest.mark.parametrize(
    "name", ["Dockerfile", "lock.txt", ".dockerignore", "LICENSE", VERSION, "code/a.py", "code/deep/b.py"]
)
def test_any_change_is_a_new_key(root: Path, name: str) -> None:
    """Each input decides the image."""
    before = image_key(IMAGE.inputs(root), route=ROUTE)

    (root / name).write_text("changed")

    assert before != image_key(IMAGE.inputs(root), route=ROUTE)


def test_a_new_file_is_a_new_key(root: Path) -> None:
    """And so is a file less or a file renamed."""
    before = image_key(IMAGE.inputs(root), route=ROUTE)
    (root / "code/a.py").rename(root / "code/z.py")

    assert before != image_key(IMAGE.inputs(root), route=ROUTE)


def test_other_files_do_not_count(root: Path) -> None:
    """What no image holds may change as it likes; so may times and byte code."""
    before = image_key(IMAGE.inputs(root), route=ROUTE)

    (root / "other/c.py").write_text("changed")
    (root / "code/__pycache__").mkdir()
    (root / "code/__pycache__/a.pyc").write_text("byte code")
    (root / "code/a.py").touch()

    assert before == image_key(IMAGE.inputs(root), route=ROUTE)


def test_another_base_is_a_new_key(root: Path) -> None:
    """An image stands on its base."""
    other = AptRoute(sources=(Source(uri="http://other.example/debian/", suite="bookworm"),))
    inputs = IMAGE.inputs(root)

    assert image_key(inputs, route=ROUTE) != image_key(inputs, route=other)


@names
def test_the_programs_are_installed_and_no_path_leads_to_sources(name: str) -> None:
    """Of what is shipped: a folder on the path has no version. The stand-in is no part of a release."""
    text = (ROOT / IMAGES[name].dockerfile).read_text()

    assert (name != "standin") == ("pip wheel" in text)
    assert (name == "standin") == ("PYTHONPATH" in text)


def test_the_build_reads_what_the_key_was_made_of(root: Path, tmp_path: Path) -> None:
    """A file that changes while the build runs changes neither the image nor makes its key a lie."""
    inputs = IMAGE.inputs(root)
    write_context(inputs, tmp_path / "context")
    (root / "code/a.py").write_text("changed meanwhile")

    assert inputs == IMAGE.inputs(tmp_path / "context")
    assert not (tmp_path / "context/other").exists()


def test_two_checkouts_stage_alike(root: Path, tmp_path: Path) -> None:
    """Modes and times of a checkout are its own business: the layers come out the same."""
    (root / "code/a.py").chmod(0o600)
    write_context(IMAGE.inputs(root), tmp_path / "one")
    (root / "code/a.py").chmod(0o755)
    write_context(IMAGE.inputs(root), tmp_path / "two")

    facts = [
        {str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime) for path in folder.rglob("*")}
        for folder in (tmp_path / "one", tmp_path / "two")
    ]
    assert facts[0] == facts[1]
