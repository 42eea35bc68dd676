"""Profiles that no browser may open: foreign, damaged, or of a newer browser. Nothing of them is changed."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from session_runner.profile.inspection import check_browser, inspect
from session_runner.profile.layout import ProfileLayout
from session_runner.profile.lock import SINGLETON_LINKS, ProfileUnusableError
from unit.runner.leveldb_files import database

Change = Callable[[Path], object]
INDEXED = "Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.leveldb"
LOCAL = "Default/Local Storage/leveldb"


def profile(root: Path) -> ProfileLayout:
    """Make a sound profile."""
    layout = ProfileLayout(root)
    database(layout.user_data / INDEXED)
    database(layout.user_data / LOCAL)
    (layout.user_data / "Local State").write_text("{}")
    for name in SINGLETON_LINKS:
        (layout.user_data / name).symlink_to("pod-of-yesterday-17")
    (root / "lost+found").mkdir(0)
    return layout


def tree(root: Path) -> list[tuple[str, bytes]]:
    """Return all there is, with its content."""
    return sorted(
        (str(path), path.read_bytes() if path.is_file() else b"") for path in root.rglob("*") if not path.is_fifo()
    )


def replace_with_file(path: Path) -> None:
    """Put a file in the place of a folder."""
    path.rename(path.with_name("aside"))
    path.write_text("not a folder")


def test_a_sound_profile_and_an_empty_volume_are_opened(tmp_path: Path) -> None:
    """Links of a browser on another host are no harm, and neither is what the file system itself put there."""
    inspect(ProfileLayout(tmp_path))
    inspect(profile(tmp_path))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (replace_with_file, "chromium on the profile volume is not a folder"),
        (lambda data: replace_with_file(data / "Default"), "Default on the profile volume is not a folder"),
        (lambda data: replace_with_file(data / INDEXED), "is not a folder"),
        (lambda data: replace_with_file(data / "Default/Local Storage"), "is not a folder"),
        (lambda data: (data / "Default/Cookies").symlink_to("/etc/passwd"), "Cookies on the profile volume is a link"),
        (lambda data: (data / "Default/Cache").symlink_to("/"), "Cache on the profile volume is a link"),
        (lambda data: os.mkfifo(data / "Default/Preferences"), "is neither a file nor a folder"),
        (lambda data: (data / INDEXED / "CURRENT").unlink(), "CURRENT is missing"),
        (lambda data: (data / INDEXED / "MANIFEST-000004").write_text("garbage" * 9), "MANIFEST-000004 is garbage"),
        (lambda data: (data / LOCAL / "CURRENT").write_text("?"), "CURRENT is garbage"),
        (lambda data: (data / LOCAL / "CURRENT").unlink() or (data / LOCAL / "CURRENT").mkdir(), "cannot be read"),
    ],
)
def test_what_is_not_as_a_browser_leaves_it_is_refused_and_left_alone(
    tmp_path: Path, change: Change, shown: str
) -> None:
    """The message names the file and says what to do."""
    layout = profile(tmp_path)
    change(layout.user_data)
    before = tree(tmp_path)
    with pytest.raises(ProfileUnusableError) as caught:
        inspect(layout)

    assert shown in str(caught.value)
    assert "Nothing was changed. Restore the volume" in str(caught.value)
    assert before == tree(tmp_path)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """Be another user, in a folder of that user's."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    with TemporaryDirectory() as folder:  # pytest's own is closed to others
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        yield Path(folder)
        os.seteuid(0)


@pytest.mark.root
@pytest.mark.parametrize("name", [INDEXED, f"{INDEXED}/000007.log", "Local State"])
def test_what_belongs_to_somebody_else_is_refused(as_nobody: Path, name: str) -> None:
    """Another user's files, as after a restore by root."""
    layout = profile(as_nobody)
    inspect(layout)
    path = layout.user_data / name
    os.seteuid(0)
    os.chown(path, 0, 0)
    path.chmod(0o700)
    os.seteuid(65534)
    with pytest.raises(ProfileUnusableError, match="somebody else") as caught:
        inspect(layout)

    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("recorded", "present", "opened"),
    [
        (None, "Chromium 156.0.8078.79", True),
        ("156.0.8078.79", "Chromium 156.0.8078.79 built on Debian GNU/Linux 12", True),
        ("156.0.8078.99", "Chromium 156.0.8078.79", True),
        ("155.0.1.1", "Chromium 156.0.8078.79", True),
        ("99.0.1.1", "Chromium 156.0.8078.79", True),
        ("157.0.1.1", "Chromium 156.0.8078.79", False),
        ("1000.0.1.1", "Chromium 156.0.8078.79", False),
        ("nonsense", "Chromium 156.0.8078.79", True),
        ("157.0.1.1", "no version", True),
    ],
)
def test_an_older_browser_does_not_open_a_profile(
    tmp_path: Path, recorded: str | None, present: str, *, opened: bool
) -> None:
    """By the major version; what says none is not compared."""
    layout = ProfileLayout(tmp_path)
    if opened:
        check_browser(layout, recorded=recorded, present=present)
        return
    with pytest.raises(ProfileUnusableError) as caught:
        check_browser(layout, recorded=recorded, present=present)

    assert f"by Chromium {recorded}, and this image has Chromium 156.0.8078.79" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "opened"), [("157.0.1.1", False), ("156.0.1.1", True), ("\0", True), ("x" * 99_999, True)]
)
def test_the_browsers_own_record_counts_where_there_is_no_other(tmp_path: Path, content: str, *, opened: bool) -> None:
    """A profile that a runner of before has had, or another program."""
    layout = ProfileLayout(tmp_path)
    layout.user_data.mkdir()
    (layout.user_data / "Last Version").write_text(content)
    if opened:
        check_browser(layout, recorded=None, present="Chromium 156.0.8078.79")
        return
    with pytest.raises(ProfileUnusableError):
        check_browser(layout, recorded=None, present="Chromium 156.0.8078.79")
