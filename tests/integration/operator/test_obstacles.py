"""What the API server refuses is told in its own words, and is tried again: quotas, limits, policies, storage."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from integration.operator.admin import Json, Refused
from integration.operator.conftest import Bench

POLICY = "validatingadmissionpolicies"
BINDING = "validatingadmissionpolicybindings"


def named(name: str, **rest: Any) -> Json:
    """Return an object of that name."""
    return {"metadata": {"name": name}, **rest}


async def no_pods(bench: Bench) -> str:
    """Let the namespace's ResourceQuota be used up."""
    await bench.admin.create("resourcequotas", bench.namespace, named("none", spec={"hard": {"pods": "0"}}))
    status = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    await bench.admin.patch("resourcequotas", bench.namespace, "none", status, subresource="status")
    return "exceeded quota: none"


async def small_containers(bench: Bench) -> str:
    """Let the namespace's LimitRange allow less than a runner asks for."""
    limits = [{"type": "Container", "max": {"memory": "300Mi"}}]
    await bench.admin.create("limitranges", bench.namespace, named("small", spec={"limits": limits}))
    return "maximum memory usage per Container is 300Mi"


@pytest.mark.parametrize("obstacle", [no_pods, small_containers])
async def test_a_pod_that_the_namespace_does_not_allow_is_told(bench: Bench, obstacle: Any) -> None:
    """403: the reason and the API server's words in Ready and in an event's place; nothing is half made."""
    await bench.quota(sessions=1)
    words = await obstacle(bench)
    await bench.operator()
    await bench.session("a")

    ready = await bench.holds("a", "Ready", status="False", reason="Forbidden")

    assert words in ready["message"]
    assert ("True", "False") == (
        (await bench.condition("a", "Admitted"))["status"],
        (await bench.condition("a", "PodReady"))["status"],
    )
    assert ("Pending", 0) == ((await bench.status("a"))["state"], (await bench.status("a"))["replicas"])
    assert None is await bench.pod("a")


async def test_a_pod_is_made_when_its_namespace_allows_it_again(bench: Bench) -> None:
    """Nobody has to tell the operator: it tries again."""
    await bench.quota(sessions=1)
    await no_pods(bench)
    await bench.operator()
    await bench.session("a")
    await bench.holds("a", "Ready", reason="Forbidden")

    await bench.admin.delete("resourcequotas", bench.namespace, "none")

    await bench.reaches("a", "QRPending")


async def test_a_priority_class_that_does_not_exist_is_told(bench: Bench) -> None:
    """A person's mistake in spec.pod: the words say what is missing."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a", pod={"priorityClassName": "no-such-class"})

    ready = await bench.holds("a", "Ready", status="False", reason="Forbidden")

    assert "no PriorityClass with name no-such-class was found" in ready["message"]


@pytest.fixture
async def policy(bench: Bench) -> AsyncIterator[str]:
    """A policy of the cluster that refuses every pod of the test's namespace as invalid."""
    words = "pods need a label that nobody knows"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ]
        },
        "validations": [{"expression": "false", "message": words}],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}}
    binding = {
        "policyName": bench.namespace,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": selector},
    }
    await bench.admin.create(POLICY, "", named(bench.namespace, spec=spec))
    await bench.admin.create(BINDING, "", named(bench.namespace, spec=binding))
    try:
        await bench.until(lambda: _refused(bench), "the policy to be in force")
        yield words
    finally:
        await bench.admin.delete(BINDING, "", bench.namespace)
        await bench.admin.delete(POLICY, "", bench.namespace)


async def _refused(bench: Bench) -> bool:
    pod = named("probe", spec={"containers": [{"name": "x", "image": "x"}]})
    try:
        await bench.admin.call("POST", bench.admin.path("pods", bench.namespace), pod, dryRun="All")
    except Refused as refused:
        return refused.status == 422
    return False


async def test_a_pod_that_a_policy_calls_invalid_is_told(bench: Bench, policy: str) -> None:
    """422: the reason is the API server's own word, the message is the policy's."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")

    ready = await bench.holds("a", "Ready", status="False", reason="Invalid")

    assert policy in ready["message"]


@pytest.fixture
async def fixed_class(bench: Bench) -> AsyncIterator[str]:
    """A StorageClass whose volumes cannot grow, and a volume of it for the session `a`."""
    name = bench.namespace
    storage = {"provisioner": "example.org/none", "allowVolumeExpansion": False}
    await bench.admin.create("storageclasses", "", named(name, **storage))
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOncePod"],
        "storageClassName": name,
        "csi": {"driver": "example.org", "volumeHandle": name},
    }
    await bench.admin.create("persistentvolumes", "", named(name, spec=volume))
    yield name
    with contextlib.suppress(LookupError):
        await bench.admin.delete("persistentvolumes", "", name)
    await bench.admin.delete("storageclasses", "", name)


async def test_a_volume_that_cannot_grow_is_a_condition(bench: Bench, fixed_class: str) -> None:
    """The storage refuses; the session runs on, it is told in the API server's words, and later the claim grows."""
    await bench.quota(sessions=1)
    operator = await bench.operator()
    await bench.session("a", profile={"size": "1Gi", "storageClassName": fixed_class})
    first = await bench.reaches("a", "QRPending")
    claim = "persistentvolumeclaims"
    await bench.admin.patch(claim, bench.namespace, "a-profile", {"spec": {"volumeName": fixed_class}})
    bound = {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    await bench.admin.patch(claim, bench.namespace, "a-profile", bound, subresource="status")

    await bench.edit("a", {"spec": {"profile": {"size": "2Gi"}}})
    stalled = await bench.holds("a", "Stalled", status="True", reason="ClaimResizeRefused")
    status = await bench.status("a")
    refused = await bench.admin.get(claim, bench.namespace, "a-profile")

    await bench.admin.patch("storageclasses", "", fixed_class, {"allowVolumeExpansion": True})
    assert 0 == await operator.stop()  # a new one asks at once, this one every half minute
    await bench.operator()
    await bench.holds("a", "Stalled", status="False")
    grown = await bench.admin.get(claim, bench.namespace, "a-profile")

    assert "the storageclass that provisions the pvc must support resize" in stalled["message"]
    assert ("QRPending", first["podUID"], 1) == (status["state"], status["podUID"], status["replicas"])
    assert "1Gi" == refused["spec"]["resources"]["requests"]["storage"]
    assert "2Gi" == grown["spec"]["resources"]["requests"]["storage"]
    assert first["podUID"] == (await bench.status("a"))["podUID"]
