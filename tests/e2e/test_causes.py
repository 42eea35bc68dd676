"""What a real kubelet leaves of a pod that it ended, and what the session makes of it.

The kubelet takes its time over each, so both are harmed first, and waited for afterwards.
"""

from collections.abc import Iterator

import pytest
from e2e.harness import ClusterHarness
from e2e.pod_processes import paused, process_of
from e2e.tenant import Object, Tenant
from support.sessions import Expectation

FILL = """
import pathlib
with pathlib.Path("/cache/filler").open("wb") as file:
    for _ in range(300):
        file.write(b"x" * 2**20)
"""


@pytest.fixture(scope="module")
def harmed(e2e: ClusterHarness) -> Iterator[Tenant]:
    """A session that has written more than its pod may, and one whose runner hangs."""
    tenant = Tenant.make(e2e.kubectl, e2e.phone)
    tenant.create("frozen", recovery={"baseDelay": "5m"})
    tenant.create("greedy", resources={"limits": {"ephemeralStorage": "256Mi"}}, recovery={"baseDelay": "5m"})
    tenant.wait_for_state("frozen", "QRPending")
    with paused(process_of(e2e.cluster, tenant.pod_uid("frozen"), "session_runner")):
        tenant.wait_for_state("greedy", "QRPending")
        tenant.python("greedy", FILL)
        yield tenant
    tenant.close()


def _wait_for_failure(tenant: Tenant, name: str, *, within: float) -> Object:
    def failed(status: Object) -> bool:
        return "lastFailure" in status.get("recovery", {})

    status = tenant.wait_for(name, Expectation("has failed", failed), within=within)
    failure: Object = status["recovery"]["lastFailure"]
    return {**failure, "count": status["recovery"]["consecutiveFailures"]}


def test_a_pod_over_its_own_disk_limit_fails_with_the_kubelets_message(harmed: Tenant) -> None:
    """The kubelet looks every ten seconds; it says Evicted, as it does when the node is short of disk."""
    failure = _wait_for_failure(harmed, "greedy", within=240)

    assert ("Evicted", 1) == (failure["reason"], failure["count"])
    assert "exceeds the total limit of containers 256Mi" in failure["message"]


def test_a_runner_that_hangs_is_ended_by_the_kubelet_and_the_probe_is_named(harmed: Tenant) -> None:
    """Six probes of ten seconds, and the pod's minute to end it; its exit code alone would tell nothing."""
    failure = _wait_for_failure(harmed, "frozen", within=150)

    assert ("LivenessProbeFailed", 1) == (failure["reason"], failure["count"])
    assert "Its own loop was too slow" in failure["message"]
