"""Whether the kernel killed one of our processes because memory ran out.

The kernel counts such kills per control group. The monitor compares the count with the one at the start, at every probe
and when something died. If PID 1 itself is killed, only the kubelet can report it.
Control groups v1 and v2 have the same number in different files. In v2 a container may be set up so that one kill ends
the whole group; then the kubelet reports it, too.
"""

from collections.abc import Callable
from pathlib import Path

CANDIDATES = (
    "memory.events",
    "memory/memory.oom_control",
)
""" Below the root of the control groups, v2 first. Inside a container that root is the container's own group. """

KillCounter = Callable[[], int | None]
""" Returns the number of out-of-memory kills so far; None where the system does not count them. """


def kill_counter(*, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> KillCounter:
    """Return a counter for this process's own control group; it reads the file at each call."""
    path = next((path for path in _candidates(root, _own_groups(own)) if _read(path) is not None), None)
    return lambda: None if path is None else _read(path)


def killed_since(before: int | None, after: int | None) -> bool:
    """Whether a process was killed between the two counts."""
    return before is not None and after is not None and after > before


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


def _read(path: Path) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdigit():
            return int(value)
    return None
