"""When is a cluster ready? When its API server answers, its node takes pods, and its names resolve.

Each wait has a deadline and looks after the daemon it waits for: one that has ended is reported with the end of its
log at once, instead of a timeout a minute later.
"""

import contextlib
import datetime as dt
import http.client
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from session_devtools.http_client import Client
from session_devtools.waiting import wait_until

from local_cluster.full.configs import DNS_READY_PORT
from local_cluster.full.instance import Instance
from local_cluster.full.supervisor import Supervisor
from local_cluster.pki import client_files

__all__ = [
    "accepts",
    "answers_ok",
    "api_client",
    "node_is_ready",
    "wait_for",
    "wait_for_api",
    "wait_for_dns",
    "wait_for_node",
]

TIMEOUT = 180.0  # seconds; each of the waits takes a few on an idle machine


def api_client(instance: Instance) -> Client:
    """Asks the instance's API server as administrator, from the host."""
    files = client_files(instance.kubeconfig)
    return Client(
        instance.plane.url,
        ca_file=instance.plane.pki / "ca.crt",
        **files._asdict(),
    )


def wait_for(is_so: Callable[[], bool], *, what: str, check: Callable[[], None], timeout: float = TIMEOUT) -> None:
    """Look until it is so; `check` may find out that it never will be, and raise.

    :raises WaitTimeout: `timeout` seconds have passed.
    """

    def look() -> bool:
        if is_so():
            return True
        check()
        return False

    wait_until(what, look, within=timeout)


def wait_for_api(instance: Instance, supervisor: Supervisor) -> None:
    """Until the API server says that it is ready."""
    client = api_client(instance)

    def check() -> None:
        supervisor.check("etcd")
        supervisor.check("kube-apiserver")

    wait_for(lambda: client.request("/readyz", timeout=5).ok, what="the API server's start", check=check)


def wait_for_node(instance: Instance, supervisor: Supervisor) -> None:
    """Until the kubelet that runs now, and not one of before, has reported the node ready."""
    client = api_client(instance)

    def is_ready() -> bool:
        answer = client.request(f"/api/v1/nodes/{instance.node}", timeout=5)
        since = supervisor.started_at("kubelet")
        return (
            supervisor.running("kubelet") is not None and answer.ok and node_is_ready(answer.json_object(), since=since)
        )

    def check() -> None:
        for name in ("containerd", "kubelet", "kube-apiserver"):
            supervisor.check(name)

    wait_for(is_ready, what="the node's start", check=check)


def wait_for_dns(instance: Instance, supervisor: Supervisor) -> None:
    """Until CoreDNS knows the cluster's Services: what it answers before that may be wrong."""
    wait_for(
        lambda: answers_ok(instance.link.node, DNS_READY_PORT, "/ready"),
        what="the cluster's DNS",
        check=lambda: supervisor.check("coredns"),
    )


def answers_ok(host: str, port: int, path: str, *, timeout: float = 1.0) -> bool:
    """Whether a server answers a plain GET with 200; `timeout` is in seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False


def accepts(path: Path) -> bool:
    """Whether somebody listens on a socket; its file alone may be a dead process's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def node_is_ready(node: Mapping[str, Any], *, since: dt.datetime | None) -> bool:
    """Whether a node reported itself ready at or after a moment; an older word is a dead kubelet's. Pure.

    Both are the wall clock's times as they were noted, so that a clock that was set later changes nothing.
    """
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            # The API's times have no fractions: a report of the same second may look earlier than the start.
            reported = dt.datetime.fromisoformat(condition["lastHeartbeatTime"])
            return bool(condition["status"] == "True" and (since is None or reported >= since.replace(microsecond=0)))
    return False
