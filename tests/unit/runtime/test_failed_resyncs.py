"""A resync that may not read all kinds is told in each session's status."""

import pytest
from unit.runtime.memory_api import parse
from unit.runtime.simulation import NAMESPACE, Simulation
from unit.runtime.test_failed_calls import FAULTS, FEW, message, reopen, warnings
from whatsapp_operator.runtime.kube.client import Request


def reads_all(request: Request, plural: str) -> bool:
    """Whether a request is the LIST of everything of a kind."""
    path = parse(request.path)
    return request.method == "GET" and path.plural == plural and path.namespace != NAMESPACE


@pytest.mark.parametrize("fault", FEW)
@pytest.mark.parametrize("plural", ["whatsappsessions", "pods", "networkpolicies", "namespaces"])
async def test_what_a_resync_may_not_read_is_in_the_condition_of_all_sessions(
    simulation: Simulation, plural: str, fault: str
) -> None:
    """In the API server's words, without an event for each session; an edit is answered, and it ends with its cause."""
    await simulation.up("a", "b")
    simulation.api.fault = lambda request, _: FAULTS[fault] if reads_all(request, plural) else None
    for name in ("a", "b"):
        await simulation.until(lambda: simulation.condition(name, "CallFailed")[0] == "True", within=130)  # noqa: B023
    shown = {message(simulation, "CallFailed", name) for name in ("a", "b")}
    before = len(simulation.api.requests)
    simulation.edit("a", {"spec": {"recovery": {"maxAttempts": 9}}})
    await simulation.until(lambda: simulation.status("a")["observedGeneration"] == 2, within=2)
    await simulation.rest(130)
    reads = [request for request in simulation.api.requests[before:] if reads_all(request, plural)]
    state = simulation.state("a")
    reopen(simulation)
    await simulation.until(lambda: simulation.condition("a", "CallFailed") == ("", ""), within=130)

    assert f"Cannot list {plural}" in shown.pop()
    assert not shown
    assert [] == warnings(simulation, "FailedList")
    # Resyncs, and admission rounds at most every ten seconds. A refusal is over less soon than a fault of the server.
    assert len(reads) < (20 if fault in {"403", "409"} else 45)
    assert "QRPending" == state
