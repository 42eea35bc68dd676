"""Tests that share something heavy are a group, which one worker has: pytest and its plugin have to agree on how that is told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(8))
@pytest.mark.xdist_group("shared")
def test_it(number):
    print(f"<worker {os.environ['PYTEST_XDIST_WORKER']}>")
"""


@pytest.mark.slow
@pytest.mark.timeout(200)  # three programs start
def test_a_group_is_one_workers(tmp_path: Path) -> None:
    """Otherwise each worker would make a cluster of the same name."""
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rP",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    workers = re.findall(r"^<worker (\w+)>$", done.stdout, re.MULTILINE)

    assert 8 == len(workers), done.stdout
    assert 1 == len(set(workers))
