"""What a benchmark sees of the cluster it measures on: objects, runners, the phone. `setting` brings it up.

Reads are single requests of our own: a kubectl per look would take more processor time than what is measured.
"""

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_demo.stage import Stage
from session_devtools.kubectl import Kubectl
from session_devtools.waiting import wait_until
from session_devtools.web import Client
from session_protocol.vocabulary import RunnerState
from whatsapp_operator.api.constants import API_VERSION, RUNNER_PORT

from session_bench import objects
from session_bench.errors import BenchError
from session_bench.inside import Inside

if TYPE_CHECKING:  # who only computes figures loads no cluster
    from local_cluster.full.cluster import FullCluster

CORE = f"/api/v1/namespaces/{objects.NAMESPACE}"
SESSIONS = f"/apis/{API_VERSION}/namespaces/{objects.NAMESPACE}/whatsappsessions"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What is measured on."""

    cluster: "FullCluster"
    kubectl: Kubectl
    api: Client
    inside: Inside
    stage: Stage

    def object(self, path: str) -> dict[str, Any] | None:
        """Read one object or list; None while there is none."""
        answer = self.api.ask(path, timeout=10)
        return answer.object() if answer.ok else None

    def pod(self, name: str) -> dict[str, Any] | None:
        """Return a pod, or None."""
        return self.object(f"{CORE}/pods/{name}")

    def session(self, name: str) -> dict[str, Any]:
        """Return a session's status; empty while there is none."""
        found = self.object(f"{SESSIONS}/{name}")
        return {} if found is None else dict(found.get("status") or {})

    def connected(self, name: str, *, but: str = "") -> dict[str, Any]:
        """Wait until a session is Connected in a pod of another UID than `but`; returns its status."""

        def look() -> dict[str, Any] | None:
            status = self.session(name)
            good = status.get("state") == RunnerState.CONNECTED and status.get("podUID") != but
            return status if good else None

        return wait_until(f"session {name} to be Connected", look, within=240)

    def scan(self, text: str) -> str:
        """Let the phone scan a QR code's text; returns the device."""
        pod = self.object(f"/api/v1/namespaces/{self.stage.phone_namespace}/pods/{self.stage.phone_pod}")
        if pod is None:
            raise BenchError("the stand-in's pod is gone")
        host, token = str(pod["status"]["podIP"]), self.stage.phone_token
        phone = Client(f"http://{host}:{self.stage.phone_port}", token=token)
        return str(self.inside.run(phone.ask, "/phone/scan", body={"qr": text}, timeout=60).object()["device"])

    def qr_known(self, name: str, *, within: float = 240) -> tuple[float, str]:
        """Poll a pod's runner until it gives its QR code; returns when (monotonic) and its text. To be run inside."""
        pod = wait_until(f"the pod {name} to have an address", lambda: _with_address(self.pod(name)), within=within)
        secret = self.object(f"{CORE}/secrets/{objects.secret_of(pod)}")
        if secret is None:
            raise BenchError(f"the Secret of {name} is gone")
        token = base64.b64decode(secret["data"]["link"]).decode()

        runner = Client(f"http://{pod['status']['podIP']}:{RUNNER_PORT}", token=token)

        def look() -> tuple[float, str] | None:
            answer = runner.ask("/v1/qr", timeout=5)
            if answer.ok:
                return time.monotonic(), str(answer.object()["text"])
            if answer.status == 0:
                self._still_runs(pod)
            return None

        seen, text = wait_until(f"the QR code of {name}", look, within=within)
        return seen, text

    def _still_runs(self, pod: dict[str, Any]) -> None:
        """A pod that failed would make the figure one of the recovery. :raises BenchError: it cannot be measured."""
        now = self.pod(pod["metadata"]["name"])
        if now is None or now["metadata"]["uid"] != pod["metadata"]["uid"] or now["status"]["phase"] == "Failed":
            raise BenchError(
                f"the pod {pod['metadata']['name']} failed while it was measured; its session's status says why. "
                "On a busy machine a browser may take longer than its launch timeout"
            )

    def ready(self, name: str, *, within: float = 240) -> float:
        """Poll a pod until the kubelet calls it ready; returns when (monotonic)."""

        def look() -> float | None:
            conditions = ((self.pod(name) or {}).get("status") or {}).get("conditions") or []
            good = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
            return time.monotonic() if good else None

        return wait_until(f"the pod {name} to be ready", look, within=within)

    def clear(self) -> None:
        """Remove all sessions, pods and claims of the benchmark, and wait until their volumes are gone too."""
        for kinds in ("whatsappsessions", "pods,persistentvolumeclaims,secrets"):
            self.kubectl("delete", kinds, "--all", f"--namespace={objects.NAMESPACE}", "--timeout=180s", timeout=190)

        def gone() -> bool:
            volumes = (self.object("/api/v1/persistentvolumes") or {"items": [None]})["items"]
            pods = (self.object(f"{CORE}/pods") or {"items": [None]})["items"]
            return not volumes and not pods

        wait_until("the volumes to be gone", gone, every=0.3)


def _with_address(pod: dict[str, Any] | None) -> dict[str, Any] | None:
    return pod if pod is not None and pod["status"].get("podIP") else None
