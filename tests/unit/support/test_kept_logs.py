"""Logs of pods outlive their pods, and are read as container runtimes write them."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from e2e.kept_logs import KeptLogs, Line, whole_lines


def written(root: Path, container: str, text: str) -> Path:
    """A container's log on the node."""
    file = root / "pods" / f"shop_sales_{container}" / container / "0.log"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("2026-01-01T00:00:00Z stderr F {}\n2026-01-01T00:00:00Z stderr F a b\n", ["{}", "a b"]),
        ("t stderr P one \nt stderr P and \nt stderr F two\n", ["one and two"]),
        ("t stderr F one\nt stderr P cut o", ["one"]),
        ("t stderr F one\nt std", ["one"]),
        ("t stderr F \n", [""]),
        ("", []),
    ],
)
def test_lines_are_put_together(log: str, expected: list[str]) -> None:
    """Long ones come in parts; what was cut off is no line."""
    assert expected == list(whole_lines(log))


def test_what_was_seen_is_kept(tmp_path: Path) -> None:
    """Also what is written after the look, and after the kubelet deleted or renamed the file; other containers are not."""
    logs = KeptLogs(pods=tmp_path / "pods", kept=tmp_path / "kept")
    runner, _other = written(tmp_path, "runner", "t stderr F one\n"), written(tmp_path, "proxy", "t stderr F no\n")
    (tmp_path / "kept").mkdir()
    logs.look()
    with runner.open("a") as open_file:
        runner.rename(runner.with_name("0.log.20260101"))
        logs.look()
        runner.with_name("0.log.20260101").unlink()
        open_file.write("t stderr F two\n")

    assert [Line("runner", "one"), Line("runner", "two")] == list(logs.lines())


def test_a_pod_that_goes_while_it_is_looked_at_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubelet deletes folders at any time; the others are still kept."""
    logs = KeptLogs(pods=tmp_path / "pods", kept=tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    going, _staying = written(tmp_path, "operator", "t stderr F one\n"), written(tmp_path, "runner", "t stderr F two\n")
    scandir = os.scandir

    def deleted_once_listed(folder: Any) -> Any:
        if str(folder) == str(going.parents[1]):
            shutil.rmtree(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", deleted_once_listed)
    logs.look()
    monkeypatch.undo()

    assert [Line("runner", "two")] == list(logs.lines())
