"""What the API server refuses is told in its own words, and is tried again: quotas, limits, policies, storage."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from integration.operator.admin import Json, Refused
from integration.operator.conftest import OperatorHarness

POLICY = "validatingadmissionpolicies"
BINDING = "validatingadmissionpolicybindings"


def named(name: str, **rest: Any) -> Json:
    """Return an object of that name."""
    return {"metadata": {"name": name}, **rest}


async def no_pods(harness: OperatorHarness) -> str:
    """Let the namespace's ResourceQuota be used up."""
    await harness.admin.create("resourcequotas", harness.namespace, named("none", spec={"hard": {"pods": "0"}}))
    status = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    await harness.admin.patch("resourcequotas", harness.namespace, "none", status, subresource="status")
    return "exceeded quota: none"


async def small_containers(harness: OperatorHarness) -> str:
    """Let the namespace's LimitRange allow less than a runner asks for."""
    limits = [{"type": "Container", "max": {"memory": "300Mi"}}]
    await harness.admin.create("limitranges", harness.namespace, named("small", spec={"limits": limits}))
    return "maximum memory usage per Container is 300Mi"


@pytest.mark.parametrize("obstacle", [no_pods, small_containers])
async def test_a_pod_that_the_namespace_does_not_allow_is_reported(harness: OperatorHarness, obstacle: Any) -> None:
    """403: the reason and the API server's words in Ready and in an event's place; nothing is half made."""
    await harness.quota(sessions=1)
    message = await obstacle(harness)
    await harness.operator()
    await harness.session("a")

    ready = await harness.wait_for_condition("a", "Ready", status="False", reason="Forbidden")

    assert message in ready["message"]
    assert ("True", "False") == (
        (await harness.condition("a", "Admitted"))["status"],
        (await harness.condition("a", "PodReady"))["status"],
    )
    assert ("Pending", 0) == ((await harness.status("a"))["state"], (await harness.status("a"))["replicas"])
    assert None is await harness.pod("a")


async def test_a_pod_is_made_when_its_namespace_allows_it_again(harness: OperatorHarness) -> None:
    """Nobody has to tell the operator: it tries again."""
    await harness.quota(sessions=1)
    await no_pods(harness)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_condition("a", "Ready", reason="Forbidden")

    await harness.admin.delete("resourcequotas", harness.namespace, "none")

    await harness.wait_for_state("a", "QRPending")


async def test_a_priority_class_that_does_not_exist_is_reported(harness: OperatorHarness) -> None:
    """A person's mistake in spec.pod: the words say what is missing."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", pod={"priorityClassName": "no-such-class"})

    ready = await harness.wait_for_condition("a", "Ready", status="False", reason="Forbidden")

    assert "no PriorityClass with name no-such-class was found" in ready["message"]


@pytest.fixture
async def policy(harness: OperatorHarness) -> AsyncIterator[str]:
    """A policy of the cluster that refuses every pod of the test's namespace as invalid."""
    message = "pods need a label that nobody knows"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ]
        },
        "validations": [{"expression": "false", "message": message}],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": harness.namespace}}
    binding = {
        "policyName": harness.namespace,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": selector},
    }
    await harness.admin.create(POLICY, "", named(harness.namespace, spec=spec))
    await harness.admin.create(BINDING, "", named(harness.namespace, spec=binding))
    try:
        await harness.until("the policy to be in force", lambda: _refused(harness))
        yield message
    finally:
        await harness.admin.delete(BINDING, "", harness.namespace)
        await harness.admin.delete(POLICY, "", harness.namespace)


async def _refused(harness: OperatorHarness) -> bool:
    pod = named("probe", spec={"containers": [{"name": "x", "image": "x"}]})
    try:
        await harness.admin.call("POST", harness.admin.path("pods", harness.namespace), pod, dryRun="All")
    except Refused as refused:
        return refused.status == 422
    return False


async def test_a_pod_that_a_policy_calls_invalid_is_reported(harness: OperatorHarness, policy: str) -> None:
    """422: the reason is the API server's own word, the message is the policy's."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")

    ready = await harness.wait_for_condition("a", "Ready", status="False", reason="Invalid")

    assert policy in ready["message"]


@pytest.fixture
async def fixed_class(harness: OperatorHarness) -> AsyncIterator[str]:
    """A StorageClass whose volumes cannot grow, and a volume of it for the session `a`."""
    name = harness.namespace
    storage = {"provisioner": "example.org/none", "allowVolumeExpansion": False}
    await harness.admin.create("storageclasses", "", named(name, **storage))
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOncePod"],
        "storageClassName": name,
        "csi": {"driver": "example.org", "volumeHandle": name},
    }
    await harness.admin.create("persistentvolumes", "", named(name, spec=volume))
    yield name
    with contextlib.suppress(LookupError):
        await harness.admin.delete("persistentvolumes", "", name)
    await harness.admin.delete("storageclasses", "", name)


async def test_a_volume_that_cannot_grow_is_a_condition(harness: OperatorHarness, fixed_class: str) -> None:
    """The storage refuses; the session runs on, it is told in the API server's words, and later the claim grows."""
    await harness.quota(sessions=1)
    operator = await harness.operator()
    await harness.session("a", profile={"size": "1Gi", "storageClassName": fixed_class})
    first = await harness.wait_for_state("a", "QRPending")
    pvc = "persistentvolumeclaims"
    await harness.admin.patch(pvc, harness.namespace, "a-profile", {"spec": {"volumeName": fixed_class}})
    bound = {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    await harness.admin.patch(pvc, harness.namespace, "a-profile", bound, subresource="status")

    await harness.edit("a", {"spec": {"profile": {"size": "2Gi"}}})
    stalled = await harness.wait_for_condition("a", "Stalled", status="True", reason="ClaimResizeRefused")
    status = await harness.status("a")
    refused = await harness.admin.get(pvc, harness.namespace, "a-profile")

    await harness.admin.patch("storageclasses", "", fixed_class, {"allowVolumeExpansion": True})
    assert 0 == await operator.stop()  # a new one asks at once, this one every two minutes
    await harness.operator()
    await harness.wait_for_condition("a", "Stalled", status="False")
    grown = await harness.admin.get(pvc, harness.namespace, "a-profile")

    assert "the storageclass that provisions the pvc must support resize" in stalled["message"]
    assert ("QRPending", first["podUID"], 1) == (status["state"], status["podUID"], status["replicas"])
    assert "1Gi" == refused["spec"]["resources"]["requests"]["storage"]
    assert "2Gi" == grown["spec"]["resources"]["requests"]["storage"]
    assert first["podUID"] == (await harness.status("a"))["podUID"]
