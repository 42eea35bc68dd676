"""The checks of others look at what they should, and find something."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
RENOVATE: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text())
PROGRAMS = Path(sys.executable).parent


def tracked(*patterns: str) -> list[str]:
    """The files under version control, as `make check` finds them."""
    return subprocess.check_output(["git", "ls-files", "--", *patterns], cwd=ROOT, text=True).split()


def expression(pattern: str) -> re.Pattern[str]:
    """A regular expression out of Renovate's notation."""
    assert pattern.startswith("/")
    assert pattern.endswith("/")
    return re.compile(pattern[1:-1])


def test_renovate_sees_every_lock() -> None:
    """One that it does not see would stay behind, and its image with it; Debian's packages have a command of their own."""
    patterns = [expression(pattern) for pattern in RENOVATE["pip_requirements"]["managerFilePatterns"]]
    locks, debians = tracked(":(glob)requirements/*.txt", "*toolchain.txt"), tracked("requirements/debian/*.txt")

    assert len(locks) > 5
    assert len(debians) == 3
    assert [] == [lock for lock in debians if any(pattern.search(lock) for pattern in patterns)]
    assert [] == [lock for lock in locks if not any(pattern.search(lock) for pattern in patterns)]


def test_renovate_watches_python_go_node_and_debian() -> None:
    """By the managers of the files that are there."""
    assert {"pep621", "pip_requirements", "gomod", "npm", "dockerfile"} == set(RENOVATE["enabledManagers"])
    assert tracked("*pyproject.toml")
    assert tracked("*go.mod")
    assert [] == [name for name in tracked("*Dockerfile*") if "ARG BASE=docker.io/library/debian:" not in read(name)]


@pytest.mark.parametrize(
    ("program", "name", "text", "finding"),
    [
        ("shellcheck", "script", "#!/bin/sh\necho $1\n", "SC2086"),
        ("hadolint", "Dockerfile", "FROM debian:bookworm\nRUN cd /tmp\n", "DL3003"),
    ],
)
def test_a_check_finds_something(tmp_path: Path, program: str, name: str, text: str, finding: str) -> None:
    """It runs with the project's own settings and is not vacuous."""
    (tmp_path / name).write_text(text)

    done = subprocess.run(
        [PROGRAMS / program, tmp_path / name], cwd=ROOT, capture_output=True, text=True, check=False, timeout=50
    )

    assert done.returncode == 1
    assert finding in done.stdout


def read(name: str) -> str:
    """A file's text."""
    return (ROOT / name).read_text()
