"""The tests' administrator at an API server: one request, one answer, nothing hidden.

kubectl starts a process for each call and hides the machine-readable part of a refusal; a property test that asks the
API server a hundred times needs neither. It is not the operator's client and shares no code with it, so that a mistake
there cannot hide here.
"""

import contextlib
import http
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple

from local_cluster.light import LightCluster
from session_devtools.http_client import Client
from whatsapp_operator.api.constants import API_VERSION, QUOTA_KIND, QUOTA_PLURAL, SESSION_KIND, SESSION_PLURAL

Manifest = dict[str, Any]

UNCHECKED = "some validation rules were not checked because the object was invalid"
"""The API server's own remark beside a refusal by the schema; it names no field."""


class Refusal(NamedTuple):
    """One cause of a refusal."""

    field: str
    message: str


class Answer(NamedTuple):
    """What the API server said."""

    status: int
    body: Manifest

    @property
    def accepted(self) -> bool:
        """Whether the object was taken."""
        return self.status in {http.HTTPStatus.OK, http.HTTPStatus.CREATED}

    @property
    def refusals(self) -> list[Refusal]:
        """Each cause of a refusal, as a program sees it; empty when accepted."""
        causes = self.body.get("details", {}).get("causes", [])
        return [
            Refusal(cause.get("field", ""), cause["message"]) for cause in causes if UNCHECKED not in cause["message"]
        ]


class ApiClient:
    """A client of the administrator's, or of another user's in these groups."""

    def __init__(self, cluster: LightCluster, user: str = "tester", *groups: str) -> None:
        files = cluster.client_cert_for(user, *(groups or ("system:masters",)))
        self._client = Client(
            cluster.url, ca_file=cluster.ca_file, certificate=files.certificate, key=files.key, keep_alive=True
        )

    def request(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        *,
        content_type: str = "application/json",
        **query: str,
    ) -> Answer:
        """Send one request and read its whole answer."""
        url = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        response = self._client.request(
            url, method=method, body=body, timeout=30, headers={"Content-Type": content_type}
        )
        if response.status == 0:
            raise ConnectionError(response.text)
        return Answer(
            response.status, json.loads(response.text) if response.text.startswith("{") else {"message": response.text}
        )

    def try_session(self, spec: object, *, name: str = "sales") -> Answer:
        """Ask whether a session of this spec would be accepted; nothing is stored."""
        return self.request(
            "POST", sessions("default"), session(spec, name=name), dryRun="All", fieldValidation="Strict"
        )

    def try_quota(self, spec: object, *, name: str = "some") -> Answer:
        """Ask whether a quota of this spec would be accepted; nothing is stored."""
        manifest = {"apiVersion": API_VERSION, "kind": QUOTA_KIND, "metadata": {"name": name}, "spec": spec}
        return self.request("POST", quotas(), manifest, dryRun="All", fieldValidation="Strict")

    @contextlib.contextmanager
    def stored_session(self, spec: object, *, name: str, namespace: str = "default") -> Iterator[str]:
        """Store a session, give its path, and delete it at the end."""
        made = self.request("POST", sessions(namespace), session(spec, name=name, namespace=namespace))
        if not made.accepted:
            raise AssertionError(made.body)
        path = f"{sessions(namespace)}/{name}"
        try:
            yield path
        finally:
            self.request("DELETE", path)

    def patch(self, path: str, change: Manifest) -> Answer:
        """Merge a change into an object."""
        return self.request("PATCH", path, change, content_type="application/merge-patch+json")


def session(spec: object, *, name: str = "sales", namespace: str = "default") -> Manifest:
    """A session's manifest."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": SESSION_KIND, "metadata": metadata, "spec": spec}


def sessions(namespace: str) -> str:
    """The path of a namespace's sessions."""
    return f"/apis/{API_VERSION}/namespaces/{namespace}/{SESSION_PLURAL}"


def quotas() -> str:
    """The path of the quotas."""
    return f"/apis/{API_VERSION}/{QUOTA_PLURAL}"
