"""Kubernetes' recommended labels on what the operator makes, and peace with what was made before it gave them."""

import asyncio

from integration.operator.admin import Json
from integration.operator.conftest import OperatorHarness
from whatsapp_operator.api.constants import NETWORK_POLICY_NAME, SERVICE_NAME

RECOMMENDED = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component", "part-of", "managed-by")}
ADDED = ("app.kubernetes.io/instance", "app.kubernetes.io/component", "app.kubernetes.io/part-of")
OBJECTS = (
    ("pods", "sales"),
    ("persistentvolumeclaims", "sales-profile"),
    ("services", SERVICE_NAME),
    ("networkpolicies", NETWORK_POLICY_NAME),
)


async def _labels(harness: OperatorHarness, plural: str, namespace: str, name: str) -> dict[str, str]:
    found: Json = await harness.admin.get(plural, namespace, name)
    labels: dict[str, str] = found["metadata"]["labels"]
    return labels


async def test_everything_it_makes_is_part_of_one_thing(harness: OperatorHarness) -> None:
    """Pod, claim, Service and six Secrets of a session, and what the operator keeps for itself."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("sales", pod={"labels": {"app.kubernetes.io/part-of": "shop"}})
    await harness.wait_for_state("sales", "QRPending")

    found = [await _labels(harness, plural, harness.namespace, name) for plural, name in OBJECTS]
    found += [secret["metadata"]["labels"] for secret in await harness.admin.list("secrets", harness.namespace)]

    assert 10 == len(found)
    assert [set()] * 10 == [RECOMMENDED - labels.keys() for labels in found]
    assert [("sales", "shop"), ("sales", "whatsapp-session-operator")] == [
        (labels["app.kubernetes.io/instance"], labels["app.kubernetes.io/part-of"]) for labels in found[:2]
    ]


async def test_what_has_fewer_labels_is_left_alone(harness: OperatorHarness) -> None:
    """Objects of an operator before them: nothing is written, no pod is made anew, and none is said to be outdated."""
    await harness.quota(sessions=1)
    await harness.operator(RESYNC_INTERVAL="2s")
    await harness.session("sales")
    await harness.wait_for_state("sales", "QRPending")
    for plural, name in OBJECTS:
        patch = {"metadata": {"labels": dict.fromkeys(ADDED)}}
        await harness.admin.patch(plural, harness.namespace, name, patch)
    await asyncio.sleep(6)  # paced writes of the start; there is no condition to poll for "nothing more comes"
    before = len(harness.audit.writes(but=("leases",)))
    again = await harness.operators[-1].stop()
    await harness.operator(RESYNC_INTERVAL="2s")
    await asyncio.sleep(6)  # its first look, and two resyncs

    ready = await harness.condition("sales", "PodReady")
    assert (0, []) == (again, harness.audit.writes(but=("leases",))[before:])
    assert "The runner serves its API." == ready["message"]  # and not that an edit waits for the next pod
    assert (
        not set(ADDED) & (await _labels(harness, "persistentvolumeclaims", harness.namespace, "sales-profile")).keys()
    )
