"""The operator that acts, as a process and a pod: what a node or an administrator may do to it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from e2e.pod_processes import fork_of, process_of
from local_cluster.full.cluster import FullCluster
from local_cluster.full.instance import POD_RANGE
from session_devtools.errors import NotReady
from session_devtools.installation.install import rollout
from session_devtools.kubectl import Kubectl
from support.waiting import TIMEOUT, until

NAMESPACE = "whatsapp-operator"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/whatsapp-operator"
RESYNC = 'whatsapp_operator_resync_total{result="success"}'


@dataclass(frozen=True, kw_only=True)
class Operator:
    """The installed operator."""

    cluster: FullCluster
    kubectl: Kubectl

    def pod(self) -> dict[str, Any]:
        """Return its pod. :raises NotReady: there is none that stays."""
        found = self.kubectl.get("pod", namespace=NAMESPACE)
        pods = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        if not pods:
            raise NotReady("the operator has no pod")
        return pods[0]

    def lease_process(self) -> int:
        """Return the id, on this machine, of the process that holds its Lease: the first of its container."""
        return process_of(self.cluster, str(self.pod()["metadata"]["uid"]), "whatsapp_operator")

    def work_process(self) -> int:
        """Return the id of the one that does everything else, its child."""
        return fork_of(self.cluster, str(self.pod()["metadata"]["uid"]), "whatsapp_operator")

    def kill(self, pid: int) -> None:
        """End one of its processes by SIGKILL, as a kernel out of memory does; the other one follows by itself."""
        os.kill(pid, signal.SIGKILL)

    def replace(self) -> None:
        """Delete its pod at once, and wait until another acts. The kubelet's back-off after a SIGKILL ends so, too."""
        before = self.pod()["metadata"]
        name, uid = before["name"], before["uid"]
        self.kubectl("delete", "pod", name, f"--namespace={NAMESPACE}", "--now", timeout=90)
        until("the operator gets a new pod", self.pod, lambda pod: pod["metadata"]["uid"] != uid)
        self.wait_until_ready()

    def scale(self, replicas: int) -> None:
        """Set how many there are, and wait until it is so."""
        self.kubectl("scale", "deployment/whatsapp-operator", f"--namespace={NAMESPACE}", f"--replicas={replicas}")
        if replicas:
            self.wait_until_ready()
        else:
            selector = "--selector=app.kubernetes.io/component=operator"
            self.kubectl(
                "wait", "pods", selector, f"--namespace={NAMESPACE}", "--for=delete", "--timeout=60s", timeout=70
            )

    def wait_until_ready(self) -> None:
        """Wait until it is ready, which it is when it holds the Lease and has seen the cluster."""
        rollout(self.kubectl, "whatsapp-operator", NAMESPACE, within=TIMEOUT)

    def log(self, *, lines: int = 60) -> str:
        """Return the end of its log."""
        return self.kubectl("logs", "deployment/whatsapp-operator", f"--namespace={NAMESPACE}", f"--tail={lines}")

    def resyncs(self) -> int:
        """Return how often it has listed everything anew, by its own metrics."""
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{self.pod()['metadata']['name']}:8080/proxy/metrics"
        lines = self.kubectl("get", "--raw", path).splitlines()
        shown = next((line for line in lines if line.startswith(RESYNC)), "0")  # of a new operator there is none yet
        return int(float(shown.split()[-1]))

    def wait_for_resyncs(self, times: int) -> None:
        """Wait until it has listed everything that many times more."""
        begun = self.resyncs()
        until(f"the operator lists everything {times} times", self.resyncs, lambda now: now >= begun + times, every=1)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Take the way to all other pods from it, by routes in its own network namespace that lead nowhere.

        The way to the API server stays, and the node's to it: the kubelet still sees a healthy operator.
        """
        enter = ["nsenter", f"--net=/proc/{self.lease_process()}/ns/net", "ip", "route"]
        gateway = subprocess.check_output([*enter, "show", "default"], text=True).split()[2]
        subprocess.run([*enter, "replace", f"{gateway}/32", "dev", "eth0"], check=True)
        # Two halves, which are more specific than whatever leads to the whole.
        halves = [str(half) for half in IPv4Network(POD_RANGE).subnets()]
        for half in halves:
            subprocess.run([*enter, "add", "blackhole", half], check=True)
        try:
            yield
        finally:
            for half in halves:
                subprocess.run([*enter, "delete", "blackhole", half], check=True)
