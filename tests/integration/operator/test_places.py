"""Places in a quota on a real API server: who cannot use one gives it back, and what a pod takes is what is counted."""

import asyncio
from typing import Any

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from integration.operator.pod_webhook import pod_webhook
from support.sessions import Expectation, condition

SMALL: Json = {"resources": {"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi"}}}
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
PROXY = {
    "name": "proxy",
    "image": "example.org/proxy:1",
    "securityContext": RESTRICTED,
    "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
}


async def quota_status(harness: OperatorHarness, **expected: Any) -> Json:
    """Wait until the quota's status has these fields; return it."""

    async def read() -> Json | None:
        found = await harness.admin.get("whatsappsessionquotas", "", harness.namespace)
        status: Json = found.get("status") or {}
        return status if expected.items() <= status.items() else None

    return await harness.until(f"the quota to say {expected}", read)


async def limit_range(harness: OperatorHarness) -> None:
    """Let the namespace allow no container of more than 300Mi."""
    spec = {"limits": [{"type": "Container", "max": {"memory": "300Mi"}}]}
    await harness.admin.create("limitranges", harness.namespace, {"metadata": {"name": "small"}, "spec": spec})


async def test_a_refused_pod_gives_its_place_to_the_next(harness: OperatorHarness) -> None:
    """With the API server's words; when the namespace allows it, it comes up in its turn, and nobody commands it."""
    await harness.quota(sessions=1)
    await limit_range(harness)
    await harness.operator(POD_START_TIMEOUT="10s")
    await harness.session("a")
    await harness.wait_for_condition("a", "Ready", reason="Forbidden")
    await harness.session("b", **SMALL)

    await harness.wait_for_state("b", "QRPending")
    now = await harness.status("a")  # outside for a second, then in the queue: the cause stays in both
    assert ("Queued", "Forbidden") == (now["state"], now["requeue"]["reason"])
    refusal = 'Forbidden: Cannot create Pod a: pods "a" is forbidden: maximum memory usage per Container is 300Mi'
    assert refusal in condition(now, "Ready")["message"]
    await quota_status(harness, admitted=1, waiting=1)

    await harness.admin.delete("limitranges", harness.namespace, "small")
    await harness.edit("b", {"spec": {"operatingMode": "Suspended"}})
    await harness.wait_for_state("a", "QRPending")
    assert "requeue" not in await harness.status("a")


async def test_a_pod_that_does_not_start_gives_its_place_to_the_next(harness: OperatorHarness) -> None:
    """The kubelet cannot pull its image: the pod is deleted, the record survives an operator that begins anew."""
    await harness.quota(sessions=1)
    harness.node.start_pods = False
    operator = await harness.operator(POD_START_TIMEOUT="10s")
    await harness.session("a")
    await harness.until("a pod", lambda: harness.pod("a"))
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    status = {"name": "runner", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
    await harness.admin.patch(
        "pods", harness.namespace, "a", {"status": {"containerStatuses": [status]}}, subresource="status"
    )
    await harness.session("b")
    # By the record, which stays: the condition has this reason for a second, until the session is in the queue again.
    await harness.wait_for(
        "a", Expectation("gives its place back", lambda now: {"admission", "requeue"} & now.keys() == {"requeue"})
    )
    operator.kill()
    harness.node.start_pods = True
    await harness.operator(POD_START_TIMEOUT="60s")

    await harness.wait_for_state("b", "QRPending")
    assert "no such image" in (await harness.condition("a", "Ready"))["message"]
    record = (await harness.status("a"))["requeue"]
    assert (1, "ImagePullBackOff") == (record["count"], record["reason"])


@pytest.mark.parametrize("change", ["edit", "claim"])
async def test_a_pod_that_never_ran_is_replaced(harness: OperatorHarness, change: str) -> None:
    """For an edit, and when its claim is deleted under it; the reason is in an event."""
    await harness.quota(sessions=1)
    harness.node.start_pods = False
    await harness.operator()
    await harness.session("a")
    pod = await harness.until("a pod", lambda: harness.pod("a"))
    await harness.wait_for_condition("a", "PodReady", status="False", reason="PodStarting")
    if change == "edit":
        await harness.edit("a", {"spec": {"pod": {"image": "example.org/other:1"}}})
    else:
        await harness.admin.delete("persistentvolumeclaims", harness.namespace, "a-profile")
        await harness.wait_for_pod_gone("a", within=20)
        # Kubernetes' controller, which is not here, takes its finalizer off when no pod uses the claim any more.
        free = {"metadata": {"finalizers": None}}
        await harness.admin.patch("persistentvolumeclaims", harness.namespace, "a-profile", free)

    harness.node.start_pods = True
    new = await harness.wait_for_new_pod("a", pod["metadata"]["uid"], within=20)
    await harness.wait_for_state("a", "QRPending")
    if change == "edit":
        assert "example.org/other:1" == new["spec"]["containers"][0]["image"]
    assert await harness.admin.get("persistentvolumeclaims", harness.namespace, "a-profile")


async def test_a_deleted_session_that_a_finalizer_keeps_holds_no_place(harness: OperatorHarness) -> None:
    """Its pod is gone; whoever keeps the object may take days."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    await harness.edit("a", {"metadata": {"finalizers": ["example.com/kept"]}})
    await harness.session("b")
    await harness.wait_for_condition("b", "Admitted", status="False", reason="QuotaExceeded")
    try:
        await harness.admin.delete("whatsappsessions", harness.namespace, "a")
        await harness.wait_for_state("b", "QRPending", within=20)
    finally:
        await harness.edit("a", {"metadata": {"finalizers": None}})


async def test_a_claim_that_terminates_keeps_nobody_else_out(harness: OperatorHarness) -> None:
    """Somebody's finalizer holds it: its session waits without a place."""
    await harness.quota(sessions=1)
    labels = {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "wasession.dev/session": "a"}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "a-profile", "labels": labels, "finalizers": ["example.com/kept"]}
    await harness.admin.create("persistentvolumeclaims", harness.namespace, {"metadata": metadata, "spec": spec})
    await harness.admin.delete("persistentvolumeclaims", harness.namespace, "a-profile")
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_condition("a", "Ready", reason="ClaimTerminating")
    await harness.session("b")
    await harness.wait_for_state("b", "QRPending", within=20)

    free = {"metadata": {"finalizers": None}}
    await harness.admin.patch("persistentvolumeclaims", harness.namespace, "a-profile", free)
    await harness.edit("b", {"spec": {"operatingMode": "Suspended"}})
    await harness.wait_for_state("a", "QRPending")


