"""The daemons of an instance: started once, recognized by every later command, started anew when they should differ.

A daemon is known by its identity (see `processes`) and by a fingerprint of everything it read at its start. `up` asks
for each daemon in turn; one that runs with the right fingerprint is left alone, which makes `up` on a running cluster
quick and harmless, and any other one is ended and started, which makes it heal. A Ctrl-C between the start of a process
and the note of its identity loses nothing: the next `up` finds the stray in the daemon's own cgroup.

Not systemd's units, which a container has not; not supervisord, a daemon of its own that knows no readiness.
"""

import datetime as dt
import hashlib
import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from session_devtools.cgroups import CgroupTree
from session_devtools.errors import StartError
from session_devtools.processes import ProcessId, end, identify, is_alive, tail

from local_cluster.full.namespaces import enter

__all__ = ["Daemon", "Supervisor"]

GRACE_PERIOD = 5.0  # seconds for a daemon to end when asked, before it is killed
# To the cgroup first, then the program: no child of it can be born outside.
INTO_CGROUP = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One process that should run."""

    name: str
    command: Sequence[str]
    reads: Sequence[Path] = ()
    """The files it reads at its start and never again: changed ones mean that it is started anew."""
    follows: Sequence[str] = ()
    """The daemons without which it is of no use any more: it is started anew after them."""

    def fingerprint(self) -> str:
        """Changes with the command and with the files' contents."""
        digest = hashlib.sha256(json.dumps(list(self.command)).encode())
        for path in self.reads:
            content = path.read_bytes()
            digest.update(f"{path}:{len(content)}:".encode() + content)
        return digest.hexdigest()


class Supervisor:
    """Starts and ends the daemons of one instance."""

    def __init__(self, *, records: Path, logs: Path, cgroups: CgroupTree) -> None:
        self._records = records
        self._logs = logs
        self._cgroups = cgroups

    def running(self, name: str) -> ProcessId | None:
        """The process that an earlier or this command started under this name, if it still runs."""
        record = self._read(name)
        process = ProcessId.from_json(json.dumps(record.get("process"))) if record else None
        return process if process is not None and is_alive(process) else None

    def started_at(self, name: str) -> dt.datetime | None:
        """The wall clock's time, in UTC, just before the process of that name was started; None if nobody noted it.

        As it was then: computed afterwards it would move with the clock, which is set anew when a machine wakes up.
        """
        noted = self._read(name).get("startedAt")
        return dt.datetime.fromisoformat(noted) if isinstance(noted, str) else None

    def ensure(self, daemon: Daemon, *, inside: int | None) -> bool:
        """Have this daemon run, in the namespaces of that anchor (None: it makes its own); True when it was started.

        It is not ready yet when this returns.
        """
        leaders = [leader.pid for name in daemon.follows if (leader := self.running(name)) is not None]
        fingerprint = "/".join(map(str, [daemon.fingerprint(), inside, *leaders]))
        process = self.running(daemon.name)
        if process is not None and self._read(daemon.name).get("fingerprint") == fingerprint:
            return False
        folder = self._cgroups.component(daemon.name)
        self._end_strays(daemon, process)
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        command = [
            "sh",
            "-c",
            INTO_CGROUP,
            str(folder),
            *(enter(inside) if inside is not None else []),
            *daemon.command,
        ]
        started_at = dt.datetime.now(dt.UTC)
        with (self._logs / f"{daemon.name}.log").open("ab") as log:
            started = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for the command line, not for the cluster
                cwd="/",
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        identity = identify(started.pid)
        _forget(started)
        if identity is None:
            raise StartError(f"{daemon.name} ended at once:\n{tail(self._logs / f'{daemon.name}.log')}")
        self._write(daemon.name, identity, fingerprint, started_at)
        return True

    def check(self, name: str) -> None:
        """Raise StartError with the end of its log when the daemon does not run."""
        if self.running(name) is None:
            raise StartError(f"{name} has ended; the end of its log:\n{tail(self._logs / f'{name}.log')}")

    def end(self, name: str) -> None:
        """End everything that was ever started under this name, and forget it.

        :raises StartError: the kernel would not let it go.
        """
        nearby = map(identify, self._cgroups.pids(self._cgroups.component(name)))
        self._end(name, [self.running(name), *nearby])
        (self._records / f"{name}.json").unlink(missing_ok=True)

    def end_everything(self) -> list[ProcessId]:
        """End every process in the instance's cgroup, and return those that the kernel would not let go.

        At once: the data of all of them is either safe on disk at any moment, or about to be removed. Again and
        again, because a process may be born while we look, until a look finds none.
        """
        left: list[ProcessId] = []
        for _ in range(50):
            processes = [process for pid in self._cgroups.pids() if (process := identify(pid)) is not None]
            if not processes:
                return []
            left = end(processes, grace_period=0)
        return left

    def pids(self) -> list[int]:
        """Every process of the instance, those of its pods included."""
        return self._cgroups.pids()

    def _end_strays(self, daemon: Daemon, known: ProcessId | None) -> None:
        """End the one we know, and one that an interrupted command started; containerd's shims may stay."""
        program = Path(daemon.command[0]).resolve()
        nearby = self._cgroups.pids(self._cgroups.component(daemon.name))
        found = [known, *(identify(pid) for pid in nearby if _program_of(pid) in {program, None})]
        self._end(daemon.name, found)

    def _end(self, name: str, found: Iterable[ProcessId | None]) -> None:
        left = end([process for process in found if process is not None], grace_period=GRACE_PERIOD)
        if left:
            raise StartError(f"{name} (process {left[0].pid}) can not be ended; a reboot will help")

    def _read(self, name: str) -> dict[str, object]:
        try:
            record = json.loads((self._records / f"{name}.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _write(self, name: str, process: ProcessId, fingerprint: str, started_at: dt.datetime) -> None:
        partial = self._records / f".{name}.partial"
        record = {"process": process._asdict(), "fingerprint": fingerprint, "startedAt": started_at.isoformat()}
        partial.write_text(json.dumps(record))
        partial.rename(self._records / f"{name}.json")


def _program_of(pid: int) -> Path | None:
    """The file a process runs; None when it has ended or we may not look."""
    try:
        return Path(str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)"))
    except OSError:
        return None


def _forget(process: subprocess.Popen[bytes]) -> None:
    """Let it outlive us: without this, Python warns that we did not wait for it."""
    process.returncode = 0
