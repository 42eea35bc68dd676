"""What a benchmark sees of the cluster it measures on: objects, runners, the phone. `setting` brings it up.

Reads are single requests of our own: a kubectl per look would take more processor time than what is measured.
"""

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_devtools.audit_log import AuditLog
from session_devtools.http_client import Client
from session_devtools.installation.phone import Phone
from session_devtools.kubectl import Kubectl
from session_devtools.waiting import wait_until
from support.sessions import SessionWaits
from whatsapp_operator.api.constants import API_VERSION, RUNNER_PORT

from session_bench import objects
from session_bench.cgroups import Cgroup, pod_cgroup
from session_bench.errors import BenchError
from session_bench.pod_network import PodNetwork

if TYPE_CHECKING:  # who only computes figures loads no cluster
    from local_cluster.full.cluster import FullCluster

CORE = f"/api/v1/namespaces/{objects.NAMESPACE}"
SESSIONS = f"/apis/{API_VERSION}/namespaces/{objects.NAMESPACE}/whatsappsessions"


@dataclass(frozen=True, kw_only=True)
class Testbed(SessionWaits):
    """What is measured on."""

    cluster: "FullCluster"
    kubectl: Kubectl
    api: Client
    pod_network: PodNetwork
    phone: Phone
    timeout = 240.0
    interval = 0.05

    def get(self, path: str) -> dict[str, Any] | None:
        """Read one object or list; None while there is none."""
        answer = self.api.request(path, timeout=10)
        return answer.json_object() if answer.ok else None

    def pod(self, name: str) -> dict[str, Any] | None:
        """Return a pod, or None."""
        return self.get(f"{CORE}/pods/{name}")

    def status(self, name: str) -> dict[str, Any]:
        """Return a session's status; empty while there is none."""
        found = self.get(f"{SESSIONS}/{name}")
        return {} if found is None else dict(found.get("status") or {})

    def scan(self, text: str) -> str:
        """Let the phone scan a QR code's text; returns the device."""
        pod = self.get(f"/api/v1/namespaces/{self.phone.namespace}/pods/{self.phone.pod}")
        if pod is None:
            raise BenchError("the stand-in's pod is gone")
        host, token = str(pod["status"]["podIP"]), self.phone.token
        phone = Client(f"http://{host}:{self.phone.port}", token=token)
        return str(
            self.pod_network.run(phone.request, "/phone/scan", body={"qr": text}, timeout=60).json_object()["device"]
        )

    def qr_known(self, name: str, *, within: float = 240) -> tuple[float, str]:
        """Poll a pod's runner until it gives its QR code; returns when (monotonic) and its text. To be run inside."""
        pod = wait_until(f"the pod {name} to have an address", lambda: _with_address(self.pod(name)), within=within)
        secret = self.get(f"{CORE}/secrets/{self._linking_secret(name, pod)}")
        if secret is None:
            raise BenchError(f"the Secret of {name} is gone")
        token = base64.b64decode(secret["data"]["link"]).decode()

        runner = Client(f"http://{pod['status']['podIP']}:{RUNNER_PORT}", token=token)

        def probe() -> tuple[float, str] | None:
            answer = runner.request("/v1/qr", timeout=5)
            if answer.ok:
                return time.monotonic(), str(answer.json_object()["text"])
            if answer.status == 0:
                self._check_running(pod)
            return None

        seen, text = wait_until(f"the QR code of {name}", probe, within=within)
        return seen, text

    @property
    def audit_log(self) -> AuditLog:
        """What the API server was asked for."""
        return AuditLog(self.cluster.audit_log)

    def log_of(self, name: str) -> str:
        """Return a pod's log so far."""
        return self.kubectl("logs", name, f"--namespace={objects.NAMESPACE}")

    def cgroup_of(self, name: str) -> Cgroup:
        """Return a pod's control group. :raises BenchError: there is no such pod, or it has ended."""
        pod = self.pod(name)
        if pod is None:
            raise BenchError(f"the pod {name} is gone before its cost was read")
        return pod_cgroup(self.cluster.instance.label, str(pod["metadata"]["uid"]))

    def _linking_secret(self, name: str, pod: dict[str, Any]) -> str:
        """Name the Secret with the token for linking: that of a session comes a moment after its pod."""
        if self.get(f"{SESSIONS}/{name}") is None:  # a pod made by hand has no session
            return objects.secret_of(pod)
        secrets = wait_until(f"the tokens of {name}", lambda: self.status(name).get("tokenSecrets"), within=60)
        return str(secrets["linking"])

    def _check_running(self, pod: dict[str, Any]) -> None:
        """A pod that failed would make the figure one of the recovery. :raises BenchError: it failed."""
        now = self.pod(pod["metadata"]["name"])
        if now is None or now["metadata"]["uid"] != pod["metadata"]["uid"] or now["status"]["phase"] == "Failed":
            raise BenchError(
                f"the pod {pod['metadata']['name']} failed while it was measured; its session's status says why. "
                "On a busy machine a browser may take longer than its launch timeout"
            )

    def ready(self, name: str, *, within: float = 240) -> float:
        """Poll a pod until the kubelet calls it ready; returns when (monotonic)."""

        def probe() -> float | None:
            conditions = ((self.pod(name) or {}).get("status") or {}).get("conditions") or []
            is_ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
            return time.monotonic() if is_ready else None

        return wait_until(f"the pod {name} to be ready", probe, within=within)

    def scheduled(self, name: str, *, after: str = "", within: float = 240) -> float:
        """Poll a pod, another one than `after`, until it has a node; returns when, in seconds since the epoch."""

        def probe() -> float | None:
            pod = self.pod(name)
            there = pod is not None and pod["metadata"]["uid"] != after and pod["spec"].get("nodeName")
            return time.time() if there else None

        return wait_until(f"the pod {name} to have a node", probe, within=within, every=0.02)

    def clear(self) -> None:
        """Remove all sessions, pods and claims of the benchmark, and wait until their volumes are gone too."""
        for kinds in ("whatsappsessions", "pods,persistentvolumeclaims,secrets"):
            self.kubectl("delete", kinds, "--all", f"--namespace={objects.NAMESPACE}", "--timeout=180s", timeout=190)

        def gone() -> bool:
            volumes = (self.get("/api/v1/persistentvolumes") or {"items": [None]})["items"]
            pods = (self.get(f"{CORE}/pods") or {"items": [None]})["items"]
            return not volumes and not pods

        wait_until("the volumes to be gone", gone, every=0.3)


def _with_address(pod: dict[str, Any] | None) -> dict[str, Any] | None:
    return pod if pod is not None and pod["status"].get("podIP") else None
