"""Dry runs at an API server as one of its users: what it would take, and in which words it refuses."""

from typing import Any

from api_client import ApiClient

Json = dict[str, Any]
MERGE = "application/merge-patch+json"
PATHS = {
    "WhatsAppSession": "/apis/wasession.dev/v1alpha1/namespaces/{}/whatsappsessions",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
}

TAKEN = ""
""" What `create`, `patch` and `delete` return when nothing is refused. """


def create(user: ApiClient, obj: Json, *, dry_run: bool = True) -> str:
    """Create an object; return the refusal."""
    path = PATHS[obj["kind"]].format(obj["metadata"]["namespace"])
    return _answer(user, "POST", path, obj, dry_run=dry_run)


def patch(user: ApiClient, obj: Json, change: Json, *, subresource: str = "", dry_run: bool = True) -> str:
    """Merge a change into an object; return the refusal."""
    return _answer(user, "PATCH", _path(obj, subresource), change, content_type=MERGE, dry_run=dry_run)


def delete(user: ApiClient, obj: Json, *, dry_run: bool = True) -> str:
    """Delete an object; return the refusal."""
    return _answer(user, "DELETE", _path(obj), dry_run=dry_run)


def _path(obj: Json, subresource: str = "") -> str:
    path = f"{PATHS[obj['kind']].format(obj['metadata']['namespace'])}/{obj['metadata']['name']}"
    return f"{path}/{subresource}" if subresource else path


def _answer(
    user: ApiClient,
    method: str,
    path: str,
    body: Json | None = None,
    *,
    content_type: str = "application/json",
    dry_run: bool,
) -> str:
    query = {"dryRun": "All"} if dry_run else {}
    answer = user.request(method, path, body, content_type=content_type, **query)
    return TAKEN if answer.accepted else str(answer.body.get("message"))
