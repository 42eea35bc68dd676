"""What an image says of itself: what is known, in OCI's words."""

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from session_devtools.images.annotations import PREFIX, Origin, annotations, find_origin, web_address
from session_devtools.images.definitions import IMAGES, ROOT

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
GIT = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
names = pytest.mark.parametrize("name", IMAGES)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a version; not under git."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "4.5.6"\n')
    return tmp_path


def of_image(name: str, *, origin: Origin = Origin(version="1.2.3"), created: datetime = MOMENT) -> dict[str, str]:  # noqa: B008  frozen
    """The annotations of one of the project's images, without their prefix."""
    dockerfile = (ROOT / IMAGES[name].dockerfile).read_text()
    found = annotations(dockerfile=dockerfile, origin=origin, created=created, base=("localhost/base:1", "sha256:b1"))
    assert all(key.startswith(PREFIX) for key in found)
    return {key.removeprefix(PREFIX): text for key, text in found.items()}


@names
def test_each_image_says_what_it_is(name: str) -> None:
    """Title, description, licence and address are the Dockerfile's own, so docker's images have them too."""
    found = of_image(name)

    assert found["title"] == f"whatsapp-{name}"
    assert found["licenses"] == "Apache-2.0"
    assert found["url"].startswith("https://")
    assert len(found["description"]) > 20


@names
def test_a_build_adds_what_it_knows(name: str) -> None:
    """The version and no hash, the commit, the moment, the base."""
    found = of_image(name, origin=Origin(version="1.2.3", revision="c0ffee", source="https://example.com/it"))

    assert {
        "version": "1.2.3",
        "revision": "c0ffee",
        "source": "https://example.com/it",
        "created": "2026-03-04T05:06:07Z",
        "base.name": "localhost/base:1",
        "base.digest": "sha256:b1",
    }.items() <= found.items()


def test_what_is_not_known_is_left_out() -> None:
    """Sources from an archive have no commit; an empty text would be a claim."""
    assert not {"revision", "source"} & of_image("operator").keys()


def test_the_moment_is_in_utc() -> None:
    """As RFC 3339 has it, wherever it was built."""
    there = datetime(2026, 3, 4, 7, 6, 7, tzinfo=timezone(timedelta(hours=2)))

    assert of_image("operator")["created"] == of_image("operator", created=there)["created"]


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("https://git.example/team/it.git", "https://git.example/team/it.git"),
        ("https://jo:secret@git.example:8443/it?x=1#y", "https://git.example:8443/it"),
        ("http://git.example/it", "http://git.example/it"),
        ("git@git.example:team/it.git", None),
        ("ssh://jo:secret@git.example/it", None),
        ("/home/jo/it", None),
        ("file:///home/jo/it", None),
        ("https:///it", None),
        ("", None),
    ],
)
def test_only_a_web_address_is_given(remote: str, expected: str | None) -> None:
    """Nobody's login or folders get into an image."""
    assert expected == web_address(remote)


def test_an_archive_knows_its_version(checkout: Path) -> None:
    """And no commit: there is no repository around it."""
    assert Origin(version="4.5.6") == find_origin(checkout)


def test_a_checkout_knows_its_commit_and_whether_it_is_clean(checkout: Path) -> None:
    """A change that is not committed is told, for then the commit is not all there is."""
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "x"]):
        subprocess.run([*GIT, *arguments], cwd=checkout, check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://jo:secret@git.example/it"], cwd=checkout, check=True)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=checkout, text=True).strip()
    clean = find_origin(checkout)
    (checkout / "pyproject.toml").write_text('[project]\nversion = "4.5.7"\n')
    changed = find_origin(checkout)

    assert Origin(version="4.5.6", revision=commit, source="https://git.example/it") == clean
    assert ("4.5.7", f"{commit}-dirty") == (changed.version, changed.revision)
