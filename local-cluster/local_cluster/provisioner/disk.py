"""The disk side of the provisioner: files, file systems and mounts in one state folder. It does and decides nothing.

`steps` calls it in a thread, as every call blocks: making and mounting a volume takes about 50 ms. Each call may be
repeated, and may find what an earlier, interrupted call left.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Protocol

from session_devtools.errors import ToolError
from session_devtools.mounts import mounts_under

from local_cluster.provisioner.layout import Layout, Stage
from local_cluster.provisioner.names import VolumeName
from local_cluster.provisioner.observed import Disk, File

COMMAND_SECONDS: Final = 60.0
""" Longest time for mkfs, mount or fsck; they take milliseconds unless the disk hangs. """

# The file starts as one hole, so its zeroes need not be written: without this, ext4 writes 16 MiB of inode tables per
# GiB in the background.
MKFS: Final = ("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "assume_storage_prezeroed=1,nodiscard")

# discard gives the space of deleted files back to the host's disk; nosuid and nodev, because pods write here.
MOUNT: Final = ("mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime,discard")

FSCK_CORRECTED: Final = 1
""" e2fsck's exit status is a bit mask; up to this bit the file system is sound. """


class DiskError(ToolError):
    """A command on the disk failed; the message names it and says what it said."""


class VolumeDisk(Protocol):
    """What the steps need of a disk; the tests have one in memory."""

    def observe(self) -> Disk:
        """The files and mounts as they are, and the free space."""

    def make(self, name: VolumeName, *, size: int) -> None:
        """Bring a new volume of `size` bytes up to mounted. Raises DiskError."""

    def mount(self, name: VolumeName) -> None:
        """Mount a volume that is in use. Raises DiskError."""

    def move(self, name: VolumeName, *, origin: Stage, target: Stage) -> None:
        """Move a volume's file on to another stage; fine if it is there already."""

    def unmount(self, name: VolumeName) -> None:
        """Unmount a volume, fine if it is not mounted. Raises DiskError if it is busy."""

    def delete(self, name: VolumeName, *, stages: tuple[Stage, ...]) -> None:
        """Delete a volume's file in these stages; fine if there is none."""


class LoopDisk:
    """The real one: sparse files with ext4, loop-mounted."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def observe(self) -> Disk:
        """The files and mounts as they are, and the free space."""
        files = {
            file.name: file
            for stage in (Stage.RETAINED, Stage.NEW, Stage.IN_USE)  # the later stage wins if a name is in two
            for path in self._layout.folder(stage).glob("*.img")
            if (file := _stat(path, stage=stage))
        }
        room = os.statvfs(self._layout.root)
        return Disk(
            files=files,
            mounted=frozenset(VolumeName(path.name) for path in mounts_under(self._layout.mounts)),
            free=room.f_bavail * room.f_frsize,
        )

    def make(self, name: VolumeName, *, size: int) -> None:
        """Bring a new volume of `size` bytes up to mounted. Raises DiskError."""
        point = self._layout.mount_point(name)
        if point not in mounts_under(self._layout.mounts):
            # Not mounted, so perhaps half formatted, and nobody has written to it: begin anew.
            file = self._layout.file(Stage.NEW, name)
            file.unlink(missing_ok=True)
            with file.open("xb") as sparse:
                file.chmod(0o600)
                sparse.truncate(size)
            _run(*MKFS, str(file))
            self._mount(file, point)
        self._layout.data(name).mkdir(mode=0o755, exist_ok=True)

    def mount(self, name: VolumeName) -> None:
        """Mount a volume that is in use, mending its file system if it must be. Raises DiskError."""
        file, point = self._layout.file(Stage.IN_USE, name), self._layout.mount_point(name)
        if point in mounts_under(self._layout.mounts):
            return
        try:
            self._mount(file, point)
        except DiskError:
            # The journal heals a power cut by itself; this is for worse, and nobody is there to be asked.
            _run("e2fsck", "-f", "-y", str(file), fine_up_to=FSCK_CORRECTED)
            self._mount(file, point)

    def move(self, name: VolumeName, *, origin: Stage, target: Stage) -> None:
        """Move a volume's file on to another stage; fine if it is there already."""
        source = self._layout.file(origin, name)
        if source.exists():
            source.rename(self._layout.file(target, name))

    def unmount(self, name: VolumeName) -> None:
        """Unmount a volume, fine if it is not mounted. Raises DiskError if it is busy."""
        point = self._layout.mount_point(name)
        if point in mounts_under(self._layout.mounts):
            _run("umount", str(point))
        if point.is_dir():
            point.rmdir()

    def delete(self, name: VolumeName, *, stages: tuple[Stage, ...]) -> None:
        """Delete a volume's file in these stages; fine if there is none."""
        for stage in stages:
            self._layout.file(stage, name).unlink(missing_ok=True)

    def _mount(self, file: Path, point: Path) -> None:
        point.mkdir(mode=0o700, exist_ok=True)
        _run(*MOUNT, str(file), str(point))


def missing_commands() -> list[str]:
    """The commands that this module runs and that are not installed."""
    return [command for command in ("mkfs.ext4", "e2fsck", "mount", "umount", "losetup") if not shutil.which(command)]


def _stat(path: Path, *, stage: Stage) -> File | None:
    try:
        facts = path.stat()
    except FileNotFoundError:  # deleted since the folder was read
        return None
    # The unit of st_blocks is 512 bytes, whatever the file system's block size.
    return File(name=VolumeName(path.stem), stage=stage, size=facts.st_size, allocated=facts.st_blocks * 512)


def _run(*command: str, fine_up_to: int = 0) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DiskError(f"{command[0]} failed: {error}") from error
    if done.returncode > fine_up_to or done.returncode < 0:
        said = (done.stderr or done.stdout).strip() or "it said nothing"
        raise DiskError(f"{command[0]} ended with {done.returncode}: {said}")
