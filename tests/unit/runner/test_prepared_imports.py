"""The imports that the build of the image prepares, tried in processes of their own with the real modules."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from session_runner.host import prepared_imports

NAMES = ("session_runner.states.facts", "session_protocol.redaction")
PREPARE = f"""
import pathlib, sys
from session_runner.host.prepared_imports import prepare
prepare(pathlib.Path(sys.argv[1]), {NAMES!r})
"""
LOOK = """
import json, pathlib, re, sys
from session_runner.host import prepared_imports
usual = (re._compiler.compile, list(sys.meta_path))
prepared = prepared_imports.use(pathlib.Path(sys.argv[1]))
from session_protocol.redaction import redact
from session_runner.states import facts
found = {
    "used": prepared is not None,
    "loader": type(facts.__loader__).__name__,
    "file": facts.__file__,
    "package": list(sys.modules["session_runner.states"].__path__),
    "facts": repr(facts.Facts(booted=True)),
    "equal": facts.Facts() == facts.Facts() != facts.Facts(booted=True),
    "redacted": redact("write to somebody@example.com, +1 555 0100 000"),
    "line": facts.Facts.parse.__code__.co_firstlineno,
}
if prepared is not None:
    prepared.end()
import dataclasses, session_runner.states.history as later
found["as usual"] = usual == (re._compiler.compile, sys.meta_path) and "exec" not in vars(dataclasses)
found["later"] = type(later.__loader__).__name__
print(json.dumps(found))
"""


def _python(code: str, file: Path) -> str:
    command = [sys.executable, "-c", code, str(file)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that a build would leave."""
    file = tmp_path_factory.mktemp("prepared") / "imports"
    _python(PREPARE, file)
    return file


def _look(file: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_python(LOOK, file))
    assert answer.pop("as usual")
    assert answer.pop("later") == "SourceFileLoader"
    return answer


def test_what_was_prepared_is_the_same(prepared: Path, tmp_path: Path) -> None:
    """Classes, patterns, files and lines are those of the sources; only where the code comes from differs, until the end."""
    usual, used = _look(tmp_path / "absent"), _look(prepared)

    assert (usual.pop("used"), usual.pop("loader")) == (False, "SourceFileLoader")
    assert (used.pop("used"), used.pop("loader")) == (True, "_Loader")
    assert usual == used


@pytest.mark.parametrize("damage", ["empty", "cut off", "of another Python", "another file"])
def test_what_cannot_be_used_is_left_alone(prepared: Path, tmp_path: Path, damage: str) -> None:
    """A start without it takes longer and is no other."""
    whole = prepared.read_bytes()
    other = {
        "empty": b"",
        "cut off": whole[:1000],
        "of another Python": whole.replace(sys.version.encode(), b"4" * len(sys.version), 1),
        "another file": b"#!/bin/sh\n" * 100,
    }
    file = tmp_path / "imports"
    file.write_bytes(other[damage])

    assert not _look(file)["used"]


def test_all_that_a_start_imports_is_prepared() -> None:
    """The two that the process begins with; what they import follows."""
    source = Path(prepared_imports.__file__).parents[1] / "__main__.py"

    assert set(prepared_imports.ALL) == {"session_runner.__main__", "session_runner.serving"}
    assert '"session_runner.serving"' in source.read_text()
