"""The profile folder: one writer, nothing disposable, the login untouched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_runner.profile.layout import DISPOSABLE, ProfileLayout, prune
from session_runner.profile.lock import SINGLETON_LINKS, ProfileLockedError, ProfileUnusableError, profile_lock

HOLD = """
import sys
from pathlib import Path
from session_runner.profile.layout import ProfileLayout
from session_runner.profile.lock import profile_lock
with profile_lock(ProfileLayout(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_with_the_cause(tmp_path: Path) -> None:
    """While one process holds the profile another gets an error at once; a killed holder frees it."""
    layout = ProfileLayout(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ProfileLockedError, match="held by another runner"), profile_lock(layout):
            pass
        holder.kill()
        holder.wait(10)

        with profile_lock(layout):
            pass


def test_dangling_singleton_links_are_removed_under_the_lock(tmp_path: Path) -> None:
    """The links of a browser on another host dangle and name it; with the lock held they are stale for sure."""
    layout = ProfileLayout(tmp_path)
    layout.user_data.mkdir()
    for name in SINGLETON_LINKS:
        (layout.user_data / name).symlink_to("pod-of-yesterday-17")
    (layout.user_data / "Local State").write_text("{}")

    with profile_lock(layout):
        assert [path.name for path in layout.user_data.iterdir()] == ["Local State"]


def test_a_refused_process_leaves_the_links_alone(tmp_path: Path) -> None:
    """Without the lock the links may belong to a living browser."""
    layout = ProfileLayout(tmp_path)
    layout.user_data.mkdir()
    with profile_lock(layout):
        link = layout.user_data / "SingletonLock"
        link.symlink_to("this-host-1")
        with pytest.raises(ProfileLockedError), profile_lock(layout):
            pass

        assert os.path.lexists(link)


def test_a_folder_that_cannot_be_made_is_unusable(tmp_path: Path) -> None:
    """A file where the folder should be: the error says what to check."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ProfileUnusableError, match="check the volume"), profile_lock(ProfileLayout(tmp_path / "file")):
        pass


def test_pruning_leaves_the_login(tmp_path: Path) -> None:
    """Caches go, and only they; what the login needs is in no list."""
    layout = ProfileLayout(tmp_path)
    kept = ["Default/IndexedDB", "Default/Local Storage", "Default/Network"]
    for name in [*DISPOSABLE, *kept]:
        (layout.user_data / name / "sub").mkdir(parents=True)
        (layout.user_data / name / "sub" / "data").write_text("x")

    assert sorted(DISPOSABLE) == sorted(prune(layout))
    assert sorted(kept) == sorted(f"Default/{path.name}" for path in (layout.user_data / "Default").iterdir())
    assert prune(layout) == []


def test_pruning_an_empty_profile_is_nothing(tmp_path: Path) -> None:
    """A fresh volume has nothing to prune."""
    assert prune(ProfileLayout(tmp_path)) == []