@pytest.mark.parametrize("kind", ["container", "init container that stays"])
async def test_a_sidecar_counts_once(harness: OperatorHarness, kind: str) -> None:
    """A mesh adds 1Gi to each pod: quota and reservation have it, over a drain too."""
    path, value = (
        ("/spec/containers/-", PROXY)
        if kind == "container"
        else ("/spec/initContainers", [{**PROXY, "restartPolicy": "Always"}])
    )
    async with pod_webhook(
        harness.admin, harness.namespace, harness.folder / "tls", [{"op": "add", "path": path, "value": value}]
    ):
        await harness.quota(memory="4Gi")
        await harness.operator()
        await harness.session("a")
        await harness.wait_for_state("a", "QRPending")
        await quota_status(harness, memoryReserved="1792Mi")
        admission = (await harness.status("a"))["admission"]
        pod = await harness.pod("a") or {}
        await harness.admin.delete("pods", harness.namespace, "a")
        await harness.wait_for_new_pod("a", pod["metadata"]["uid"])
        await harness.wait_for_state("a", "QRPending")
        await asyncio.sleep(1)

        assert ("1792Mi", admission["reservedAt"]) == (
            (await harness.status("a"))["admission"]["memory"],
            (await harness.status("a"))["admission"]["reservedAt"],
        )
        await quota_status(harness, memoryReserved="1792Mi", admitted=1)


async def test_a_webhook_that_lowers_limits_moves_no_reservation(harness: OperatorHarness) -> None:
    """The drained session finds its place; nobody got what the webhook took."""
    lower = [
        {"op": "replace", "path": f"/spec/containers/0/resources/{side}/memory", "value": "300Mi"}
        for side in ("limits", "requests")
    ]
    async with pod_webhook(harness.admin, harness.namespace, harness.folder / "tls", lower):
        await harness.quota(memory="900Mi")
        await harness.operator()
        await harness.session("a")
        await harness.wait_for_state("a", "QRPending")
        await harness.session("b", **SMALL)
        await harness.wait_for_condition("b", "Admitted", status="False", reason="QuotaExceeded")
        before = (await harness.status("a"))["admission"]
        pod = await harness.pod("a") or {}
        assert "300Mi" == pod["spec"]["containers"][0]["resources"]["limits"]["memory"]
        await harness.admin.delete("pods", harness.namespace, "a")
        await harness.wait_for_new_pod("a", pod["metadata"]["uid"])
        await harness.wait_for_state("a", "QRPending")

        assert before == (await harness.status("a"))["admission"]
        assert "Queued" == (await harness.status("b"))["state"]
