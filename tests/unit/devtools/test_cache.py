"""The cache folder: entries are whole or absent, and their names follow their content."""

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_devtools.build.cache import cache_folder, content_key, entry, files_of
from session_devtools.errors import MachineError
from session_devtools.progress import NoProgress

FILES = st.dictionaries(st.text(min_size=1, max_size=8), st.binary(max_size=16), max_size=4)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WHATSAPP_OPERATOR_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, Path("/a/b")),
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/whatsapp-session-operator")),
        ({"WHATSAPP_OPERATOR_CACHE": "", "XDG_CACHE_HOME": ""}, Path.home() / ".cache/whatsapp-session-operator"),
    ],
)
def test_the_cache_is_where_the_environment_says(environment: dict[str, str], expected: Path) -> None:
    """The project's own variable wins over XDG's, an empty one counts as absent, and home is the last resort."""
    assert expected == cache_folder(environment)


@given(files=FILES)
def test_a_key_does_not_depend_on_the_order_of_the_files(files: dict[str, bytes]) -> None:
    """Two listings of the same files have one key."""
    turned = dict(reversed(files.items()))

    assert content_key(files=files) == content_key(files=turned)


@given(files=FILES, name=st.text(min_size=1, max_size=8), content=st.binary(min_size=1, max_size=16))
def test_a_key_changes_with_the_content(files: dict[str, bytes], name: str, content: bytes) -> None:
    """One changed byte gives another key, so nobody is handed a program of yesterday."""
    before = {**files, name: b""}
    after = {**files, name: content}

    assert content_key(files=before) != content_key(files=after)


def test_bytes_can_not_move_from_one_part_to_the_next() -> None:
    """Names, contents and extra words are kept apart: joined they would read the same."""
    assert content_key(files={}, extra=["ab", "c"]) != content_key(files={}, extra=["a", "bc"])
    assert content_key(files={"ab": b"c"}) != content_key(files={"a": b"bc"})


def test_files_are_named_relative_to_their_folder(tmp_path: Path) -> None:
    """The key of a checkout does not depend on where it lies."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_text("1")

    assert files_of(tmp_path) == {"sub/a": b"1"}


def test_an_entry_is_filled_once(tmp_path: Path) -> None:
    """The second who asks gets what the first made."""
    calls = []

    def fill(target: Path) -> None:
        calls.append(target)
        (target / "program").write_text("whole")

    first = entry("thing-1", fill, progress=NoProgress(), cache=tmp_path)
    second = entry("thing-1", fill, progress=NoProgress(), cache=tmp_path)

    assert first == second == tmp_path / "thing-1"
    assert len(calls) == 1
    assert (first / "program").read_text() == "whole"


def test_an_interrupted_entry_leaves_nothing(tmp_path: Path) -> None:
    """A Ctrl-C while a program is built leaves neither half an entry nor a temporary folder, and the next one works."""

    def interrupted(target: Path) -> None:
        (target / "half").write_text("...")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        entry("thing-1", interrupted, progress=NoProgress(), cache=tmp_path)
    left = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    again = entry("thing-1", lambda target: (target / "whole").touch(), progress=NoProgress(), cache=tmp_path)

    assert left == []
    assert (again / "whole").exists()


def test_two_who_ask_at_once_build_once(tmp_path: Path) -> None:
    """The second waits for the first's lock and then finds its result."""
    inside, go_on = threading.Event(), threading.Event()
    calls: list[str] = []

    def slow(target: Path) -> None:
        calls.append(target.name)
        inside.set()
        assert go_on.wait(20)

    results: list[Path] = []
    ask = [
        threading.Thread(target=lambda: results.append(entry("t", slow, progress=NoProgress(), cache=tmp_path)))
        for _ in range(2)
    ]
    ask[0].start()
    assert inside.wait(20)
    ask[1].start()
    go_on.set()
    for thread in ask:
        thread.join(20)

    assert results == [tmp_path / "t"] * 2
    assert len(calls) == 1


def test_what_a_killed_build_left_goes_before_the_next(tmp_path: Path) -> None:
    """It is nobody's any more once the lock is ours; another entry's stays."""
    (tmp_path / ".x-1-abc").mkdir()
    (tmp_path / ".x-1-abc" / "half").write_text("")
    (tmp_path / ".y-1-abc").mkdir()

    entry("x-1", lambda folder: (folder / "whole").mkdir(), progress=NoProgress(), cache=tmp_path)

    assert not (tmp_path / ".x-1-abc").exists()
    assert (tmp_path / ".y-1-abc").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence_that_says_what_to_do(tmp_path: Path, number: int) -> None:
    """And nothing half is left."""

    def fill(_: Path) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(MachineError, match=r"the disk is full: free some gigabytes, or name a folder on another disk"):
        entry("x-1", fill, progress=NoProgress(), cache=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".x-1.lock"]


def test_another_fault_of_the_disk_is_handed_on(tmp_path: Path) -> None:
    """It is not taken for a full one."""

    def fill(_: Path) -> None:
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        entry("x-1", fill, progress=NoProgress(), cache=tmp_path)
