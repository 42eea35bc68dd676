"""What keeps the operator's calls from being carried out, on the real API server: policies, webhooks, older CRDs."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from integration.operator.admin import Json, Refused
from integration.operator.conftest import OperatorHarness

POLICY = "validatingadmissionpolicies"
BINDING = "validatingadmissionpolicybindings"
WEBHOOK = "validatingwebhookconfigurations"
CRD = "customresourcedefinitions"
SESSIONS = "whatsappsessions.wasession.dev"


def _rule(operation: str, group: str, resource: str) -> Json:
    versions = ["v1alpha1"] if group == "wasession.dev" else ["v1"]
    return {"apiGroups": [group], "apiVersions": versions, "operations": [operation], "resources": [resource]}


def _selector(harness: OperatorHarness) -> Json:
    return {"matchLabels": {"kubernetes.io/metadata.name": harness.namespace}}


@asynccontextmanager
async def policy(
    harness: OperatorHarness, operation: str, resource: str, *, group: str = "", reason: str = "Forbidden"
) -> AsyncIterator[str]:
    """A policy of the cluster that refuses the operator a kind of call in the test's namespace; yields its message."""
    message = f"nobody may {operation.lower()} {resource} here"
    name = f"{harness.namespace}-{operation}-{resource}".lower().replace("/", "-")
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_rule(operation, group, resource)]},
        "matchConditions": [
            {"name": "operator", "expression": "request.userInfo.username.endsWith(':whatsapp-operator')"}
        ],
        "validations": [{"expression": "false", "message": message, "reason": reason}],
    }
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": _selector(harness)},
    }
    await harness.admin.create(POLICY, "", {"metadata": {"name": name}, "spec": spec})
    await harness.admin.create(BINDING, "", {"metadata": {"name": name}, "spec": binding})
    try:
        await asyncio.sleep(3)  # the API server reads policies anew every second; there is nothing to ask in between
        yield message
    finally:
        with contextlib.suppress(LookupError):
            await harness.admin.delete(BINDING, "", name)
        with contextlib.suppress(LookupError):
            await harness.admin.delete(POLICY, "", name)


@asynccontextmanager
async def webhook(
    harness: OperatorHarness, operation: str, resource: str, *, url: str, group: str = "", seconds: int = 1
) -> AsyncIterator[str]:
    """A webhook whose server is at this address; yields its name."""
    name = f"gate.{harness.namespace}.example.org"
    hook: dict[str, Any] = {
        "name": name,
        "clientConfig": {"url": url},
        "rules": [_rule(operation, group, resource)],
        "namespaceSelector": _selector(harness),
        "matchConditions": [
            {"name": "operator", "expression": "request.userInfo.username.endsWith(':whatsapp-operator')"}
        ],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": seconds,
    }
    await harness.admin.create(WEBHOOK, "", {"metadata": {"name": harness.namespace}, "webhooks": [hook]})
    try:
        await asyncio.sleep(2)  # as above
        yield name
    finally:
        with contextlib.suppress(LookupError):
            await harness.admin.delete(WEBHOOK, "", harness.namespace)


@contextmanager
def black_hole() -> Iterator[str]:
    """A server to which connections are made and that never says a word; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}/"


@asynccontextmanager
async def older_crd(harness: OperatorHarness, *fields: str, state_enum: tuple[str, ...] = ()) -> AsyncIterator[None]:
    """The sessions' CRD as of an older release, without these fields of the status; afterwards as it was."""
    whole = await harness.admin.get(CRD, "", SESSIONS)
    older = await harness.admin.get(CRD, "", SESSIONS)
    status = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    for field in fields:
        *path, last = field.split(".")
        part = status
        for name in path:
            part = part["properties"][name]
        part["properties"].pop(last)
    if state_enum:
        status["properties"]["state"] = {"type": "string", "enum": list(state_enum)}
    await _replace(harness, older)
    try:
        yield
    finally:
        await _replace(harness, whole)


async def _replace(harness: OperatorHarness, crd: Json) -> None:
    """Put another version of a CRD in place, and wait until the API server goes by it."""
    patch = {"spec": {"versions": crd["spec"]["versions"]}}
    await harness.admin.patch(CRD, "", SESSIONS, patch)
    await asyncio.sleep(3)  # it serves the old schema for a moment longer, and says nothing of it

    async def serves() -> bool:
        with contextlib.suppress(Refused, LookupError):
            await harness.admin.list("whatsappsessions", harness.namespace)
            return True
        return False

    await harness.until("sessions are served again", serves)
