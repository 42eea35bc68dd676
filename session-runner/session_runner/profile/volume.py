"""How much room the profile's volume has, and what follows from it.

A full volume costs the login: a browser that cannot write its databases drops them and begins new ones. So none is
started without room, and a running one is closed while it still has some (`volume_watch`). What is left then is the
room in which it writes its last. The limits lie apart, so that a browser that was closed is not started on what its
own end has freed.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from msgspec import Struct

MI: Final = 1 << 20
CLOSE_BELOW: Final = 8 * MI
""" Bytes. Chromium's databases write files of up to 4 MiB before they delete those that these replace. """
START_FROM: Final = 16 * MI
LOW_BELOW: Final = 32 * MI
""" Bytes; or a tenth of the volume, if that is more. """
LOW_AT_MOST: Final = 1024 * MI
""" Bytes: a tenth of a large volume is no shortage. """
CLOSE_BELOW_INODES: Final = 64
START_FROM_INODES: Final = 128
LOW_BELOW_INODES: Final = 512
PROBE_FILE: Final = "runner.probe"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_WHAT_TO_DO: Final = "Raise spec.profile.size where the storage can grow, or make room on the volume; the session then goes on by itself."


class Volume(Struct, frozen=True, kw_only=True):
    """One measurement of the volume."""

    capacity: int
    """ Bytes; 0: this file system does not say, and then nothing of its room is known. """
    available: int
    """ Bytes, for us: without what is kept for the superuser. """
    inodes_free: int | None = None
    """ Files that can still be made; None: this file system has no such limit. """
    read_only: bool = False
    write_error: OSError | None = None
    """ Why a small file could not be written. """


def measure(root: Path, *, write: bool) -> Volume:
    """Measure the volume; with `write`, also write a small file and delete it.

    :raises OSError: it cannot be measured.
    """
    found = os.statvfs(root)
    read_only = bool(found.f_flag & os.ST_RDONLY)
    return Volume(
        capacity=found.f_blocks * found.f_frsize,
        available=found.f_bavail * found.f_frsize,
        inodes_free=found.f_favail if found.f_files else None,
        read_only=read_only,
        write_error=_write_error(root) if write and not read_only else None,
    )


def _write_error(root: Path) -> OSError | None:
    path = root / PROBE_FILE
    try:
        path.unlink(missing_ok=True)  # of a runner that was killed
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, b"x" * 4096)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return error
    try:
        path.unlink()
    except OSError as error:
        return error
    return None


def refusal(volume: Volume, *, running: bool) -> str | None:
    """Return why no browser may be started on the volume, or may go on running on it; None: it may."""
    if volume.read_only:
        return "The profile volume is mounted read-only. Check the node's log and the storage, and repair the volume."
    error = volume.write_error
    if error is not None and error.errno not in _FULL:
        return f"The profile volume cannot be written ({error.strerror}). Check its permissions and the storage."
    needed = CLOSE_BELOW if running else START_FROM
    if error is not None or (volume.capacity > 0 and volume.available < needed):
        return (
            f"The profile volume is full: {_size(volume.available)} of {_size(volume.capacity)} are free, and the browser "
            f"needs {_size(START_FROM)}, or it would lose the login. {_WHAT_TO_DO}"
        )
    inodes = CLOSE_BELOW_INODES if running else START_FROM_INODES
    if volume.inodes_free is not None and volume.inodes_free < inodes:
        return (
            f"The profile volume ({_size(volume.capacity)}) has no room for more files: {volume.inodes_free} inodes are "
            f"free, and the browser needs {START_FROM_INODES}, or it would lose the login. {_WHAT_TO_DO}"
        )
    return None


def _low(volume: Volume) -> int:
    return min(max(LOW_BELOW, volume.capacity // 10), LOW_AT_MOST)


def spare(volume: Volume) -> int | None:
    """Return the bytes that the browser does not need: files of messages get what is above twice the room that is low.

    None: nothing is known of the room.
    """
    if volume.inodes_free is not None and volume.inodes_free < 2 * LOW_BELOW_INODES:
        return 0
    return None if volume.capacity == 0 else max(0, volume.available - 2 * _low(volume))


def shortage(volume: Volume, *, before: int | None) -> int | None:
    """Return the bytes of which less is free, for people: halved step by step, so that it seldom changes. None: no shortage.

    :param before: the last answer; a little more room does not change it.
    """
    low = _low(volume)
    bound = None if before is None or volume.available >= before + before // 4 else before
    if bound is None:
        if volume.capacity == 0 or volume.available >= low:
            return None
        bound = low
    while bound // 2 > volume.available:
        bound //= 2
    return bound


def note(volume: Volume, *, below: int | None) -> str:
    """Return what people are told beside the session's state; empty: nothing."""
    if below is not None:
        return (
            f"The profile volume is nearly full: less than {_size(below)} of {_size(volume.capacity)} are free. Below "
            f"{_size(CLOSE_BELOW)} the browser is closed to save the login; raise spec.profile.size or make room."
        )
    if volume.inodes_free is not None and volume.inodes_free < LOW_BELOW_INODES:
        return (
            f"The profile volume ({_size(volume.capacity)}) is nearly out of inodes: fewer than {LOW_BELOW_INODES} are free. "
            f"Below {CLOSE_BELOW_INODES} the browser is closed to save the login; raise spec.profile.size or make room."
        )
    return ""


def _size(number: int) -> str:
    return f"{number // MI}Mi"
