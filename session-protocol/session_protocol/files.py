"""Small files on a volume that others may write to: written atomically, and read only if they are small regular files.

A reader finds the old content or the new one, even after a power cut. This module does I/O, because every program that
stores something on a volume needs it.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

LONGEST: Final = 64 << 10
""" The largest file that is read, in bytes; ours have a few hundred. """


def read_small(path: Path) -> str:
    """Return the text of a regular file; links, pipes and other special files are refused.

    :raises FileNotFoundError: there is none. :raises OSError: it is something else, or longer than `LONGEST`.
    :raises UnicodeDecodeError: it is not text.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        content = os.read(handle, LONGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, f"longer than {LONGEST >> 10} KiB", str(path))
    return content.decode()


def write_atomically(path: Path, content: str) -> None:
    """Replace the content of a file, through a temporary file beside it. It is on disk when this returns.

    There must be one writer at a time, because the temporary file has a fixed name. After a failure it is deleted.

    :raises OSError: it cannot be written; the old content is still there.
    """
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)  # of a writer that was killed, or something else that must not be written through
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name, too, is on disk before anybody acts on what was written
    finally:
        os.close(folder)
