"""From a session's creation to a running pod and back: in which order, with how many writes, and what stays."""

import json

from integration.operator.conftest import OperatorHarness
from whatsapp_operator.api.constants import SERVICE_NAME

APART = ("leases", "events", "whatsappsessionquotas")


async def test_a_session_gets_its_objects_in_order(harness: OperatorHarness) -> None:
    """Claim and Secret that the pod mounts, at once, the pod, the Secrets for people: between two writes of status."""
    await harness.quota(sessions=3)
    await harness.operator()
    await harness.session("first")
    await harness.wait_for_state("first", "QRPending")
    before = len(harness.audit.writes(but=APART))

    await harness.session("sales")
    status = await harness.wait_for_state("sales", "QRPending")

    writes = harness.audit.writes(but=APART)[before:]
    assert {"create persistentvolumeclaims", "create secrets"} == set(writes[1:3])
    assert [
        "patch whatsappsessions/status",
        *writes[1:3],
        "create pods",
        *["create secrets"] * 5,
        "patch whatsappsessions/status",
    ] == writes
    assert (1, "sales-profile", "sales") == (status["replicas"], status["pvcName"], status["podName"])


async def test_the_first_session_of_a_namespace_brings_the_service(harness: OperatorHarness) -> None:
    """The headless Service is made with the first session and goes with the last one."""
    await harness.quota(sessions=3)
    await harness.operator()
    await harness.session("one")
    await harness.session("two")
    await harness.wait_for_state("one", "QRPending")
    await harness.wait_for_state("two", "QRPending")
    service = await harness.admin.get("services", harness.namespace, SERVICE_NAME)
    await _delete(harness, "one")
    kept = await harness.admin.get("services", harness.namespace, SERVICE_NAME)

    await _delete(harness, "two")

    async def gone() -> bool:
        return [] == await harness.admin.list("services", harness.namespace)

    await harness.until("the Service to go", gone)
    assert ("None", True) == (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"])
    assert service["metadata"]["uid"] == kept["metadata"]["uid"]


async def test_a_session_applied_again_finds_its_profile(harness: OperatorHarness) -> None:
    """A retained claim has no owner: the session of the same name gets its login back, and asks for no second claim."""
    await harness.quota(sessions=3)
    await harness.operator()
    await harness.session("sales")
    await harness.wait_for_state("sales", "QRPending")
    pvc = await harness.admin.get("persistentvolumeclaims", harness.namespace, "sales-profile")
    await _delete(harness, "sales")

    await harness.session("sales")
    await harness.wait_for_state("sales", "QRPending")

    again = await harness.admin.get("persistentvolumeclaims", harness.namespace, "sales-profile")
    assert "ownerReferences" not in pvc["metadata"]
    assert pvc["metadata"]["uid"] == again["metadata"]["uid"]


async def test_the_runner_gets_the_operators_own_token(harness: OperatorHarness) -> None:
    """The operator's poll is accepted by the real runner's HTTP side, and its word is in status within seconds."""
    await harness.quota(sessions=3)
    await harness.operator()
    await harness.session("sales")
    await harness.wait_for_state("sales", "QRPending")

    runner = await harness.runner("sales")

    assert runner.asked >= 1


async def test_an_operator_that_is_asked_to_stop_stops(harness: OperatorHarness) -> None:
    """SIGTERM: the Lease is released and the exit status is 0; the probes told what it was doing before."""
    operator = await harness.operator()
    health, ready = await operator.get("/healthz"), await operator.get("/readyz")
    _, metrics = await operator.get("/metrics")

    status = await operator.stop()

    lease = await harness.admin.get("leases", "whatsapp-operator", "whatsapp-operator")
    assert (200, 200, "acting") == (health[0], ready[0], json.loads(ready[1])["role"])
    assert 'leader_election_master_status{name="whatsapp-operator"} 1.0' in metrics
    assert (0, "") == (status, lease["spec"].get("holderIdentity", ""))


async def _delete(harness: OperatorHarness, name: str) -> None:
    """Delete a session; the pod goes too, as a garbage collector would see to."""
    await harness.admin.delete("whatsappsessions", harness.namespace, name)
    if await harness.pod(name) is not None:
        await harness.admin.delete("pods", harness.namespace, name)
    await harness.wait_for_pod_gone(name)
