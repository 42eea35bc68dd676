"""Processes that are known for certain: started, recognized later, and ended by id.

A pid alone is no identity: the kernel gives it to another process one day. The pid with the process's start time and
the id of this boot is one, survives in a file, and lets a later command tell "still running" from "somebody else".
Signals go through a pidfd that is opened before the identity is checked, so there is no moment at which they could
reach a stranger. psutil's creation time is no such identity: it is a time of day, which moves when the clock is set.
"""

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

__all__ = ["ProcessId", "end", "identify", "is_alive", "parse_stat", "tail"]

PROC = Path("/proc")


class ProcessId(NamedTuple):
    """One process, for ever."""

    pid: int
    started: int
    """Clock ticks after boot, field 22 of /proc/PID/stat."""
    boot: str
    """The id of the boot it belongs to."""

    def to_json(self) -> str:
        """The identity as text for a file."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The identity in a file's text; None when a crash left something else there."""
        try:
            given = json.loads(text)
            return cls(pid=int(given["pid"]), started=int(given["started"]), boot=str(given["boot"]))
        except (ValueError, KeyError, TypeError):
            return None


class Stat(NamedTuple):
    """What we need of /proc/PID/stat."""

    state: str
    started: int


def parse_stat(text: str) -> Stat:
    """The state letter and the start time in a line of /proc/PID/stat."""
    # The program's name stands in brackets and may itself hold brackets and spaces: count from the last one.
    fields = text.rpartition(")")[2].split()
    return Stat(state=fields[0], started=int(fields[19]))


def identify(pid: int) -> ProcessId | None:
    """The identity of a running process; None when there is none, or only a zombie that waits for its parent."""
    try:
        stat = parse_stat((PROC / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None
    if stat.state in "ZX":
        return None
    return ProcessId(pid=pid, started=stat.started, boot=_boot_id())


def is_alive(process: ProcessId) -> bool:
    """Whether this very process still runs."""
    return identify(process.pid) == process


def end(processes: Iterable[ProcessId], *, grace_period: float, kill_timeout: float = 5.0) -> list[ProcessId]:
    """Ask the processes to end, and kill those that have not after `grace_period` seconds (0: at once).

    Returns those that still run `kill_timeout` seconds after the kill: a kernel that holds on to them, which a caller
    reports. Processes that have ended already, and strangers on a pid we once had, are left alone.
    """
    with contextlib.ExitStack() as stack:
        watched: dict[int, ProcessId] = {}
        for process in processes:
            descriptor = _open(process)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                watched[descriptor] = process
        if grace_period > 0:
            _signal(watched, signal.SIGTERM)
            _await_end(watched, grace_period)
        _signal(watched, signal.SIGKILL)
        _await_end(watched, kill_timeout)
        return [process for process in watched.values() if is_alive(process)]


def tail(log: Path, *, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


def _boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _open(process: ProcessId) -> int | None:
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if is_alive(process):  # asked while we hold the descriptor: from here on the pid can not change hands
        return descriptor
    os.close(descriptor)
    return None


def _signal(watched: dict[int, ProcessId], number: signal.Signals) -> None:
    for descriptor in watched:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)


def _await_end(watched: dict[int, ProcessId], grace_period: float) -> None:
    """Wait until all have ended, at most `grace_period` seconds; those that did are no longer watched."""
    deadline = time.monotonic() + grace_period
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    while watched and (left := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left * 1000):
            poll.unregister(descriptor)
            process = watched.pop(descriptor)
            with contextlib.suppress(ChildProcessError):  # not our child: its own parent, or init, collects it
                os.waitpid(process.pid, os.WNOHANG)
