"""Tells whether the kernel killed one of our processes for want of memory.

The kernel counts such kills per control group. The session compares the count with the one at the start, at every
probe and when something died. A killed PID 1 cannot ask; that one is the kubelet's to tell.
Control groups v1 and v2 tell the same number in different files. In v2 a container may be set up so that one kill
takes the whole group; then nobody is left to ask, and the kubelet tells.
"""

from collections.abc import Callable
from pathlib import Path

CANDIDATES = (
    "memory.events",
    "memory/memory.oom_control",
)
""" Below the root of the control groups, v2 first. Inside a container that root is the container's own group. """

KillCounter = Callable[[], int | None]
""" Returns the number of out-of-memory kills so far; `None` where the system does not tell. """


def kill_counter(*, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> KillCounter:
    """A reader of this process's own control group, chosen once. Every read opens the file anew: it is not cached."""
    path = next((path for path in _candidates(root, _own_groups(own)) if _read(path) is not None), None)
    return lambda: None if path is None else _read(path)


def killed_since(before: int | None, after: int | None) -> bool:
    """Whether a process was killed between the two counts."""
    return before is not None and after is not None and after > before


def _candidates(root: Path, groups: list[str]) -> list[Path]:
    """The group as the host names it comes first (a process outside a container), then the root (inside one)."""
    named = [root / group.lstrip("/") / "memory.events" for group in groups]
    named += [root / "memory" / group.lstrip("/") / "memory.oom_control" for group in groups]
    return named + [root / candidate for candidate in CANDIDATES]


def _own_groups(own: Path) -> list[str]:
    """The paths of this process's group: the line of the unified hierarchy and the one of v1's memory controller."""
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
