"""Writing a file as a whole, and reading only what is one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from session_protocol.files import LONGEST, read_small, write_atomically


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


def test_a_small_file_is_read(tmp_path: Path) -> None:
    """To its last byte that is allowed."""
    path = tmp_path / "state.json"
    path.write_text("a" * LONGEST)

    assert "a" * LONGEST == read_small(path)


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(os.mkfifo, id="a pipe, which nobody writes to"),
        pytest.param(lambda path: path.symlink_to("/proc/self/environ"), id="a link out of the volume"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="a link to a file without end"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nothing"),
        pytest.param(lambda path: path.mkdir(), id="a folder"),
        pytest.param(lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 30), id="a gigabyte"),
    ],
)
def test_what_is_no_small_file_is_not_read(tmp_path: Path, put: Callable[[Path], object]) -> None:
    """It is an error at once, and never taken for a file that is absent."""
    path = tmp_path / "state.json"
    put(path)

    with pytest.raises(OSError) as refused:  # noqa: PT011 -- each kind has its own words
        read_small(path)
    assert not isinstance(refused.value, FileNotFoundError)
    assert str(path) == refused.value.filename
