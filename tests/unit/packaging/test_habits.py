"""What CONTRIBUTING promises: paths and commands that are there, and commits whose subjects can be read in a list."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKSHOP = (ROOT / "CONTRIBUTING.md").read_text()
PARTS = (ROOT, ROOT / "operator/whatsapp_operator", ROOT / "session-runner/session_runner")


def commit(tmp_path: Path, message: str) -> subprocess.CompletedProcess[str]:
    """Ask the hook about a message, as git does."""
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text(message)
    return subprocess.run([ROOT / "scripts/commit-subject", file], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "message",
    [
        "runner: keep the reason of a logout\n\nA body of any length.\n",
        "local-cluster: x",
        f"docs: {'é' * 66}",
        "Merge branch 'runner'",
        'Revert "runner: keep the reason"',
        "fixup! runner: keep the reason",
    ],
)
def test_a_subject_with_an_area_is_taken(tmp_path: Path, message: str) -> None:
    """So is what git writes by itself; characters count, not bytes."""
    assert (0, "") == ((done := commit(tmp_path, message)).returncode, done.stderr)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("Keep the reason of a logout", "has no area"),
        ("runner:keep the reason", "has no area"),
        ("runner: ", "has no area"),
        ("", "has no area"),
        ("Runner: keep the reason", "has no area"),
        (f"runner: {'x' * 65}\n", "has 73 characters, 72 at most"),
    ],
)
def test_another_subject_is_refused(tmp_path: Path, message: str, says: str) -> None:
    """With what to write instead."""
    done = commit(tmp_path, message)

    assert 1 == done.returncode
    assert says in done.stderr


def test_the_recipes_name_files_that_exist() -> None:
    """Who follows a recipe finds each file and folder it names with its path."""
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)*/(?:[\w.-]+\.\w+)?)`", WORKSHOP))

    assert len(named) > 25
    assert set() == {path for path in named if not any((part / path).exists() for part in PARTS)}


def test_hooks_run_what_is_locked() -> None:
    """Programs of .venv and the checkout alone: nothing is fetched for a commit, and no second version of a linter runs."""
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    programs = {hook["entry"].split()[0] for hook in repository["hooks"]}

    assert "local" == repository["repo"]
    assert {"system"} == {hook["language"] for hook in repository["hooks"]}
    assert set() == {name for name in programs - {"make"} if not name.startswith((".venv/bin/", "scripts/"))}


def test_the_change_log_has_its_three_heads() -> None:
    """Each release says what was added, changed and fixed, in this order, and nothing stands outside of them."""
    releases = re.split(r"^## \[", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]

    assert releases[0].startswith("Unreleased]")
    for release in releases:
        heads = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert [head for head in ("Added", "Changed", "Fixed") if head in heads] == heads
        assert set() == {line[:2] for line in release.splitlines()[1:] if line} - {"##", "- "}
