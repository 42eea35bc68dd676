"""From a session's creation to a running pod and back: in which order, with how many writes, and what stays."""

import json

from integration.operator.conftest import Bench
from whatsapp_operator.api.constants import SERVICE_NAME

APART = ("leases", "events", "whatsappsessionquotas")


async def test_a_session_gets_its_objects_in_order(bench: Bench) -> None:
    """Three creations and the namespace's Service, with the reservation before and the runner's word after: two writes."""
    await bench.quota(sessions=3)
    await bench.operator()
    await bench.session("first")
    await bench.reaches("first", "QRPending")
    before = len(bench.audit.writes(but=APART))

    await bench.session("sales")
    status = await bench.reaches("sales", "QRPending")

    assert [
        "patch whatsappsessions/status",
        "create persistentvolumeclaims",
        "create secrets",
        "create pods",
        "patch whatsappsessions/status",
    ] == bench.audit.writes(but=APART)[before:]
    assert (1, "sales-profile", "sales") == (status["replicas"], status["pvcName"], status["podName"])


async def test_the_first_session_of_a_namespace_brings_the_service(bench: Bench) -> None:
    """The headless Service is made with the first session and goes with the last one."""
    await bench.quota(sessions=3)
    await bench.operator()
    await bench.session("one")
    await bench.session("two")
    await bench.reaches("one", "QRPending")
    await bench.reaches("two", "QRPending")
    service = await bench.admin.get("services", bench.namespace, SERVICE_NAME)
    await _delete(bench, "one")
    kept = await bench.admin.get("services", bench.namespace, SERVICE_NAME)

    await _delete(bench, "two")

    async def gone() -> bool:
        return [] == await bench.admin.list("services", bench.namespace)

    await bench.until(gone, "the Service to go")
    assert ("None", True) == (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"])
    assert service["metadata"]["uid"] == kept["metadata"]["uid"]


async def test_a_session_applied_again_finds_its_profile(bench: Bench) -> None:
    """A retained claim has no owner: the session of the same name gets its login back, and asks for no second claim."""
    await bench.quota(sessions=3)
    await bench.operator()
    await bench.session("sales")
    await bench.reaches("sales", "QRPending")
    claim = await bench.admin.get("persistentvolumeclaims", bench.namespace, "sales-profile")
    await _delete(bench, "sales")

    await bench.session("sales")
    await bench.reaches("sales", "QRPending")

    again = await bench.admin.get("persistentvolumeclaims", bench.namespace, "sales-profile")
    assert "ownerReferences" not in claim["metadata"]
    assert claim["metadata"]["uid"] == again["metadata"]["uid"]


async def test_the_runner_gets_the_operators_own_token(bench: Bench) -> None:
    """The operator's poll is accepted by the real runner's HTTP side, and its word is in status within seconds."""
    await bench.quota(sessions=3)
    await bench.operator()
    await bench.session("sales")
    await bench.reaches("sales", "QRPending")

    runner = await bench.runner("sales")

    assert runner.asked >= 1


async def test_an_operator_that_is_asked_to_stop_stops(bench: Bench) -> None:
    """SIGTERM: the Lease is released and the exit status is 0; the probes told what it was doing before."""
    operator = await bench.operator()
    health, ready = await operator.get("/healthz"), await operator.get("/readyz")
    _, metrics = await operator.get("/metrics")

    status = await operator.stop()

    lease = await bench.admin.get("leases", "whatsapp-operator", "whatsapp-operator")
    assert (200, 200, "acting") == (health[0], ready[0], json.loads(ready[1])["role"])
    assert "whatsapp_operator_lease_holder 1.0" in metrics
    assert (0, "") == (status, lease["spec"].get("holderIdentity", ""))


async def _delete(bench: Bench, name: str) -> None:
    """Delete a session; the pod goes too, as a garbage collector would see to."""
    await bench.admin.delete("whatsappsessions", bench.namespace, name)
    if await bench.pod(name) is not None:
        await bench.admin.delete("pods", bench.namespace, name)
    await bench.gone(name)
