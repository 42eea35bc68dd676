"""The operator ends at the worst moments, and what it began is finished: one pod per session, never two."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.harness import ClusterHarness
from e2e.operator_pod import Operator
from e2e.tenant import Tenant
from e2e.trio import TRIO
from session_devtools.audit_log import Entry
from support.waiting import TIMEOUT, until

TRIES = 5
""" The moment is met from outside, by the audit log, which has a request before its answer is sent. """


@pytest.mark.parametrize(
    ("moment", "not_yet", "victim_of"),
    [
        ("patch whatsappsessions/status", "create pods", Operator.work_process),
        ("create pods", None, Operator.work_process),
        ("create pods", None, Operator.lease_process),
    ],
    ids=["after the reservation", "after the pod was made", "after the pod was made, with the process of the Lease"],
)
def test_a_killed_operator_is_followed_by_one_that_goes_on(
    e2e: ClusterHarness, tenant: Tenant, moment: str, not_yet: str | None, victim_of: Callable[[Operator], int]
) -> None:
    """By SIGKILL in the middle of a start: the session comes up, by one pod alone, with the place it had.

    Whichever of its two processes is killed, both are gone.
    """
    for attempt in range(TRIES):
        name, since = f"sales{attempt}", e2e.audit.now()
        met = _kill_at(e2e, tenant, name, moment, victim_of)
        if not_yet is None or not_yet not in met:
            break
        e2e.operator.replace()
    else:
        pytest.fail(f"the operator was never killed between {moment!r} and {not_yet!r}")
    place = tenant.status(name)["admission"]
    assert bool(tenant.pods()) is (not_yet is None)

    e2e.operator.replace()
    status = tenant.wait_for_state(name, "QRPending")

    made = [one for one in e2e.audit.requests(since=since, namespace=tenant.namespace) if _made_pod(one, name)]
    assert 1 == len(made)
    assert place == status["admission"]
    assert tenant.pod_uid(name) == status["podUID"]
    assert 0 == status.get("recovery", {}).get("restarts", 0)


def _kill_at(
    e2e: ClusterHarness, tenant: Tenant, name: str, moment: str, victim_of: Callable[[Operator], int]
) -> list[str]:
    """Create a session and kill the operator at its first request of that kind; returns what it had done by then."""
    since, victim = e2e.audit.now(), victim_of(e2e.operator)
    processes = [Path(f"/proc/{pid}") for pid in (e2e.operator.lease_process(), e2e.operator.work_process())]
    creating = threading.Thread(target=tenant.create, args=(name,))
    creating.start()
    until(f"{moment}", lambda: moment in _done(e2e, tenant, since), within=TIMEOUT, every=0.001)
    e2e.operator.kill(victim)
    until("both processes are gone", lambda: not any(process.exists() for process in processes))
    creating.join()
    return _done(e2e, tenant, since)


def _done(e2e: ClusterHarness, tenant: Tenant, since: int) -> list[str]:
    return [f"{one.verb} {one.resource}" for one in e2e.audit.requests(since=since, namespace=tenant.namespace)]


def _made_pod(entry: Entry, name: str) -> bool:
    return (entry.verb, entry.resource, entry.code) == ("create", "pods", 201) and entry.name in ("", name)


def test_pods_that_go_while_no_operator_acts_are_replaced_by_the_next(e2e: ClusterHarness, trio: Tenant) -> None:
    """Scaled to none, two pods deleted, one of them suspended meanwhile: each session is as it should be afterwards."""
    deleted, settled, untouched = TRIO
    before = {name: trio.status(name) for name in TRIO}
    e2e.operator.scale(0)
    try:
        for name in (deleted, settled):
            trio.delete_pod(name)
        trio.edit(settled, {"operatingMode": "Suspended"})
        until("the deleted pods are gone", trio.pods, lambda pods: len(pods) == 1)
    finally:
        e2e.operator.scale(1)

    after = trio.wait_for_recovery(deleted, after=before[deleted])
    assert "Suspended" == trio.wait_for_state(settled, "Suspended")["state"]
    assert "admission" not in trio.status(settled)
    assert 1 == after["recovery"]["restarts"] - before[deleted].get("recovery", {}).get("restarts", 0)
    assert before[untouched]["podUID"] == trio.pod_uid(untouched)
    trio.edit(settled, {"operatingMode": "Running"})
    trio.wait_for_recovery(settled, after=before[settled])
    assert sorted(TRIO) == sorted(pod["metadata"]["name"] for pod in trio.pods())
