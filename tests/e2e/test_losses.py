"""A pod that is lost through no fault of its runner is replaced at once, and nothing is counted."""

from e2e.harness import ClusterHarness
from e2e.object_versions import watch
from e2e.tenant import Object, Tenant
from e2e.trio import TRIO


def _counted(status: Object) -> tuple[int, Object | None]:
    recovery = status.get("recovery", {})
    return recovery.get("consecutiveFailures", 0), recovery.get("lastFailure")


def test_an_evicted_and_a_deleted_pod_are_replaced_at_once(e2e: ClusterHarness, trio: Tenant) -> None:
    """Same login, no failure, no wait for a next attempt at any moment; the third session keeps its pod."""
    evicted, deleted, untouched = TRIO
    before = {name: trio.status(name) for name in TRIO}
    with watch(e2e.kubectl, "whatsappsessions", trio.namespace) as sessions:
        trio.evict(evicted)
        trio.delete_pod(deleted)
        after = {name: trio.wait_for_recovery(name, after=before[name]) for name in (evicted, deleted)}
        waits = [one for one in sessions.seen if one.get("status", {}).get("recovery", {}).get("nextAttemptTime")]

    assert [] == waits
    for name in (evicted, deleted):
        assert _counted(before[name]) == _counted(after[name])
        assert before[name].get("recovery", {}).get("restarts", 0) + 1 == after[name]["recovery"]["restarts"]
    assert before[untouched]["podUID"] == trio.pod_uid(untouched)


def test_a_drained_node_gives_its_sessions_back_when_it_may_be_used_again(e2e: ClusterHarness, trio: Tenant) -> None:
    """`kubectl drain` needs no force; the new pods wait for a node and say so; all return with their logins."""
    before = {name: trio.status(name) for name in TRIO}
    node = before[TRIO[0]]["nodeName"]
    uids = ",".join((trio.get("was", name) or {})["metadata"]["uid"] for name in TRIO)
    selector = f"--pod-selector=wasession.dev/session-uid in ({uids})"
    try:
        e2e.kubectl("drain", node, selector, "--delete-emptydir-data", "--timeout=150s", timeout=160)
        for name in TRIO:
            trio.wait_for_condition(name, "Ready", reason="Unschedulable")
        pods = {name: trio.pod_uid(name) for name in TRIO}
    finally:
        e2e.kubectl("uncordon", node)

    after = {name: trio.wait_for_recovery(name, after=before[name]) for name in TRIO}
    assert pods == {name: after[name]["podUID"] for name in TRIO}
    assert {name: _counted(before[name]) for name in TRIO} == {name: _counted(after[name]) for name in TRIO}
