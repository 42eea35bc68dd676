"""In a conflict a new pod would be a takeover, so none is made until a person asks."""

from e2e.harness import ClusterHarness
from e2e.tenant import LONG_TIMEOUTS, Tenant
from support.sessions import condition, has_condition, is_true, without_admission, without_pod
from support.waiting import until


def test_a_replaced_session_is_not_replaced_by_a_pod_until_a_person_asks(e2e: ClusterHarness, tenant: Tenant) -> None:
    """Stalled and Conflict are written; an evicted pod stays away, over a new operator, too; a request brings it back."""
    tenant.create("sales", timeouts={**LONG_TIMEOUTS, "connectionCheck": "10s"})
    linked = tenant.link("sales")
    before = tenant.pod_uid("sales")

    tenant.command_device("sales", "replaced")
    status = tenant.wait_for("sales", has_condition("Conflict"))
    assert ("Conflict", "Conflict") == (status["state"], condition(status, "Stalled")["reason"])
    assert is_true(status, "Stalled")
    assert before == tenant.pod_uid("sales")
    assert "admission" in status

    tenant.evict("sales")
    gone = tenant.wait_for("sales", without_pod())
    assert "Stalled" == tenant.wait_for_state("sales", "Stalled")["state"]
    assert (True, True) == (is_true(gone, "Conflict"), is_true(gone, "Stalled"))
    gone = tenant.wait_for("sales", without_admission())
    e2e.operator.replace()
    e2e.operator.wait_for_resyncs(1)
    assert gone == tenant.status("sales")
    assert [] == tenant.pods()

    asked = tenant.request("sales", "restart-at")
    status = tenant.wait_for_recovery("sales", after=linked)
    assert asked == status["handledRequests"]["restart-at"]
    assert (False, False) == (is_true(status, "Conflict"), is_true(status, "Stalled"))
    assert is_true(status, "Admitted")
    assert "admission" in status


def test_a_conflict_that_no_operator_received_is_no_takeover_either(e2e: ClusterHarness, tenant: Tenant) -> None:
    """The word is kept on the volume: the next operator's pod leaves the page closed and says it; a request opens it."""
    tenant.create("sales", timeouts={**LONG_TIMEOUTS, "connectionCheck": "10s"})
    linked = tenant.link("sales")

    e2e.operator.scale(0)
    try:
        tenant.command_device("sales", "replaced")
        until("the runner reports Conflict", lambda: tenant.runner_state("sales"), lambda state: state == "Conflict")
        loads = _loads(e2e, tenant)
        tenant.evict("sales")
        until("the pod is gone", tenant.pods, lambda pods: pods == [])
    finally:
        e2e.operator.scale(1)
    status = tenant.wait_for("sales", has_condition("Conflict"))

    assert "Conflict" == condition(status, "Stalled")["reason"]
    assert linked["podUID"] != status["podUID"]
    assert loads == _loads(e2e, tenant)

    tenant.request("sales", "restart-at")
    status = tenant.wait_for_recovery("sales", after=status)
    assert (False, False) == (is_true(status, "Conflict"), is_true(status, "Stalled"))


def _loads(e2e: ClusterHarness, tenant: Tenant) -> int:
    """How often the session's page was opened."""
    return int(e2e.phone.request("/loads")["byDevice"][tenant.devices["sales"]])
