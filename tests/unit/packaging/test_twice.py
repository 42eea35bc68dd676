"""Tests on real clusters have a second try, and what needed it is named: `scripts/test-twice`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SCRIPT = Path(__file__).parents[3] / "scripts/test-twice"
TESTS = """
import pathlib, pytest

@pytest.mark.xdist_group("of its own")
@pytest.mark.parametrize("name", {names})
def test_it(name):
    mark = pathlib.Path(__file__).with_name("passes " + name)
    passes, _ = mark.exists(), mark.touch()
    assert passes and not name.startswith("never")

def test_other():
    with pathlib.Path(__file__).with_name("others").open("a") as file:
        file.write("x")
"""

WHY = ["    test_it.py:9: AssertionError", "    E       assert (False)"]


def run_tests(folder: Path, names: list[str], *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests of which each fails the first time, and in groups, as the real ones."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(TESTS.format(names=names))
    command = [
        str(SCRIPT),
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:randomly",
        "-n",
        "1",
        "--dist",
        "loadgroup",
        *options,
        ".",
    ]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=150
    )


def test_what_passes_the_second_time_is_named(tmp_path: Path) -> None:
    """Under its name without the group; what passed at once is not run again."""
    done = run_tests(tmp_path, ["a@b"])

    lines = done.stdout.splitlines()
    assert 0 == done.returncode, done.stdout
    assert ["FLAKY test_it.py::test_it[a@b]: failed, then passed", *WHY] == lines[-len(WHY) - 1 :]
    assert "x" == (tmp_path / "others").read_text()


def test_the_first_run_counts_for_the_coverage(tmp_path: Path) -> None:
    """Else one flaky test would be a floor missed."""
    (tmp_path / ".coveragerc").write_text("[run]\nsource = .\n")
    (tmp_path / "module.py").write_text("def first():\n    return 1\n")
    (tmp_path / "test_module.py").write_text("import module\n\ndef test_first():\n    assert module.first()\n")

    done = run_tests(tmp_path, ["a"], "--cov", "--cov-report=term", "--cov-fail-under=100")

    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(
    ("names", "tries"),
    [(["never"], "2"), (["one"], "1"), (["a", "b", "c", "d", "e", "f"], "2")],
    ids=["fails twice", "one try is asked for", "too many fail"],
)
def test_failed_is_what_fails_for_good(tmp_path: Path, names: list[str], tries: str) -> None:
    """Twice, or where no second try is due; nothing is called flaky then."""
    done = run_tests(tmp_path, names, TRIES=tries)

    assert 1 == done.returncode, done.stdout
    assert "FLAKY" not in done.stdout
    end = done.stdout.partition("==> failed:\n")[2].splitlines()
    assert {f"FAILED test_it.py::test_it[{name}]" for name in names} == {line for line in end if line[0] != " "}
    assert len(names) == end.count(WHY[0])
