"""The operator as a process of this machine, with the account and the rights of the manifests, on a light cluster."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cluster.light import LightCluster
from session_demo.cast import CRDS

from session_bench.errors import BenchError
from session_bench.metrics import Work, parse_work
from session_bench.waiting import until

ROOT = Path(__file__).parents[2]
NAMESPACE = "whatsapp-operator"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:whatsapp-operator"
MANIFESTS = (
    *(ROOT / f"crds/wasession.dev_whatsapp{kind}.yaml" for kind in ("sessions", "sessionquotas")),
    *(
        ROOT / f"manifests/base/operator/{name}.yaml"
        for name in ("namespace", "service-account", "cluster-role", "role")
    ),
)


@dataclass(frozen=True, kw_only=True)
class OperatorProcess:
    """One that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def acts(self) -> None:
        """Wait until it holds the Lease and has seen the cluster."""
        until(lambda: self._said("Role", "role", "acting"), "the operator to act")

    def work(self) -> Work:
        """Ask its metrics what it has done so far."""
        port = until(lambda: self._said("Probes served", "port"), "the operator's port")
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        try:
            connection.request("GET", "/metrics")
            return parse_work(connection.getresponse().read().decode())
        finally:
            connection.close()

    def _said(self, message: str, field: str, value: str = "") -> str | None:
        if self.process.poll() is not None:
            raise BenchError(f"the operator ended ({self.process.returncode}): {self.log.read_text()[-2000:]}")
        for line in self.log.read_text().splitlines():
            told = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            if told.get("message") == message and value in ("", told.get(field)):
                return str(told[field])
        return None


@contextmanager
def operator(cluster: LightCluster, kubeconfig: Path, log: Path) -> Iterator[OperatorProcess]:
    """Start one, and end it in order."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'session-runner'}",
        "KUBECONFIG": str(kubeconfig),
        "RUNNER_IMAGE": "example.org/runner:1",
        "OPERATOR_NAMESPACE": NAMESPACE,
        "POD_NAME": log.stem,
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": "0",
    }
    command = [sys.executable, "-m", "whatsapp_operator"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stderr=output, cwd=cluster.folder)
    try:
        yield OperatorProcess(process=process, log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def install(cluster: LightCluster) -> Path:
    """Apply CRDs and rights; return a kubeconfig of the operator's account."""
    files = [argument for path in MANIFESTS for argument in ("--filename", str(path))]
    cluster.kubectl("apply", "--server-side", *files)
    cluster.kubectl.wait_established(*CRDS)
    return cluster.kubeconfig_for(ACCOUNT, "system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
