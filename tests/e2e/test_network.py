"""The operator's NetworkPolicy in a cluster that enforces policies: both sides of each of its rules.

A web server with a runner's labels stands for a runner, and pods with a shell for everybody else; the policy is made
by the operator's own code from its settings. Who is denied gets no answer at all, so these wait for a second.
"""

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.support import IMAGE, PREFIX, TOOLS, Manifest, apply, pod, server, wait_ready
from local_cluster import build
from local_cluster.full import oci
from local_cluster.full.cluster import FullCluster
from session_devtools import packages
from session_devtools.commands import run
from session_devtools.errors import CommandError
from session_devtools.http_client import Client
from session_devtools.progress import ConsoleProgress
from session_devtools.waiting import wait_until
from whatsapp_operator.app.settings import load
from whatsapp_operator.core.objects.network_policy import network_policy_manifest

pytestmark = pytest.mark.timeout(600)

PUBLIC = "11.22.33.44"
""" A public address that only the node's own loopback has, so that no packet to it leaves the node. """
NAMESPACES: dict[str, dict[str, str]] = {
    "shop": {},
    "club": {},
    "whatsapp-operator": {},
    "monitoring": {},
    "metrics": {"wasession.dev/scrapes-metrics": "true"},
    "proxies": {},
}
""" With their labels. """
RUNNER = {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "app.kubernetes.io/name": "whatsapp-session"}
OPERATOR = {"app.kubernetes.io/name": "whatsapp-session-operator", "app.kubernetes.io/component": "operator"}
CLIENT = {"wasession.dev/client": "true"}
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
PODS = {
    ("whatsapp-operator", "operator"): OPERATOR,
    ("whatsapp-operator", "neighbour"): {},
    ("club", "impostor"): OPERATOR,
    ("shop", "client"): CLIENT,
    ("shop", "stranger"): {},
    ("shop", "other-runner"): RUNNER,
    ("club", "foreign-client"): CLIENT,
    ("monitoring", "prometheus"): PROMETHEUS,
    ("monitoring", "other"): {},
    ("metrics", "agent"): {},
}
MAY_CONNECT = {
    ("whatsapp-operator", "operator"): True,
    ("whatsapp-operator", "neighbour"): False,
    ("club", "impostor"): False,
    ("shop", "client"): True,
    ("shop", "stranger"): False,
    ("shop", "other-runner"): False,
    ("club", "foreign-client"): False,
    ("monitoring", "prometheus"): True,
    ("monitoring", "other"): False,
    ("metrics", "agent"): True,
}


