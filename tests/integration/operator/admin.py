"""What a test does to the cluster as its administrator, among coroutines, and what it reads."""

import asyncio
from typing import Any

from api_client import ApiClient
from local_cluster.light import LightCluster
from session_devtools.audit_log import AuditLog, Entry, writes

Json = dict[str, Any]
GROUP = "/apis/wasession.dev/v1alpha1"
PATHS = {
    "whatsappsessions": GROUP,
    "whatsappsessionquotas": GROUP,
    "leases": "/apis/coordination.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
    "validatingadmissionpolicies": "/apis/admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings": "/apis/admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations": "/apis/admissionregistration.k8s.io/v1",
    "mutatingwebhookconfigurations": "/apis/admissionregistration.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
}

BUSY = "storage is (re)initializing"
""" What the API server says of a custom resource while it begins to serve it anew, as after a change of any CRD. """
RETRIES = 40


class Refused(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Admin:
    """Raw calls, with whatever rights the client has."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def call(
        self, method: str, path: str, body: Json | None = None, *, content_type: str = "application/json", **query: str
    ) -> Json:
        """Make one call. :raises LookupError: 404. :raises Refused: any other refusal."""
        for _ in range(RETRIES):
            answer = await asyncio.to_thread(self._api.request, method, path, body, content_type=content_type, **query)
            if answer.status != 429 or BUSY not in str(answer.body.get("message")):
                break
            await asyncio.sleep(0.5)
        if answer.status == 404:
            raise LookupError(answer.body.get("message"))
        if answer.status >= 300:
            raise Refused(answer.status, str(answer.body.get("message")))
        return answer.body

    def path(self, plural: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return an object's path."""
        base = PATHS.get(plural, "/api/v1") + (f"/namespaces/{namespace}" if namespace else "")
        return "/".join(part for part in (base + f"/{plural}", name, subresource) if part)

    async def get(self, plural: str, namespace: str, name: str) -> Json:
        """Read an object."""
        return await self.call("GET", self.path(plural, namespace, name))

    async def list(self, plural: str, namespace: str = "") -> list[Json]:
        """Read all objects of a namespace."""
        items: list[Json] = (await self.call("GET", self.path(plural, namespace)))["items"]
        return items

    async def create(self, plural: str, namespace: str, obj: Json) -> Json:
        """Create an object."""
        return await self.call("POST", self.path(plural, namespace), obj)

    async def patch(self, plural: str, namespace: str, name: str, patch: Json, *, subresource: str = "") -> Json:
        """Merge-patch an object."""
        path = self.path(plural, namespace, name, subresource)
        return await self.call("PATCH", path, patch, content_type="application/merge-patch+json")

    async def delete(self, plural: str, namespace: str, name: str, *, body: Json | None = None) -> None:
        """Delete an object."""
        await self.call("DELETE", self.path(plural, namespace, name), body)

    async def bind(self, namespace: str, pod: str, node: str) -> None:
        """Put a pod on a node, as a scheduler does."""
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}
        await self.call("POST", self.path("pods", namespace, pod, "binding"), body)

    async def remove_pod(self, namespace: str, name: str) -> None:
        """Take a pod's object away, as a kubelet does at the end."""
        await self.delete("pods", namespace, name, body={"gracePeriodSeconds": 0})


class Audit:
    """What the operator did, by the API server's own account, from the moment this was created."""

    def __init__(self, cluster: LightCluster) -> None:
        self._log = AuditLog(cluster.audit_log)
        self._start = self._log.end()

    def requests(self) -> list[Entry]:
        """The operator's requests, kopf's included, in order."""
        entries = self._log.entries(since=self._start)
        return [entry for entry in entries if entry.user_agent.startswith(("whatsapp-operator/", "kopf/"))]

    def writes(self, *, but: tuple[str, ...] = ("leases", "events")) -> list[str]:
        """The writes that were carried out, as "verb resource/subresource", without those to the resources in `but`."""
        return writes(self.requests(), but=but)

    def refused(self) -> list[str]:
        """The requests that a right was missing for."""
        return [f"{entry.verb} {entry.resource}" for entry in self.requests() if entry.is_forbidden]
