"""The file that names Debian's packages of an image, and the label that tells what an image has instead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_devtools.errors import BuildError
from session_devtools.images.build import ImageBuilder
from session_devtools.images.debian import LONGEST_LABEL, Lock, label, parse_packages, read_lock, renewed
from session_devtools.images.definitions import IMAGES, ROOT
from session_devtools.images.lock import write_locks
from unit.devtools.images.notebook import Notebook

T0 = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LOCK = Lock(
    architecture="amd64",
    resolved=T0,
    packages={"libc6": "2.36-9+deb12u13", "perl-base": "5.36.0-7", "tzdata": "1:2026a~x"},
)


def test_a_file_is_read_as_it_was_written() -> None:
    """One package in a line, sorted, with the time at which a snapshot has them."""
    text = LOCK.format("runner")

    assert LOCK == Lock.parse(text)
    assert "# resolved: 2026-03-04T05:06:07Z\nlibc6=2.36-9+deb12u13\nperl-base=5.36.0-7\n" in text
    assert text.endswith("tzdata=1:2026a~x\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "libc6=2\n",
        "# architecture: amd64\n# resolved: yesterday\nlibc6=2\n",
        "# architecture: amd64\n# resolved: 2026-03-04T05:06:07Z\nlibc6\n",
        "# architecture: amd64\n# resolved: 2026-03-04T05:06:07Z\nlibc6=2 3\n",
        "# architecture: amd64\n# resolved: 2026-03-04T05:06:07Z\nlibc6=2\nlibc6=3\n",
        "# architecture: amd64\n# resolved: 2026-03-04T05:06:07Z\n<<<<<<< HEAD\n",
    ],
)
def test_a_file_that_is_damaged_is_no_lock(text: str, tmp_path: Path) -> None:
    """It is told how to make it anew, and making it anew does not need it."""
    with pytest.raises(BuildError, match="make lock-debian"):
        Lock.parse(text)
    (tmp_path / "x.txt").write_text(text)

    assert read_lock(tmp_path / "x.txt") is None
    assert read_lock(tmp_path / "none.txt") is None


def test_the_package_that_stands_in_is_no_debian_s() -> None:
    """No mirror has it."""
    assert {"libc6": "2"} == parse_packages(["libc6=2", "no-desktop=1"])


def test_a_file_changes_with_its_packages_only() -> None:
    """A day on which nothing changed is no commit; a version, a package or an architecture is one."""
    later = T0 + timedelta(days=1)

    assert LOCK is renewed(LOCK, packages=dict(LOCK.packages), architecture="amd64", now=later)
    assert later == renewed(LOCK, packages={**LOCK.packages, "libc6": "3"}, architecture="amd64", now=later).resolved
    assert later == renewed(LOCK, packages=LOCK.packages, architecture="arm64", now=later).resolved
    assert later == renewed(None, packages=LOCK.packages, architecture="amd64", now=later).resolved


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        ("", ""),
        ("\n", ""),
        ("156.0.7204.49\n", "156.0.7204.49"),
        ("a 2 instead of 1\nb 3 is missing\n", "a 2 instead of 1; b 3 is missing"),
    ],
)
def test_a_label_is_one_line(noted: str, expected: str) -> None:
    """Of what the build has noted."""
    assert expected == label(noted)


@given(st.lists(st.text(alphabet="abc 123", min_size=1, max_size=300), max_size=400))
def test_a_label_has_an_end(lines: list[str]) -> None:
    """However much differs; it then says how much is left out, and loses none of the count."""
    lines = [line.strip() for line in lines if line.strip()]
    text = label("\n".join(lines))

    assert len(text) <= LONGEST_LABEL
    *shown, last = text.split("; ")
    if last.startswith("and ") and last.endswith(" more"):
        assert len(lines) == len(shown) + int(last.split()[1])
        assert lines[: len(shown)] == shown
    else:
        assert "; ".join(lines) == text


@pytest.mark.parametrize("name", IMAGES)
def test_each_image_has_its_file(name: str) -> None:
    """With what is wanted in it, and what that stands on."""
    lock = Lock.parse((ROOT / f"requirements/debian/{name}.txt").read_text())
    lines = [
        line.partition("#")[0].strip() for line in (ROOT / f"requirements/debian/{name}.in").read_text().splitlines()
    ]
    wanted = {line for line in lines if line and not line.startswith("!")}

    assert wanted <= set(lock.packages)
    assert not {line[1:] for line in lines if line.startswith("!")} & set(lock.packages)
    assert {"libc6", "dpkg", "python3-minimal"} <= set(lock.packages)


def test_renewing_writes_what_a_container_of_the_base_gets(image_builder: ImageBuilder, tool: Notebook) -> None:
    """By the script that the build runs, without the file of before; it is told how much has changed."""
    folder = image_builder.root / "requirements/debian"
    results = []
    for packages in ("libc6=2\ntzdata=1\n", "libc6=2\ntzdata=1\n", "libc6=3\nperl=5\n"):
        tool.prints = f"amd64\n{packages}"
        results += [changed for _, changed in write_locks(image_builder, ["x"], now=T0)]

    assert [2, 0, 3] == results
    assert {"/build": ["install-packages", "x.in"]} == tool.folders
    assert "install-packages x" in tool.script
    assert {"libc6": "3", "perl": "5"} == Lock.parse((folder / "x.txt").read_text()).packages
