"""The operator as a process of this machine, on a light cluster: when it acts, and what it has done by its own metrics."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from session_devtools.http_client import Client
from session_devtools.processes import tail
from session_devtools.waiting import wait_until
from support.operator_process import log_lines, start, worker

from session_bench.errors import BenchError
from session_bench.metrics import Work, parse_work


@dataclass(frozen=True, kw_only=True)
class OperatorProcess:
    """One that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The id of its process that works; its parent only holds the Lease."""
        return worker(self.process)

    def wait_until_acting(self) -> None:
        """Wait until it holds the Lease and has seen the cluster."""
        wait_until("the operator to act", lambda: self._logged("Role", "role", "acting"))

    def work(self) -> Work:
        """Ask its metrics what it has done so far."""
        port = wait_until("the operator's port", lambda: self._logged("Probes served", "port"))
        return parse_work(Client(f"http://127.0.0.1:{port}").request("/metrics", headers={"Accept": "text/plain"}).text)

    def _logged(self, message: str, field: str, value: str = "") -> str | None:
        if self.process.poll() is not None:
            raise BenchError(f"the operator ended ({self.process.returncode}): {tail(self.log, lines=40)}")
        for line in log_lines(self.log):
            if line.get("message") == message and value in ("", line.get(field)):
                return str(line[field])
        return None


@contextmanager
def operator(kubeconfig: Path, log: Path) -> Iterator[OperatorProcess]:
    """Start one, and end it in order."""
    process = start(kubeconfig, log)
    try:
        yield OperatorProcess(process=process, log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
