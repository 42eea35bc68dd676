"""Objects that have our names and are not ours: told, never adopted, changed or deleted."""

import contextlib

import pytest
from integration.operator.admin import Json
from integration.operator.conftest import Bench
from whatsapp_operator.api.constants import SERVICE_NAME

CONTAINER = {"name": "c", "image": "example.org/other:1"}
FOREIGN: dict[str, Json] = {
    "pods": {"metadata": {"name": "a", "labels": {"ours": "no"}}, "spec": {"containers": [CONTAINER]}},
    "persistentvolumeclaims": {
        "metadata": {"name": "a-profile"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    },
    "services": {"metadata": {"name": SERVICE_NAME}, "spec": {"ports": [{"port": 80}]}},
}


@pytest.mark.parametrize("plural", sorted(FOREIGN))
async def test_a_taken_name_is_told_and_nothing_is_touched(bench: Bench, plural: str) -> None:
    """Stalled, NameTaken, until the object is gone; then the session goes on by itself."""
    foreign = await bench.admin.create(plural, bench.namespace, FOREIGN[plural])
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")

    stalled = await bench.holds("a", "Stalled", status="True")
    kept = await bench.admin.get(plural, bench.namespace, foreign["metadata"]["name"])
    if plural == "pods":
        await bench.admin.remove_pod(bench.namespace, "a")
    else:
        await bench.admin.delete(plural, bench.namespace, foreign["metadata"]["name"])
        with contextlib.suppress(LookupError):  # a claim is protected by a finalizer that nobody here takes off
            await bench.admin.patch(
                plural, bench.namespace, foreign["metadata"]["name"], {"metadata": {"finalizers": None}}
            )

    assert "NameTaken" == stalled["reason"]
    assert foreign["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]
    await bench.reaches("a", "QRPending")
