"""Secrets for people that the API server refuses, in simulated time."""

import pytest
from unit.runtime.closed_gates import FAULTS, count, is_call, message
from unit.runtime.memory_api import Fault
from unit.runtime.simulation import Simulation
from whatsapp_operator.runtime.kube.client import Request


@pytest.mark.parametrize("refused", ["observing", "linking"])
async def test_a_quota_that_is_full_between_two_secrets_makes_no_storm(simulation: Simulation, refused: str) -> None:
    """Those that are made wait with the one that is not, and one call tells."""

    def gate(request: Request, _: int) -> Fault | None:
        """Refuse this one and those after it."""
        name = request.body["metadata"]["name"] if request.body and is_call(request, "POST", "secrets") else ""
        return (
            FAULTS["403"]
            if any(purpose in name for purpose in (refused, "messaging", "reading", "administering"))
            else None
        )

    simulation.api.fault = gate
    await simulation.start()
    simulation.session("a")
    await simulation.until(lambda: simulation.condition("a", "CallFailed")[0] == "True", within=10)
    shown = message(simulation, "CallFailed")
    await simulation.rest(60)

    assert refused in shown
    assert "QRPending" == simulation.state("a")
    assert count(simulation, "POST", "secrets") < 20
