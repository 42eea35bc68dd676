"""Writing a file as a whole."""

import os
from pathlib import Path

import pytest
from session_protocol.files import write_atomically


def test_the_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """And nothing else is left in the folder."""
    path = tmp_path / "state.json"
    path.write_text("old")
    write_atomically(path, "new ä")

    assert "new ä" == path.read_text(encoding="utf-8")
    assert [path] == list(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full volume costs the new content only."""
    path = tmp_path / "state.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", _full)

    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert "old" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_a_link_in_its_way_is_not_written_through(tmp_path: Path) -> None:
    """What lies under the draft's name is removed, whatever it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    (tmp_path / "state.new").symlink_to(elsewhere)
    write_atomically(tmp_path / "state.json", "new")

    assert "theirs" == elsewhere.read_text()
    assert "new" == (tmp_path / "state.json").read_text()


def _full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")
