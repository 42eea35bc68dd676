"""Programs for Node, by their lock files: nothing is installed here."""

import json
from pathlib import Path

import pytest
from session_devtools.build import node
from session_devtools.progress import NoProgress
from support.node_clients import SOURCES


def test_a_changed_program_is_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its place says what is in it, so that an old one is never taken for it."""
    monkeypatch.setenv("WHATSAPP_OPERATOR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "main.mjs").write_text("1")
    before = node.place("program", tmp_path)
    (tmp_path / "main.mjs").write_text("2")

    assert before != node.place("program", tmp_path)
    assert before.parent == tmp_path / "cache"


def test_packages_are_installed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the lock file, without the scripts that packages bring; a missing npm is installed before."""
    monkeypatch.setenv("WHATSAPP_OPERATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    ensured: list[tuple[str, ...]] = []
    ran: list[tuple[object, ...]] = []
    monkeypatch.setattr("session_devtools.packages.ensure", lambda names, **_: ensured.append(names))
    monkeypatch.setattr(node, "run", lambda *command, **_: ran.append(command))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "main.mjs").write_text("1")

    folders = {node.installed("program", tmp_path / "sources", progress=NoProgress()) for _ in range(2)}

    assert [("npm",), ("npm",)] == ensured
    assert [("npm", "ci", "--ignore-scripts")] == [command[:3] for command in ran]
    assert ["1"] == [(folder / "main.mjs").read_text() for folder in folders]


def test_the_clients_of_the_tests_are_pinned() -> None:
    """Each by its content, as asked for, and without a word about where it was fetched from."""
    asked = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in locked.items() if name}

    assert asked == {name: locked[f"node_modules/{name}"]["version"] for name in asked}
    assert [] == [name for name, package in fetched.items() if not package.get("integrity", "").startswith("sha512-")]
    assert [] == [name for name, package in fetched.items() if "resolved" in package]
