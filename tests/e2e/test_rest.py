"""At rest nothing is written."""

from datetime import UTC, datetime

from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.audit_log import READS, writes
from support.waiting import until

QUIET = 8.0
""" Seconds without a write after which nothing is on its way any more: changes are written within 5. """
LEASES = frozenset({"leases"})


def test_at_rest_only_the_lease_is_written(e2e: ClusterHarness, durable_trio: Tenant) -> None:
    """Three connected sessions with durable logins and one in its first round of QR codes: 0 writes in three resyncs."""
    trio = durable_trio
    trio.create("fresh")
    trio.wait_for_state("fresh", "QRPending")

    def quiet_for() -> float:
        done = [
            one for one in e2e.audit.requests(since=e2e.began) if one.verb not in READS and one.resource != "leases"
        ]
        return (datetime.now(UTC) - done[-1].time).total_seconds()

    until("what was begun is written", quiet_for, lambda seconds: seconds > QUIET)
    since, begun = e2e.audit.now(), trio.status("fresh")["link"]["round"]
    e2e.operator.wait_for_resyncs(3)
    done = e2e.audit.requests(since=since)

    assert [] == writes(done, but=LEASES)
    assert {"update leases"} == set(writes(done, but=frozenset()))
    assert [1, 1] == [begun, trio.status("fresh")["link"]["round"]]
    trio.run("delete", "was", "fresh", "--wait=false")
