"""At rest nothing is written, whatever is listed and polled meanwhile."""

import asyncio

from integration.operator.conftest import OperatorHarness
from integration.operator.node import now
from integration.operator.process import OperatorProcess
from session_protocol.vocabulary import RunnerState


async def test_nothing_is_written_at_rest(harness: OperatorHarness) -> None:
    """Three connected sessions and one that waits for a phone: over three resyncs only the Lease is renewed."""
    await harness.quota(sessions=4)
    operator = await harness.operator(RESYNC_INTERVAL="2s")
    for name in ("a", "b", "c", "d"):
        await harness.session(name)
    for name in ("a", "b", "c"):
        (await harness.runner(name)).report(RunnerState.CONNECTED, linked=now(), durable=now())
    for name in ("a", "b", "c"):
        await harness.wait_for_state(name, "Connected")
    await harness.wait_for_state("d", "QRPending")
    await asyncio.sleep(6)  # what is left of the paced writes; there is no condition to poll for "nothing more comes"
    before, resyncs = len(harness.audit.writes(but=("leases",))), await _resyncs(operator)

    async def three_more() -> bool:
        return await _resyncs(operator) >= resyncs + 3

    await harness.until("three resyncs", three_more)

    assert [] == harness.audit.writes(but=("leases",))[before:]


async def _resyncs(operator: OperatorProcess) -> int:
    _, metrics = await operator.get("/metrics")
    line = next(
        line for line in metrics.splitlines() if line.startswith('whatsapp_operator_resync_total{result="success')
    )
    return int(float(line.split()[-1]))
