"""Objects that have our names and are not ours: told, never adopted, changed or deleted."""

import contextlib

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME

CONTAINER = {"name": "c", "image": "example.org/other:1"}
FOREIGN: dict[str, Json] = {
    "pods": {"metadata": {"name": "a", "labels": {"ours": "no"}}, "spec": {"containers": [CONTAINER]}},
    "persistentvolumeclaims": {
        "metadata": {"name": "a-profile"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    },
    "networkpolicies": {"metadata": {"name": NETWORK_POLICY_NAME}, "spec": {"podSelector": {}}},
    "services": {"metadata": {"name": SERVICE_NAME}, "spec": {"ports": [{"port": 80}]}},
}


@pytest.mark.parametrize("plural", sorted(FOREIGN))
async def test_a_taken_name_is_reported_and_nothing_is_touched(harness: OperatorHarness, plural: str) -> None:
    """Stalled, NameTaken, until the object is gone; then the session goes on by itself."""
    foreign = await harness.admin.create(plural, harness.namespace, FOREIGN[plural])
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")

    stalled = await harness.wait_for_condition("a", "Stalled", status="True")
    kept = await harness.admin.get(plural, harness.namespace, foreign["metadata"]["name"])
    if plural == "pods":
        await harness.admin.remove_pod(harness.namespace, "a")
    else:
        await harness.admin.delete(plural, harness.namespace, foreign["metadata"]["name"])
        with contextlib.suppress(LookupError):  # a claim is protected by a finalizer that nobody here takes off
            await harness.admin.patch(
                plural, harness.namespace, foreign["metadata"]["name"], {"metadata": {"finalizers": None}}
            )

    assert "NameTaken" == stalled["reason"]
    assert foreign["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]
    await harness.wait_for_state("a", "QRPending")
