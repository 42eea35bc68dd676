"""The repository's own rules that no linter holds."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("operator", "session-runner", "local-cluster", "demo", "plugin", "bench", "tests")


def test_no_python_file_is_over_500_lines() -> None:
    """A file that grows over 500 lines has more than one concern and is split."""
    too_long = {
        str(path.relative_to(ROOT)): count
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 500
    }

    assert too_long == {}
