"""A pod that cannot run yet is shown with its reason, and left alone until its start timeout is over.

All that cannot run are there from the beginning: the reason of one of them is told after a minute.
"""

from collections.abc import Iterator

import pytest
from e2e.harness import ClusterHarness
from e2e.tenant import Object, Tenant
from support.sessions import condition, is_true
from support.waiting import until

CASES = {
    "nowhere": ({"nodeSelector": {"wasession.dev/place": "nowhere"}}, {"Unschedulable"}, "node"),
    "noimage": ({"image": "localhost/no-such-image:1"}, {"ErrImagePull", "ImagePullBackOff"}, "no-such-image"),
}


@pytest.fixture(scope="module")
def pending(e2e: ClusterHarness) -> Iterator[Tenant]:
    """Sessions whose pods cannot run: for want of a node, of an image, and of somebody who makes the volume."""
    tenant = Tenant.make(e2e.kubectl, e2e.phone)
    name = f"nobody-{tenant.namespace}"
    storage = {"provisioner": "nobody.example/none", "volumeBindingMode": "WaitForFirstConsumer"}
    tenant.kubectl.apply(
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}} | storage
    )
    tenant.create("novolume", profile={"size": "64Mi", "storageClassName": name})
    for case, (pod, _, _) in CASES.items():
        tenant.create(case, pod=pod)
    yield tenant
    tenant.close()
    tenant.kubectl("delete", "storageclass", name)


def test_a_pending_pod_is_shown_with_its_reason_and_left_alone(e2e: ClusterHarness, pending: Tenant) -> None:
    """No node fits, or there is no such image: the person reads why, and two resyncs later it is the same pod."""
    tenant = pending

    reported = {name: _wait_for_reason(tenant, name, reasons) for name, (_, reasons, _) in CASES.items()}
    before = {name: tenant.pod_uid(name) for name in CASES}
    e2e.operator.wait_for_resyncs(2)

    for name, (_, _, cause) in CASES.items():
        status = tenant.status(name)
        assert "Pending" == reported[name]["state"]
        assert cause in condition(reported[name], "Ready")["message"]
        assert (True, False) == (is_true(status, "Admitted"), is_true(status, "Stalled"))
        assert before[name] == tenant.pod_uid(name)
        assert 0 == status.get("recovery", {}).get("restarts", 0)


def test_a_volume_that_nobody_makes_is_reported(pending: Tenant) -> None:
    """The scheduler waits for it without a word; the session names the claim, and keeps its place and its pod."""
    reported = _wait_for_reason(pending, "novolume", {"VolumeNotBound"})  # after a minute

    assert "Pending" == reported["state"]
    assert reported["pvcName"] in condition(reported, "Ready")["message"]
    assert is_true(reported, "Admitted")
    assert not is_true(reported, "Stalled")


def _wait_for_reason(tenant: Tenant, name: str, reasons: set[str]) -> Object:
    return until(
        f"{name} says why its pod does not run",
        lambda: tenant.status(name),
        lambda status: condition(status, "Ready").get("reason") in reasons,
    )


def test_two_pods_never_share_a_profile(e2e: ClusterHarness, tenant: Tenant) -> None:
    """The claim is ReadWriteOncePod: a second pod that names it is not let in while the session runs."""
    tenant.create("sales")
    tenant.wait_for_state("sales", "QRPending")
    pvc = tenant.status("sales")["pvcName"]
    tenant.kubectl.apply(_second_pod(tenant.namespace, pvc, e2e.images.runner))

    def refusal() -> str:
        second_pod = tenant.get("pod", "rival") or {}
        return " ".join(one.get("message", "") for one in second_pod.get("status", {}).get("conditions", []))

    message = until("the scheduler refuses the rival", refusal, lambda message: "ReadWriteOncePod" in message)
    assert "unavailable" in message or "in-use" in message
    assert "ReadWriteOncePod" == (tenant.get("pvc", pvc) or {})["spec"]["accessModes"][0]
    assert "Pending" == (tenant.get("pod", "rival") or {})["status"]["phase"]
    tenant.run("delete", "pod", "rival", "--now")


def _second_pod(namespace: str, pvc: str, image: str) -> Object:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "rival",
        "image": image,
        "securityContext": security,
        "volumeMounts": [{"name": "profile", "mountPath": "/profile"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "rival", "namespace": namespace},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "profile", "persistentVolumeClaim": {"claimName": pvc}}],
        },
    }
