"""The cluster's DNS as a program of its own, while there is no API server to ask."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_cluster.build.programs import kubernetes
from session_devtools.http_client import Client
from session_devtools.ports import free_ports
from session_devtools.progress import ConsoleProgress
from session_devtools.waiting import wait_until

pytestmark = pytest.mark.timeout(900)  # seconds: without a cache the programs are built first

LOOKS = 20  # each writes a line

COREFILE = """\
cluster.local:{dns} {{
    bind 127.0.0.1
    kubernetes cluster.local {{
        kubeconfig {kubeconfig}
        startup_timeout 100ms
    }}
    ready 127.0.0.1:{ready}
}}
"""


@pytest.fixture
def readiness(tmp_path: Path) -> Iterator[Client]:
    """What asks a CoreDNS whether it is ready; nobody listens where its API server should be."""
    nobody, dns, ready = free_ports(3)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "gone", "cluster": {"server": f"http://127.0.0.1:{nobody}"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone"}}],
        "current-context": "gone",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    (tmp_path / "Corefile").write_text(COREFILE.format(dns=dns, ready=ready, kubeconfig=tmp_path / "kubeconfig"))
    program = kubernetes(progress=ConsoleProgress()) / "coredns"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, "--conf", tmp_path / "Corefile"], stdout=log, stderr=log)
    try:
        yield Client(f"http://127.0.0.1:{ready}")
    finally:
        process.kill()
        process.wait()


def test_it_says_that_it_is_not_ready_each_time_it_is_asked(readiness: Client, tmp_path: Path) -> None:
    """What it writes of that does not wait for itself."""

    def looked() -> int:
        return readiness.request("/ready", timeout=5).status

    wait_until("it listens", looked, lambda status: status != 0, within=20, every=0.05)

    assert {503} == {looked() for _ in range(LOOKS)}
    assert "Plugins not ready" in (tmp_path / "log").read_text()
