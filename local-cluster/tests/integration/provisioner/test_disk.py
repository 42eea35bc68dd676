"""The disk side alone: real files, file systems and mounts, without an API server."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_cluster.provisioner.cleanup import cleanup, loop_devices
from local_cluster.provisioner.disk import DiskError, LoopDisk, missing_commands
from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.names import VolumeName
from local_cluster.provisioner.quantities import GIB, MIB
from session_devtools.mounts import mounts_under

pytestmark = pytest.mark.root

NAME = VolumeName("pvc-u1")
SIZE = 32 * MIB


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """An empty state folder; afterwards nothing of it is mounted."""
    made = Layout(root=tmp_path / "state with a space")
    made.create()
    yield made
    cleanup(made.root)
    assert loop_devices(made) == []


@pytest.fixture
def disk(layout: Layout) -> LoopDisk:
    """The disk of that folder."""
    return LoopDisk(layout)


def options(point: Path) -> set[str]:
    """A mount's options, as the kernel has them."""
    found = subprocess.check_output(["findmnt", "--noheadings", "--output", "OPTIONS", point], text=True)
    return set(found.strip().split(","))


def test_a_new_volume_is_mounted_and_empty(disk: LoopDisk, layout: Layout) -> None:
    """Nothing in it can be a device or change its user; only root can reach the file beside it."""
    disk.make(NAME, size=SIZE)

    seen = disk.observe()
    assert (seen.mounted, seen.files[NAME].stage, seen.files[NAME].size) == (frozenset({NAME}), Stage.NEW, SIZE)
    assert options(layout.mount_point(NAME)) >= {"rw", "nosuid", "nodev", "noatime", "discard"}
    assert list(layout.data(NAME).iterdir()) == []
    assert layout.file(Stage.NEW, NAME).stat().st_mode & 0o777 == 0o600
    assert layout.root.stat().st_mode & 0o777 == 0o700


def test_a_new_volume_takes_hardly_any_space(disk: LoopDisk) -> None:
    """A claim of a gibibyte that is never written to costs less than a megabyte."""
    disk.make(NAME, size=GIB)
    os.sync()

    file = disk.observe().files[NAME]
    assert file.size == GIB
    assert file.allocated < MIB


def test_making_it_twice_keeps_what_is_there(disk: LoopDisk, layout: Layout) -> None:
    """A retry after a lost answer of the API server finds the volume mounted and goes on."""
    disk.make(NAME, size=SIZE)
    (layout.data(NAME) / "kept").touch()

    disk.make(NAME, size=SIZE)

    assert [path.name for path in layout.data(NAME).iterdir()] == ["kept"]
    assert len(mounts_under(layout.mounts)) == 1


@pytest.mark.parametrize("left", [b"", b"half a file system" * 1000])
def test_a_half_made_file_is_made_anew(disk: LoopDisk, layout: Layout, left: bytes) -> None:
    """A crash during mkfs leaves anything; nobody has used it."""
    layout.file(Stage.NEW, NAME).write_bytes(left)

    disk.make(NAME, size=SIZE)

    assert disk.observe().files[NAME].size == SIZE
    assert list(layout.data(NAME).iterdir()) == []


def test_moving_a_file_does_not_disturb_its_mount(disk: LoopDisk, layout: Layout) -> None:
    """Its pod writes on while it is moved into use; a second move finds it there."""
    disk.make(NAME, size=SIZE)
    with (layout.data(NAME) / "open").open("w") as file:
        disk.move(NAME, origin=Stage.NEW, target=Stage.IN_USE)
        disk.move(NAME, origin=Stage.NEW, target=Stage.IN_USE)
        file.write("written after the move")

    assert (layout.data(NAME) / "open").read_text() == "written after the move"
    assert disk.observe().files[NAME].stage is Stage.IN_USE


def test_mounting_again_brings_the_data_back(disk: LoopDisk, layout: Layout) -> None:
    """Twice is once."""
    disk.make(NAME, size=SIZE)
    (layout.data(NAME) / "session").write_text("linked")
    disk.move(NAME, origin=Stage.NEW, target=Stage.IN_USE)
    disk.unmount(NAME)

    disk.mount(NAME)
    disk.mount(NAME)

    assert (layout.data(NAME) / "session").read_text() == "linked"
    assert len(mounts_under(layout.mounts)) == 1


def test_what_cannot_be_mended_says_so(disk: LoopDisk, layout: Layout) -> None:
    """A file that is no file system at all is an error with the tool's words, and stays as it is."""
    layout.file(Stage.IN_USE, NAME).write_bytes(b"x" * MIB)

    with pytest.raises(DiskError, match="e2fsck ended with"):
        disk.mount(NAME)

    assert layout.file(Stage.IN_USE, NAME).read_bytes() == b"x" * MIB


def test_a_busy_volume_is_not_unmounted(disk: LoopDisk, layout: Layout) -> None:
    """Somebody still stands in it: an error, and the data is untouched; later it works."""
    disk.make(NAME, size=SIZE)
    with subprocess.Popen(["sleep", "60"], cwd=layout.data(NAME)) as visitor:
        with pytest.raises(DiskError, match="umount ended with"):
            disk.unmount(NAME)
        visitor.terminate()

    disk.unmount(NAME)

    assert disk.observe().mounted == frozenset()


def test_unmounting_and_deleting_twice_is_fine(disk: LoopDisk, layout: Layout) -> None:
    """A crash between the steps repeats them."""
    disk.make(NAME, size=SIZE)

    for _ in range(2):
        disk.unmount(NAME)
        disk.delete(NAME, stages=(Stage.NEW, Stage.IN_USE))

    assert disk.observe().files == {}
    assert not layout.mount_point(NAME).exists()


def test_deleting_leaves_retained_files(disk: LoopDisk, layout: Layout) -> None:
    """They are for a person to delete."""
    layout.file(Stage.RETAINED, NAME).touch()

    disk.delete(NAME, stages=(Stage.NEW, Stage.IN_USE))

    assert disk.observe().files[NAME].stage is Stage.RETAINED


def test_other_files_are_not_taken_for_volumes(disk: LoopDisk, layout: Layout) -> None:
    """An editor's backup, a note, a mount of somebody else's."""
    (layout.folder(Stage.IN_USE) / "README").touch()

    assert disk.observe().files == {}


def test_the_free_space_is_the_hosts(disk: LoopDisk, layout: Layout) -> None:
    """As df shows it to root's neighbours."""
    room = os.statvfs(layout.root)

    assert abs(disk.observe().free - room.f_bavail * room.f_frsize) < GIB


def test_this_machine_has_all_that_is_needed() -> None:
    """Otherwise the process would not start."""
    assert missing_commands() == []
