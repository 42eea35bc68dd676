"""Whether the kernel killed one of our processes because memory ran out, and how near to that we are.

The kernel counts such kills per control group. The monitor compares the count with the one at the start, at every probe
and when something died. If PID 1 itself is killed, only the kubelet can report it.
Control groups v1 and v2 have the same number in different files. In v2 a container may be set up so that one kill ends
the whole group; then the kubelet reports it, too.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

CANDIDATES = (
    "memory.events",
    "memory/memory.oom_control",
)
""" Below the root of the control groups, v2 first. Inside a container that root is the container's own group. """

ROOT: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")
_UNLIMITED: Final = 1 << 60
""" Bytes. Control groups v1 have no word for it: their largest limit is a multiple of the page below 2^63. """

KillCounter = Callable[[], int | None]
""" Returns the number of out-of-memory kills so far; None where the system does not count them. """


class MemoryUse(NamedTuple):
    """The container's memory, in bytes. None: there is none, or it cannot be read."""

    working_set: int | None
    """ What the kubelet counts: all that is used, without files that may be dropped at once. """
    limit: int | None


def kill_counter(*, root: Path = ROOT, own: Path = OWN) -> KillCounter:
    """Return a counter for this process's own control group; it reads the file at each call."""
    path = _own_file(root, own)
    return lambda: None if path is None else _kills(path)


def memory_use(*, root: Path = ROOT, own: Path = OWN) -> MemoryUse:
    """Return how much memory this process's own control group uses now, and how much it may."""
    path = _own_file(root, own)
    if path is None:
        return MemoryUse(None, None)
    v2 = path.name == "memory.events"
    used = _number(path.with_name("memory.current" if v2 else "memory.usage_in_bytes"))
    idle = _field(path.with_name("memory.stat"), "inactive_file" if v2 else "total_inactive_file")
    limit = _number(path.with_name("memory.max" if v2 else "memory.limit_in_bytes"))
    return MemoryUse(
        working_set=None if used is None or idle is None else max(0, used - idle),
        limit=None if limit is None or limit >= _UNLIMITED else limit,
    )


def killed_since(before: int | None, after: int | None) -> bool:
    """Whether a process was killed between the two counts."""
    return before is not None and after is not None and after > before


def _own_file(root: Path, own: Path) -> Path | None:
    """Return the file that counts the kills of this process's group; it is in the group's folder."""
    return next((path for path in _candidates(root, _own_groups(own)) if _kills(path) is not None), None)


def _candidates(root: Path, groups: list[str]) -> list[Path]:
    """Return the files to try: of the group as the host names it (outside a container), then of the root (inside)."""
    named = [root / group.lstrip("/") / "memory.events" for group in groups]
    named += [root / "memory" / group.lstrip("/") / "memory.oom_control" for group in groups]
    return named + [root / candidate for candidate in CANDIDATES]


def _own_groups(own: Path) -> list[str]:
    """Return the paths of this process's groups: of the unified hierarchy and of v1's memory controller."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    parts = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    return [path for _, controllers, path in parts if not controllers or "memory" in controllers.split(",")]


def _kills(path: Path) -> int | None:
    return _field(path, "oom_kill")


def _field(path: Path, wanted: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == wanted and value.isdigit():
                return int(value)
    return None


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None
    return None
