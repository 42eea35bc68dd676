"""What is mounted below a folder, as this process sees it: asked before anything there is unmounted or deleted."""

import re
from pathlib import Path

__all__ = ["mounts_under"]

MOUNTINFO = Path("/proc/self/mountinfo")


def mounts_under(folder: Path, *, mountinfo: Path = MOUNTINFO) -> list[Path]:
    """The mount points below a folder, innermost first, of this process's mount namespace."""
    above = folder.resolve()
    # The fifth field is the mount point. Bytes, for a path need not be valid text.
    points = (line.split(b" ")[4] for line in mountinfo.read_bytes().splitlines())
    paths = (Path(_unescape(point).decode(errors="surrogateescape")) for point in points)
    return sorted((path for path in paths if above in path.parents), key=lambda path: -len(path.parts))


def _unescape(point: bytes) -> bytes:
    """The kernel writes spaces, tabs, newlines and backslashes as three octal digits."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), point)
