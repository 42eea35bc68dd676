"""Linking by a pairing code: the number comes from a Secret, which the kubelet brings into the pod, again when it changes."""

from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from support.waiting import until

NUMBERS = ("+15550100123", "+15550100124")


def _write_number(e2e: ClusterHarness, tenant: Tenant, number: str) -> None:
    metadata = {"name": "owner", "namespace": tenant.namespace}
    e2e.kubectl.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"phoneNumber": number}}
    )


def test_a_changed_number_counts_within_two_minutes(e2e: ClusterHarness, tenant: Tenant) -> None:
    """In the same pod: the old number's code gives way to one for the new number, whose phone is linked by it."""
    tenant.limit(sessions=1)
    _write_number(e2e, tenant, NUMBERS[0])
    tenant.create("sales", link={"method": "PairingCode", "phoneNumberSecretName": "owner"})
    tenant.wait_for_state("sales", "PairingCodePending")
    pod, old = tenant.pod_uid("sales"), tenant.pairing_code("sales")
    _write_number(e2e, tenant, NUMBERS[1])
    new = until("another number's code", lambda: tenant.pairing_code("sales"), lambda code: code != old, within=120)
    device = e2e.phone.request("/phone/enter-code", {"code": new})["device"]
    status = tenant.wait_for_state("sales", "Connected")
    devices = e2e.phone.request("/phone/devices")["devices"]

    assert pod == tenant.pod_uid("sales")
    assert [NUMBERS[1].removeprefix("+")] == [one["number"] for one in devices if one["id"] == device]
    assert 16 == len(status["link"]["accountHash"])
