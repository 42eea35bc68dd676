"""A place that has to grow: until the larger reservation is in status, the grant for it counts."""

from collections.abc import AsyncIterator

import pytest
from unit.runtime.memory_api import Fault
from unit.runtime.simulation import Simulation
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.runtime.kube.client import Request


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace and memory for two sessions, one of them larger."""
    simulation = Simulation()
    simulation.namespace()
    simulation.quota(memory="2Gi")
    yield simulation
    await simulation.stop()


async def test_the_assumed_reservation_counts_until_the_larger_reservation_is_written(simulation: Simulation) -> None:
    """A round that begins while the write is on its way sees the old reservation; it must not give the difference away."""
    await simulation.start()
    uid = SessionUID(simulation.session("a")["metadata"]["uid"])
    await simulation.until(lambda: simulation.state("a") == "QRPending")
    during: list[int] = []

    def look(request: Request, _number: int) -> Fault | None:
        admission = ((request.body or {}).get("status") or {}).get("admission") or {}
        if request.method == "PATCH" and admission.get("memory") == "1Gi" and simulation.operator is not None:
            reservation = simulation.operator.admission.verdict(uid).assumed
            during.append(reservation.memory if reservation is not None else 0)
        return None

    simulation.api.fault = look
    simulation.edit("a", {"spec": {"resources": {"limits": {"memory": "1Gi"}}}})
    simulation.ask("a", "restart-at")
    await simulation.until(lambda: simulation.status("a").get("admission", {}).get("memory") == "1Gi", within=30)
    await simulation.rest(2)

    assert [1024**3] == during
    assert simulation.operator is not None
    assert simulation.operator.admission.verdict(uid).assumed is None
