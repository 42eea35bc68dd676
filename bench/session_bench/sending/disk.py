"""What the disk below the messages takes by itself."""

import os
import time
from pathlib import Path
from typing import Final

PIECE: Final = bytes(4096)


def sync_seconds(file: Path) -> float:
    """Append a page to a file, as a commit does, and return how long its fsync takes."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, PIECE)
        begun = time.monotonic()
        os.fsync(handle)
        return time.monotonic() - begun
    finally:
        os.close(handle)
