"""At rest nothing is written."""

from campaigns.rest import requests_at_rest
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.audit_log import writes

LEASES = frozenset({"leases"})


def test_at_rest_only_the_lease_is_written(e2e: ClusterHarness, durable_trio: Tenant) -> None:
    """Three connected sessions with durable logins and one in its first round of QR codes: 0 writes in three resyncs."""
    trio = durable_trio
    trio.create("fresh")
    trio.wait_for_state("fresh", "QRPending")
    begun = trio.status("fresh")["link"]["round"]
    done = requests_at_rest(e2e.audit, e2e.operator)

    assert [] == writes(done, but=LEASES)
    assert {"update leases"} == set(writes(done, but=frozenset()))
    assert [1, 1] == [begun, trio.status("fresh")["link"]["round"]]
    trio.run("delete", "was", "fresh", "--wait=false")
