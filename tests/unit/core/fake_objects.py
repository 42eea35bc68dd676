"""The objects of one namespace as dictionaries, and what people and the kubelet do to them.

What the API server would do by itself (UIDs, generations, garbage collection) happens here at once.
"""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from session_protocol.times import format_time
from support.facts import T0
from unit.core.raw_objects import Json, is_owned_by, without
from whatsapp_operator.api.constants import API_VERSION, PROFILE_LABEL, SESSION_KIND
from whatsapp_operator.core.objects.pod import GRACE_SECONDS

NAMESPACE = "shop"


@dataclass
class FakeObjects:
    """All objects of one namespace, by kind and name."""

    now: datetime = T0
    sessions: dict[str, Json] = field(default_factory=dict)
    pods: dict[str, Json] = field(default_factory=dict)
    pvcs: dict[str, Json] = field(default_factory=dict)
    services: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    quotas: dict[str, Json] = field(default_factory=dict)
    _serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def tick(self, seconds: float = 1) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    # --- people

    def apply(self, name: str = "sales", *, spec: Json | None = None, uid: str | None = None) -> Json:
        """Create a session, or change its spec."""
        session = self.sessions.get(name)
        if session is None:
            session = self.sessions[name] = {
                "apiVersion": API_VERSION,
                "kind": SESSION_KIND,
                "metadata": {
                    "name": name,
                    "namespace": NAMESPACE,
                    "uid": uid or f"session-{next(self._serial)}",
                    "generation": 1,
                    "creationTimestamp": format_time(self.now),
                    "annotations": {},
                },
                "spec": spec or {},
            }
        elif session["spec"] != (spec or {}):
            session["spec"] = spec or {}
            session["metadata"]["generation"] += 1
        return session

    def annotate(self, name: str = "sales", **requests: str) -> None:
        """Ask for something: restart_at="…", relink_at="…" or renew_tokens_at="…"."""
        for request, value in requests.items():
            self.sessions[name]["metadata"]["annotations"][f"wasession.dev/{request.replace('_', '-')}"] = value

    def set_quota(self, name: str = "default", **spec: Any) -> None:
        """Create or change a quota."""
        self.quotas[name] = {"metadata": {"name": name, "generation": 1}, "spec": spec}

    def release_claim(self, name: str) -> Json:
        """Create a person's own claim that its owner has released to sessions."""
        metadata = {"name": name, "namespace": NAMESPACE, "labels": {PROFILE_LABEL: "true"}}
        self.pvcs[name] = {"metadata": metadata, "spec": {}, "status": {}}
        return self.pvcs[name]

    def delete_session(self, name: str = "sales") -> None:
        """Delete a session; what it owns goes with it, pods after their grace."""
        uid = self.sessions.pop(name)["metadata"]["uid"]
        for pod in self.pods.values():
            if is_owned_by(pod, uid):
                self._delete(pod)
        for objects in (self.pvcs, self.secrets):
            for key in [key for key, obj in objects.items() if is_owned_by(obj, uid)]:
                del objects[key]

    def delete_pod(self, name: str = "sales", *, disrupted: bool = False) -> None:
        """Delete a pod gracefully, by hand or by the eviction API."""
        self._delete(self.pods[name])
        if disrupted:
            self.pods[name]["status"].setdefault("conditions", []).append(
                {"type": "DisruptionTarget", "status": "True"}
            )

    def _delete(self, pod: Json) -> None:
        # By this time it has to be gone; a pod without a node has no grace.
        grace = timedelta(seconds=GRACE_SECONDS if "nodeName" in pod["spec"] else 0)
        pod["metadata"].setdefault("deletionTimestamp", format_time(self.now + grace))
        pod["metadata"].setdefault("deletionGracePeriodSeconds", int(grace.total_seconds()))

    # --- the kubelet

    def schedule(self, name: str = "sales") -> None:
        """The pod gets its node."""
        pod = self.pods[name]
        pod["spec"]["nodeName"] = "node-1"
        pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}]

    def run(self, name: str = "sales", *, ready: bool = True) -> None:
        """The pod's container starts."""
        pod = self.pods[name]
        if "nodeName" not in pod["spec"]:
            self.schedule(name)
        conditions = [*without(pod, "Ready"), {"type": "Ready", "status": str(ready)}]
        container = {"name": "runner", "state": {"running": {"startedAt": format_time(self.now)}}}
        pod["status"] |= {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "conditions": conditions,
            "containerStatuses": [container],
        }

    def end(self, name: str = "sales", *, code: int = 1, reason: str = "Error", message: str = "") -> None:
        """The pod's container ends by itself."""
        status = self.pods[name]["status"]
        before = (status.get("containerStatuses") or [{}])[0].get("state", {}).get("running") or {}
        started = before.get("startedAt", format_time(self.now))
        ended = {"exitCode": code, "reason": reason, "message": message, "startedAt": started}
        ended["finishedAt"] = format_time(self.now)
        status["phase"] = "Failed" if code else "Succeeded"
        status["conditions"] = [*without(self.pods[name], "Ready"), {"type": "Ready", "status": "False"}]
        status["containerStatuses"] = [{"name": "runner", "state": {"terminated": ended}}]

    def evict(self, name: str = "sales", *, message: str = "The node was low on resource: memory.") -> None:
        """The kubelet evicts the pod: the object stays, failed."""
        status = self.pods[name]["status"]
        status |= {"phase": "Failed", "reason": "Evicted", "message": message}
        status["conditions"] = [*without(self.pods[name], "Ready"), {"type": "DisruptionTarget", "status": "True"}]
        for container in status.get("containerStatuses", []):
            started = container["state"].get("running", {}).get("startedAt")
            if started:
                container["state"] = {
                    "terminated": {"exitCode": 137, "startedAt": started, "finishedAt": format_time(self.now)}
                }

    def wait(self, name: str = "sales", *, reason: str, message: str = "") -> None:
        """The pod's container cannot start yet."""
        waiting = {"waiting": {"reason": reason, "message": message}}
        self.pods[name]["status"]["containerStatuses"] = [{"name": "runner", "state": waiting}]

    def gone(self, name: str = "sales") -> None:
        """The pod's object is removed."""
        del self.pods[name]
