"""Child processes that never outlive the one who started them: those of a light cluster, a registry.

Each is started through `setpriv --pdeathsig`, so that the kernel ends it when its parent dies in whatever way; a
KeyboardInterrupt or a normal end goes through `Daemons.stop`. A session of its own keeps a Ctrl-C in the terminal from
reaching etcd before the tests that still talk to it have been told.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from session_devtools.errors import StartError
from session_devtools.processes import ProcessId, end, identify, tail

__all__ = ["Daemons"]


class Daemons:
    """Named child processes with one log each in a folder. To be used from one thread, which must outlive them."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._identities: dict[str, ProcessId | None] = {}

    def start(self, name: str, program: Path, arguments: Sequence[str]) -> None:
        """Start one; it is not ready yet when this returns."""
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._logs,
            )
        self._running[name] = process
        self._identities[name] = identify(process.pid)

    def check(self) -> None:
        """Raise StartError with the end of its log when one of them has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise StartError(f"{name} ended with status {process.returncode}:\n{tail(self._logs / f'{name}.log')}")

    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {name: process.pid for name, process in self._running.items()}

    def stop_one(self, name: str) -> None:
        """End one of them, which may be started again."""
        self._end([name])

    def stop(self) -> None:
        """End all of them, by id; their data is thrown away next, so they need no time to tidy up."""
        self._end(list(self._running))

    def _end(self, names: Sequence[str]) -> None:
        identities = [self._identities.pop(name) for name in names]
        end([identity for identity in identities if identity is not None], grace_period=0)
        for name in names:
            self._running.pop(name).wait()