class Stage:
    """The pods, and what one gets from another."""

    def __init__(self, cluster: FullCluster) -> None:
        self.cluster = cluster
        settings = load(
            runner_image="r:1",
            network_policy_scrapers="monitoring/app.kubernetes.io/name=prometheus",
            network_policy_egress="proxies/app=squid:8080",
        )
        network = settings.network("whatsapp-operator")
        assert network is not None
        apply(cluster, *(_namespace(name, labels) for name, labels in NAMESPACES.items()))
        for name in NAMESPACES:  # pods are refused until the controller has made the account they run as
            cluster.kubectl("-n", name, "wait", "--for=create", "serviceaccount/default", "--timeout=20s")
        apply(cluster, dict(network_policy_manifest("shop", network)))
        servers = [
            _labelled(server("shop", "runner"), RUNNER),
            _labelled(server("proxies", "squid"), {"app": "squid"}),
            _labelled(server("proxies", "web"), {"app": "web"}),
        ]
        apply(cluster, *servers, *(_labelled(pod(*where), labels) for where, labels in PODS.items()))
        wait_ready(cluster, "shop", "runner", *(name for space, name in PODS if space == "shop"))
        wait_ready(cluster, "proxies", "squid", "web")
        for space in ("club", "whatsapp-operator", "monitoring", "metrics"):
            wait_ready(cluster, space, *(name for found, name in PODS if found == space))
        wait_until("the policy holds", lambda: not self.gets("shop", "stranger", self.url("shop", "runner")), within=30)

    def url(self, namespace: str, name: str) -> str:
        """Return the address of a pod's web server."""
        ip = self.cluster.kubectl("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.podIP}")
        return f"http://{ip}:8080/"

    def exec(self, namespace: str, name: str, *command: str) -> str:
        """Return what a command in a pod says, also of its own failure."""
        try:
            return self.cluster.kubectl("-n", namespace, "exec", name, "--", *command)
        except CommandError as error:
            return error.output

    def gets(self, namespace: str, name: str, url: str, *, patience: int = 1) -> bool:
        """Whether a pod gets an answer."""
        return "hello" in self.exec(namespace, name, "timeout", str(patience), "wget", "-qO-", url)

    def reaches(self, url: str) -> bool:
        """Whether the runner gets an answer, asked twice: a busy machine may need more than a second for the first."""
        return any(self.gets("shop", "runner", url, patience=patience) for patience in (1, 5))


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _labelled(manifest: Manifest, labels: dict[str, str]) -> Manifest:
    metadata: dict[str, Any] = manifest["metadata"] | {"labels": labels}
    return manifest | {"metadata": metadata}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A cluster of its own that enforces policies."""
    packages.ensure(["busybox-static"])
    build.network_policies(progress=ConsoleProgress())
    program = Path("/bin/busybox").read_bytes()
    image = tmp_path_factory.mktemp("image") / "busybox.tar"
    image.write_bytes(oci.archive(IMAGE, {f"bin/{tool}": program for tool in TOOLS}, entrypoint=["/bin/sleep", "3600"]))
    cluster = FullCluster(f"{PREFIX}{uuid.uuid4().hex[:6]}", network_policies=True)
    with contextlib.ExitStack() as made:
        made.callback(cluster.down)
        cluster.up()
        cluster.load(image)
        yield Stage(cluster)


@pytest.fixture(scope="module")
def node_server(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web server on port 443 and 8443 of the node's public and private address; returns the private one."""
    inside = stage.cluster.inside
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("hello\n")
    run(*inside("ip", "address", "add", f"{PUBLIC}/32", "dev", "lo"))
    assert run(*inside("ip", "route", "get", PUBLIC)).startswith("local")
    command = [sys.executable, "-m", "http.server", "--directory", str(folder), "--bind", "0.0.0.0"]
    with contextlib.ExitStack() as running:
        for port in ("443", "8443"):
            process = subprocess.Popen(inside(*command, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(process.wait)
            running.callback(process.terminate)
        yield stage.cluster.instance.link.node


def test_only_the_operator_clients_and_scrapers_get_in(stage: Stage) -> None:
    """By namespace and label together: the same labels elsewhere, and the same namespace without them, do not.

    And every pod of a namespace whose label says that it scrapes metrics.
    """
    url = stage.url("shop", "runner")

    found = {where: stage.gets(*where, url, patience=10 if good else 1) for where, good in MAY_CONNECT.items()}

    assert MAY_CONNECT == found


def test_probes_and_port_forward_get_in(stage: Stage) -> None:
    """The kubelet's: the runner became ready under the policy. Both come from the node, which no policy judges."""
    with stage.cluster.kubectl.forward("runner", 8080, namespace="shop") as port:
        answer = Client(f"http://127.0.0.1:{port}").request("/")

    assert "hello\n" == answer.text


def test_names_are_found_and_pods_are_not_reached(stage: Stage) -> None:
    """DNS by its port, wherever it is; neither a neighbour nor the API server."""
    assert "10.96.0.1" in stage.exec("shop", "runner", "nslookup", "kubernetes.default.svc.cluster.local.")
    assert not stage.reaches(stage.url("proxies", "web"))
    api = stage.exec(
        "shop", "runner", "timeout", "2", "wget", "-qO-", "http://kubernetes.default.svc.cluster.local:443/"
    )
    assert "400 Bad Request" not in api
    stranger = ("timeout", "10", "wget", "-qO-", "http://kubernetes.default.svc.cluster.local:443/")
    assert "400 Bad Request" in stage.exec("shop", "stranger", *stranger)


def test_a_setting_opens_a_way(stage: Stage) -> None:
    """To the proxy's pods and its port."""
    assert stage.reaches(stage.url("proxies", "squid"))


def test_only_public_addresses_are_reached_on_443(stage: Stage, node_server: str) -> None:
    """The same server: by its public address and port 443, not by another port, and not by its private address."""
    found = {
        (address, port): stage.reaches(f"http://{address}:{port}/")
        for address in (PUBLIC, node_server)
        for port in (443, 8443)
    }
    everybody = [stage.gets("shop", "stranger", f"http://{address}:{port}/", patience=10) for address, port in found]

    assert {(PUBLIC, 443): True, (PUBLIC, 8443): False, (node_server, 443): False, (node_server, 8443): False} == found
    assert [True] * 4 == everybody
