"""What a test does to the cluster as its administrator, among coroutines, and what it reads."""

import asyncio
import json
from typing import Any

from api_client import ApiClient
from local_cluster.light import LightCluster

Json = dict[str, Any]
GROUP = "/apis/wasession.dev/v1alpha1"
PATHS = {
    "whatsappsessions": GROUP,
    "whatsappsessionquotas": GROUP,
    "leases": "/apis/coordination.k8s.io/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
    "validatingadmissionpolicies": "/apis/admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings": "/apis/admissionregistration.k8s.io/v1",
}

BUSY = "storage is (re)initializing"
""" What the API server says of a custom resource while it begins to serve it anew, as after a change of any CRD. """
PATIENCE = 40


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
        for _ in range(PATIENCE):
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
    """What the operator did, by the API server's own account, from the moment this was made."""

    def __init__(self, cluster: LightCluster) -> None:
        self._file = cluster.audit_log
        self._start = self._file.stat().st_size if self._file.exists() else 0

    def requests(self) -> list[Json]:
        """The operator's requests, kopf's included, in order."""
        with self._file.open() as log:
            log.seek(self._start)
            lines = [json.loads(line) for line in log if line.endswith("\n")]
        return [
            line
            for line in lines
            if line["stage"] == "ResponseComplete"
            and line.get("userAgent", "").startswith(("whatsapp-operator/", "kopf/"))
        ]

    def writes(self, *, but: tuple[str, ...] = ("leases", "events")) -> list[str]:
        """The writes that were carried out, as "verb resource/subresource", without those to the resources in `but`."""
        return [
            _words(line)
            for line in self.requests()
            if line["verb"] not in ("get", "list", "watch")
            and line["responseStatus"]["code"] < 300
            and line["objectRef"]["resource"] not in but
        ]

    def refused(self) -> list[str]:
        """The requests that a right was missing for; a 403 of admission (a quota, a policy) is none of them."""
        return [
            _words(line)
            for line in self.requests()
            if line["responseStatus"]["code"] == 401
            or line.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid"
        ]


def _words(line: Json) -> str:
    reference = line["objectRef"]
    subresource = f"/{reference['subresource']}" if "subresource" in reference else ""
    return f"{line['verb']} {reference['resource']}{subresource}"
