"""Which files go so that another one has room."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.messages.media_room import FEWEST_BYTES, MOST_BYTES, MOST_FILES, YOUNG, bound, removable

NOW = 10 * YOUNG
MB = 1024 * 1024


@dataclass(frozen=True)
class File:
    """A file in the folder."""

    identifier: str
    size: int | None = MB
    used: float = 0.0
    page_key: str | None = None


def removed(files: list[File], *, more: int = MB, arriving: int = 0, spare: int | None = None, needed: str = "") -> str:
    """The removed ones' ids in one text; "no room" where there is none."""
    found = removable(
        files, more=more, arriving=arriving, most=FEWEST_BYTES, spare=spare, needed=frozenset(needed), now=NOW
    )
    return "no room" if found is None else "".join(found)


def test_nothing_goes_where_there_is_room() -> None:
    """Also where nobody knows how much there is."""
    assert "" == removed([File("a")], spare=MB)
    assert "" == removed([File("a")], spare=None)


def test_what_can_be_fetched_again_goes_first() -> None:
    """Then what was used longest ago."""
    files = [File("a", used=1), File("b", used=2), File("c", used=3, page_key="k")]

    assert "c" == removed(files, spare=0)
    assert "cab" == removed(files, spare=0, more=3 * MB)


def test_a_received_file_goes_however_young() -> None:
    """It can be fetched again, and an upload that is refused for it cannot."""
    assert "b" == removed([File("a", used=NOW - 1), File("b", used=NOW, page_key="k")], spare=0)


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [(0, FEWEST_BYTES), (4 * FEWEST_BYTES, FEWEST_BYTES), (8 * FEWEST_BYTES, 2 * FEWEST_BYTES), (2**40, MOST_BYTES)],
)
def test_a_larger_volume_has_room_for_more(capacity: int, expected: int) -> None:
    """So that who is told to raise its size has something of it; a volume may be a node's whole disk."""
    assert expected == bound(capacity)


def test_a_young_upload_and_what_is_needed_stay() -> None:
    """There is no room then."""
    assert "no room" == removed([File("a", used=NOW - 1)], spare=0)
    assert "no room" == removed([File("a")], spare=0, needed="a")
    assert "no room" == removed([], spare=MB - 1)


def test_all_files_have_a_bound() -> None:
    """In bytes, those that arrive included, and in number."""
    assert "" == removed([File("a", size=FEWEST_BYTES - 2 * MB)], arriving=MB)
    assert "a" == removed([File("a", size=FEWEST_BYTES - 2 * MB)], arriving=MB + 1)
    many = [File(str(number), size=1, used=number) for number in range(MOST_FILES)]
    assert "0" == removed(many)


@given(st.lists(st.builds(File, st.uuids().map(str), st.integers(0, MB), st.floats(0, NOW))), st.integers(0, 4 * MB))
def test_no_more_goes_than_is_needed(files: list[File], spare: int) -> None:
    """Without the last one there would be no room."""
    found = removable(files, more=2 * MB, arriving=0, most=FEWEST_BYTES, spare=spare, needed=frozenset(), now=NOW)
    sizes = {file.identifier: file.size or 0 for file in files}
    if found:
        assert spare + sum(sizes[name] for name in found[:-1]) < 2 * MB <= spare + sum(map(sizes.__getitem__, found))
