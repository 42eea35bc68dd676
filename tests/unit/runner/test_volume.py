"""The room on the profile's volume: what it is worth, and what people are told of it."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.profile.volume import (
    CLOSE_BELOW,
    CLOSE_BELOW_INODES,
    LOW_AT_MOST,
    LOW_BELOW,
    MI,
    PROBE_FILE,
    START_FROM,
    START_FROM_INODES,
    Volume,
    measure,
    note,
    refusal,
    shortage,
)
from unit.runner.pages import quick

GI = 1024 * MI


def volume(available: int, *, capacity: int = GI, inodes: int | None = None, error: int | None = None) -> Volume:
    """Return a measurement; `error` is that of writing."""
    failed = None if error is None else OSError(error, os.strerror(error))
    return Volume(capacity=capacity, available=available, inodes_free=inodes, write_error=failed)


@pytest.mark.parametrize(
    ("found", "starts", "goes_on"),
    [
        (volume(GI), True, True),
        (volume(START_FROM), True, True),
        (volume(START_FROM - 1), False, True),
        (volume(CLOSE_BELOW), False, True),
        (volume(CLOSE_BELOW - 1), False, False),
        (volume(0), False, False),
        (volume(GI, inodes=START_FROM_INODES), True, True),
        (volume(GI, inodes=START_FROM_INODES - 1), False, True),
        (volume(GI, inodes=CLOSE_BELOW_INODES - 1), False, False),
        (volume(GI, error=errno.ENOSPC), False, False),
        (volume(GI, error=errno.EDQUOT), False, False),
        (volume(GI, error=errno.EIO), False, False),
        (volume(GI, error=errno.EACCES), False, False),
        (Volume(capacity=GI, available=GI, read_only=True), False, False),
        (volume(0, capacity=0), True, True),
        (volume(0, capacity=0, error=errno.ENOSPC), False, False),
    ],
)
def test_a_browser_starts_and_goes_on_while_there_is_room(found: Volume, *, starts: bool, goes_on: bool) -> None:
    """A start needs more than going on, so that a closed browser is not started on what its own end freed."""
    assert (starts, goes_on) == (refusal(found, running=False) is None, refusal(found, running=True) is None)


def test_the_message_says_how_much_there_is_and_what_to_do() -> None:
    """Size, room, and the field that makes it larger; other faults are called by their own names."""
    full = refusal(volume(3 * MI, capacity=54 * MI), running=True)
    failing = refusal(volume(GI, error=errno.EIO), running=True)
    frozen = refusal(Volume(capacity=GI, available=GI, read_only=True), running=True)

    assert full is not None
    assert "3Mi of 54Mi are free" in full
    assert "spec.profile.size" in full
    assert "Input/output error" in (failing or "")
    assert "read-only" in (frozen or "")


def test_a_shortage_is_shown_before_the_browser_is_closed() -> None:
    """From a tenth of the volume on, never less than the small volumes' bound, never more than a large one's."""
    assert None is shortage(volume(GI // 10 + 1), before=None)
    assert GI // 10 == shortage(volume(GI // 10 - 1), before=None)
    assert LOW_BELOW == shortage(volume(LOW_BELOW - 1, capacity=54 * MI), before=None)
    assert LOW_AT_MOST == shortage(volume(LOW_AT_MOST - 1, capacity=1000 * GI), before=None)
    assert "less than 32Mi of 54Mi are free" in note(volume(20 * MI, capacity=54 * MI), below=LOW_BELOW)
    assert "" == note(volume(GI), below=None)
    assert "inodes" in note(volume(GI, inodes=200), below=None)


def test_what_is_shown_seldom_changes() -> None:
    """It halves on the way down, and a little more room does not take it back."""
    below = None
    shown = []
    for room in (33, 31, 30, 33, 31, 20, 15, 17, 15, 21, 41):
        below = shortage(volume(room * MI, capacity=54 * MI), before=below)
        shown.append(None if below is None else below // MI)

    assert [None, 32, 32, 32, 32, 32, 16, 16, 16, 32, None] == shown


@quick
@given(rooms=st.lists(st.integers(0, 200 * MI), max_size=8))
def test_what_is_shown_is_never_wrong(rooms: list[int]) -> None:
    """Whatever came before, there is less free than is said; or hardly more, on its way up."""
    below = None
    for room in rooms:
        below = shortage(volume(room), before=below)

        assert below is None or room < below * 5 / 4


def test_a_real_folder_is_measured(tmp_path: Path) -> None:
    """The figures are the file system's own, and writing leaves nothing behind."""
    (tmp_path / PROBE_FILE).write_text("of a runner that was killed")
    found = measure(tmp_path, write=True)

    assert found.write_error is None
    assert 0 < found.available <= found.capacity
    assert [] == list(tmp_path.iterdir())


def test_what_lies_in_the_place_of_the_probe_is_not_written_through(tmp_path: Path) -> None:
    """A link is removed and its target is left alone; a folder is an error, not a crash."""
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / PROBE_FILE).symlink_to(target)

    assert None is measure(tmp_path, write=True).write_error
    assert "precious" == target.read_text()

    (tmp_path / PROBE_FILE).mkdir()

    assert measure(tmp_path, write=True).write_error is not None


def test_a_folder_that_is_gone_cannot_be_measured(tmp_path: Path) -> None:
    """The caller is told, and shows no figures."""
    with pytest.raises(OSError, match="No such file"):
        measure(tmp_path / "gone", write=False)
