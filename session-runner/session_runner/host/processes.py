"""The processes below the runner: the browser's, the driver's, and the orphans that PID 1 inherits.

Read from /proc, because no API lists the processes that a library's child has started. They are killed by pid, never by
name or group: a signal to the group would reach the browser's children before it has written its data.
"""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
""" linux/prctl.h """


class Process(NamedTuple):
    """The fields of /proc/PID/stat that are needed here."""

    pid: int
    parent: int
    state: str
    """ One letter; Z is a zombie that waits to be reaped. """
    started: int
    """ Clock ticks since boot. A pid may be reused, but not together with the same start. """
    name: str


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants even when not PID 1, so that they can be found, ended and reaped."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def processes(proc: Path = Path("/proc")) -> list[Process]:
    """Return all visible processes; one that ends while it is read is omitted."""
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found.append(parse_stat((entry / "stat").read_text()))
    return found


def parse_stat(text: str) -> Process:
    """Parse /proc/PID/stat. The name is in parentheses and may contain spaces and parentheses itself."""
    pid, _, rest = text.partition(" (")
    name, _, values = rest.rpartition(") ")
    fields = values.split()
    return Process(pid=int(pid), parent=int(fields[1]), state=fields[0], started=int(fields[19]), name=name)


def descendants(of: int, everyone: Iterable[Process]) -> list[Process]:
    """Return the descendants of a process, parents before children."""
    children: dict[int, list[Process]] = {}
    for process in everyone:
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [of]
    while waiting:
        below = children.pop(waiting.pop(0), [])
        found += below
        waiting += [process.pid for process in below]
    return found


def end(victims: Iterable[Process]) -> list[Process]:
    """Kill those processes whose pid was not reused; return the ones that were alive."""
    now = {(process.pid, process.started): process for process in processes()}
    alive = [now[key] for victim in victims if (key := (victim.pid, victim.started)) in now and now[key].state != "Z"]
    for process in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    return alive


def reap(everyone: Iterable[Process], *, me: int, not_ours: frozenset[int]) -> list[int]:
    """Reap dead orphans; return their pids. `not_ours`: children that somebody else waits for, such as the driver."""
    reaped = []
    for process in everyone:
        if process.parent == me and process.state == "Z" and process.pid not in not_ours:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
                reaped.append(process.pid)
    return reaped
