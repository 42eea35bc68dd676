"""What holds the page's process in: read from /proc, so that it is what the kernel says and not what was asked for.

`session` looks once, when the browser is open: later processes of the page come from the same zygote. A sandboxed one has
a user, a pid and a network namespace of its own and one seccomp filter more than we have. All of this is the runner's
own word: it shows a cluster that is set up wrongly, and says nothing about a runner that has been taken over.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from session_runner.host.processes import Process, descendants

_PROC = Path("/proc")
_NAMESPACES = ("user", "pid", "net")
_WHOLE_RANGE = ["0", "0", "4294967295"]
""" /proc/self/uid_map of the machine's own user namespace. """


class Sandbox(NamedTuple):
    """What is on."""

    browser: bool | None
    """ Every process of the page has namespaces and a seccomp filter of its own; None: there is no such process. """
    user_namespace: bool
    """ Our users are not the machine's: the pod has a user namespace. """


def read_sandbox(everyone: Iterable[Process], *, me: int, proc: Path = _PROC) -> Sandbox:
    """Return what is on for the processes of the page below `me`."""
    pages = [process.pid for process in descendants(me, everyone) if _is_page(proc / str(process.pid))]
    held = [_is_held(proc / str(page), us=proc / str(me)) for page in pages]
    return Sandbox(
        browser=all(held) if held else None,
        user_namespace=(proc / str(me) / "uid_map").read_text().split() != _WHOLE_RANGE,
    )


def _is_page(folder: Path) -> bool:
    try:
        # A process that a zygote made has its arguments in one piece, with blanks between them.
        return b"--type=renderer" in (folder / "cmdline").read_bytes().replace(b"\0", b" ").split(b" ")
    except OSError:  # it is gone
        return False


def _is_held(folder: Path, *, us: Path) -> bool:
    # What cannot be read counts as not there: the answer must never be better than the truth.
    try:
        apart = all((folder / "ns" / name).readlink() != (us / "ns" / name).readlink() for name in _NAMESPACES)
        return apart and _filters(folder) > _filters(us)
    except OSError:
        return False


def _filters(folder: Path) -> int:
    lines = (folder / "status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Seccomp_filters:")), 0)
