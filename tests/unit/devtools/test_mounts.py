"""Reading the kernel's list of mounts."""

from pathlib import Path

import pytest
from session_devtools.mounts import mounts_under


def line(point: str) -> str:
    """One mount, as the kernel writes it."""
    return f"36 35 98:0 / {point} rw,noatime shared:1 - ext4 /dev/loop0 rw\n"


@pytest.fixture
def mountinfo(tmp_path: Path) -> Path:
    """A list that a test fills."""
    return tmp_path / "mountinfo"


def test_only_what_is_below_is_listed_innermost_first(mountinfo: Path) -> None:
    """In this order they can be unmounted; the folder itself and its neighbours are somebody else's."""
    points = ("/state", "/state/a", "/state/a/deep", "/state-2/a", "/other")
    mountinfo.write_text("".join(map(line, points)))

    assert mounts_under(Path("/state"), mountinfo=mountinfo) == [Path("/state/a/deep"), Path("/state/a")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (r"/state/my\040volume", "/state/my volume"),
        (r"/state/back\134slash", r"/state/back\slash"),
        ("/state/käse", "/state/käse"),
    ],
)
def test_odd_names_are_read_as_they_are(mountinfo: Path, written: str, expected: str) -> None:
    """The kernel escapes what would break its lines."""
    mountinfo.write_text(line(written))

    assert mounts_under(Path("/state"), mountinfo=mountinfo) == [Path(expected)]


def test_a_folder_behind_a_link_is_found(mountinfo: Path, tmp_path: Path) -> None:
    """The kernel knows no links."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    mountinfo.write_text(line(str(tmp_path / "real/a")))

    assert mounts_under(tmp_path / "link", mountinfo=mountinfo) == [tmp_path / "real/a"]


def test_the_machines_own_list_can_be_read() -> None:
    """Nothing is mounted in a folder that does not exist."""
    assert mounts_under(Path("/nonexistent")) == []
