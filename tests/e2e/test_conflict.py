"""In a conflict a new pod would be a takeover, so none is made until a person asks."""

from e2e.ground import Ground
from e2e.polling import until
from e2e.tenant import PATIENT, Tenant, condition, is_true


def test_a_replaced_session_is_not_replaced_by_a_pod_until_a_person_asks(e2e: Ground, tenant: Tenant) -> None:
    """Stalled and Conflict are written; an evicted pod stays away, over a new operator, too; a request brings it back."""
    tenant.create("sales", timeouts={**PATIENT, "connectionCheck": "10s"})
    linked = tenant.link("sales")
    before = tenant.pod_uid("sales")

    tenant.phone("sales", "replaced")
    status = until(
        "the conflict is told of", lambda: tenant.status("sales"), lambda status: is_true(status, "Conflict")
    )
    assert ("Conflict", "Conflict") == (status["state"], condition(status, "Stalled")["reason"])
    assert is_true(status, "Stalled")
    assert before == tenant.pod_uid("sales")
    assert "admission" in status

    tenant.evict("sales")
    gone = until("the pod is gone", lambda: tenant.status("sales"), lambda status: status["replicas"] == 0)
    assert "Stalled" == tenant.reaches("sales", "Stalled")["state"]
    assert (True, True) == (is_true(gone, "Conflict"), is_true(gone, "Stalled"))
    gone = until("its place is given back", lambda: tenant.status("sales"), lambda status: "admission" not in status)
    e2e.operator.replace()
    e2e.operator.lists_anew(1)
    assert gone == tenant.status("sales")
    assert [] == tenant.pods()

    asked = tenant.ask("sales", "restart-at")
    status = tenant.returns("sales", after=linked)
    assert asked == status["handledRequests"]["restart-at"]
    assert (False, False) == (is_true(status, "Conflict"), is_true(status, "Stalled"))
    assert is_true(status, "Admitted")
    assert "admission" in status


def test_a_conflict_that_no_operator_heard_is_no_takeover_either(e2e: Ground, tenant: Tenant) -> None:
    """The word is kept on the volume: the next operator's pod leaves the page closed and says it; a request opens it."""
    tenant.create("sales", timeouts={**PATIENT, "connectionCheck": "10s"})
    linked = tenant.link("sales")

    e2e.operator.scale(0)
    try:
        tenant.phone("sales", "replaced")
        until("the runner says Conflict", lambda: tenant.word("sales"), lambda word: word == "Conflict")
        loads = _loads(e2e, tenant)
        tenant.evict("sales")
        until("the pod is gone", tenant.pods, lambda pods: pods == [])
    finally:
        e2e.operator.scale(1)
    status = until(
        "the conflict is told of", lambda: tenant.status("sales"), lambda status: is_true(status, "Conflict")
    )

    assert "Conflict" == condition(status, "Stalled")["reason"]
    assert linked["podUID"] != status["podUID"]
    assert loads == _loads(e2e, tenant)

    tenant.ask("sales", "restart-at")
    status = tenant.returns("sales", after=status)
    assert (False, False) == (is_true(status, "Conflict"), is_true(status, "Stalled"))


def _loads(e2e: Ground, tenant: Tenant) -> int:
    """How often the session's page was opened."""
    return int(e2e.stage.phone("/loads")["byDevice"][tenant.devices["sales"]])
