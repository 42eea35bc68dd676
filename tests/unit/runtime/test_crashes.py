"""The operator is killed at every write, and the API server fails at every write: the end is always the same.

For each scenario a first run counts the operator's writes. Then the scenario is run once per write with an accident at
that write, and must end as the first run did: the same objects, the same words, no pod or claim made or deleted twice.
Every write is tried with EXHAUSTIVE=1 (minutes); else every seventh, at another offset for each of the seven kinds of
accident, so that the kinds together meet every write.
"""

import gc
import os
from collections.abc import AsyncIterator

import pytest
from unit.runtime.memory_api import Fault, Json, Killed
from unit.runtime.scenarios import SCENARIOS, Scenario, birth
from unit.runtime.simulation import Simulation, outcome
from whatsapp_operator.runtime.kube.client import Request
from whatsapp_operator.runtime.kube.errors import RequestTimeout

pytestmark = pytest.mark.slow

ACCIDENTS = {
    "killed before the write": Fault(error=Killed),
    "killed after the write": Fault(error=Killed, committed=True),
    "no answer, not carried out": Fault(error=RequestTimeout),
    "no answer, carried out": Fault(error=RequestTimeout, committed=True),
    "conflict": Fault(status=409),
    "too many requests": Fault(status=429, retry_after=2),
    "server error, carried out": Fault(status=500, committed=True),
}


EXHAUSTIVE = bool(os.environ.get("EXHAUSTIVE"))
STRIDE = len(ACCIDENTS)


async def run(scenario: Scenario, *, at: int = 0, accident: Fault | None = None) -> tuple[Json, int]:
    """Run a scenario with an accident at the n-th write; return its outcome and the number of writes."""
    simulation = Simulation()
    simulation.namespace()
    simulation.checks.append(lambda: _never_more_than_allowed(simulation))
    attempts = 0
    met = False

    def fault(request: Request, number: int) -> Fault | None:
        nonlocal attempts, met
        attempts = max(attempts, number)
        if number == at and accident is not None and not met and "/events" not in request.path:
            met = True
            return accident
        return None

    simulation.api.fault = fault
    await simulation.start()
    try:
        await scenario(simulation)
        await simulation.rest(130)  # two resyncs: what is left to be said is said
        return outcome(simulation), attempts
    finally:
        await simulation.stop()


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_an_accident_at_any_write_changes_nothing(scenario: Scenario, accident: str) -> None:
    """Same end state, same counts of creations and deletions, and never more pods than places on the way."""
    expected, writes = await run(scenario)
    offset = list(ACCIDENTS).index(accident)
    numbers = range(1, writes + 1) if EXHAUSTIVE else range(1 + offset, writes + 1, STRIDE)

    for number in numbers:
        seen, _ = await run(scenario, at=number, accident=ACCIDENTS[accident])
        assert expected == seen, f"after an accident at write {number} of {writes}"


async def test_a_killed_process_writes_no_traceback_later(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever write it died at: its tasks are garbage, and found while somebody else is at work."""
    _, writes = await run(birth)

    for number in range(1, writes + 1):
        await run(birth, at=number, accident=ACCIDENTS["killed after the write"])
    gc.collect()

    assert [] == [record.getMessage() for record in caplog.records if record.name == "asyncio"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_at_rest_nothing_is_written(scenario: Scenario) -> None:
    """However a story ended: over ten further resyncs nobody writes anything."""
    simulation = Simulation()
    simulation.namespace()
    await simulation.start()
    await scenario(simulation)
    await simulation.rest(800)  # past healthyAfter, which forgives a failure in one last write
    before = len(simulation.api.writes)

    await simulation.rest(600)
    after = simulation.api.writes[before:]
    await simulation.stop()

    assert [] == [(request.method, request.path) for request in after]


def _never_more_than_allowed(simulation: Simulation) -> None:
    quotas = simulation.api.all("whatsappsessionquotas")
    limit = quotas[0]["spec"]["sessions"] if quotas else 0
    holders = {owner["uid"] for pod in simulation.api.all("pods") for owner in pod["metadata"]["ownerReferences"]}
    holders |= {
        session["metadata"]["uid"]
        for session in simulation.api.all("whatsappsessions")
        if "admission" in (session.get("status") or {})
    }
    if len(holders) > limit:
        raise AssertionError(f"{len(holders)} hold a place, the quota has {limit}")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A cluster with a namespace."""
    simulation = Simulation()
    simulation.namespace()
    yield simulation
    await simulation.stop()


async def test_an_operator_that_is_killed_in_a_loop_still_gets_there(simulation: Simulation) -> None:
    """Every process dies at its third write, sooner than a start is done; the sessions come up, each with one pod ever made."""
    simulation.quota(sessions=3)
    writes = 0

    def fault(_: Request, number: int) -> Fault | None:
        nonlocal writes
        if number:
            writes += 1
        return Fault(error=Killed, committed=True) if number and writes % 3 == 0 else None

    simulation.api.fault = fault
    await simulation.start()
    for name in ("a", "b", "c"):
        simulation.session(name)

    await simulation.until(lambda: {"QRPending"} == {simulation.state(name) for name in ("a", "b", "c")})

    made = {name: count for (plural, name), count in simulation.api.created.items() if plural == "pods"}
    assert {"a": 1, "b": 1, "c": 1} == made
