"""The operator as a process of this machine, with the account and the rights of the manifests, on a light cluster."""

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
from session_devtools.waiting import wait_until
from session_devtools.web import Client

from session_bench.errors import BenchError
from session_bench.metrics import Work, parse_work

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
        wait_until("the operator to act", lambda: self._said("Role", "role", "acting"))

    def work(self) -> Work:
        """Ask its metrics what it has done so far."""
        port = wait_until("the operator's port", lambda: self._said("Probes served", "port"))
        return parse_work(Client(f"http://127.0.0.1:{port}").ask("/metrics", headers={"Accept": "text/plain"}).text)

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
