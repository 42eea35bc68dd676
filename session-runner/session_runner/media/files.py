"""Files in the media folder: written a piece at a time and never held whole, readable by the runner alone.

A file has its name once all of it is on the disk; what a killed runner was writing is removed at the next start. All
functions here wait for the disk, so `media` calls them in its thread.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final, Protocol

from session_runner.messages.media import HEAD, TAIL

PART: Final = ".part-"


class Writer(Protocol):
    """Where a file goes that comes a piece at a time."""

    async def write(self, piece: bytes) -> None:
        """Append. :raises MessageError: it is too large, or there is no room."""


class Draft:
    """A file that is being written."""

    def __init__(self, folder: Path) -> None:
        """:raises OSError: it cannot be made."""
        folder.mkdir(mode=0o700, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix=PART, dir=folder)  # mode 0600, and no link is followed
        self._file = os.fdopen(handle, "wb", buffering=0)
        self.path = Path(path)
        self.size = 0
        self.head = b""
        """ Its first bytes. """
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """In hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Append. :raises OSError: the volume is full, or fails."""
        self._digest.update(piece)
        self.head += piece[: HEAD - len(self.head)]
        self.size += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def keep(self, name: str) -> None:
        """Make it a file of the folder, which outlives a lost node. :raises OSError: the volume fails."""
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.rename(self.path.with_name(name))
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """Remove what was not kept."""
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def tail(path: Path) -> bytes:
    """Return the end of a file. :raises OSError: it cannot be read."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return file.read(TAIL)


def names(folder: Path) -> dict[str, float]:
    """Return the files, also those that are being written, with when each was written. :raises OSError: it cannot be read."""
    with contextlib.suppress(FileNotFoundError):
        return {path.name: path.lstat().st_mtime for path in folder.iterdir()}
    return {}


def remove(folder: Path, name: str) -> None:
    """Remove a file if it is there. :raises OSError: it cannot be removed."""
    (folder / name).unlink(missing_ok=True)
