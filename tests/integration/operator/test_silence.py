"""Silence is not failure: a runner that does not answer is told as unreachable, and nothing is done about it."""

from integration.operator.conftest import OperatorHarness
from integration.operator.node import now
from session_protocol.vocabulary import RunnerState


async def test_a_silent_runner_is_unreachable_and_left_alone(harness: OperatorHarness) -> None:
    """After 15 s Ready is Unknown and Linked keeps its value; the pod is not touched; it comes back by itself."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")
    runner = await harness.runner("a")
    runner.report(RunnerState.CONNECTED, linked=now(), durable=now())
    first = await harness.wait_for_state("a", "Connected")

    runner.answers.clear()
    silent = await harness.wait_for_state("a", "Unreachable")
    ready, linked = await harness.condition("a", "Ready"), await harness.condition("a", "Linked")
    runner.answers.set()
    await harness.wait_for_state("a", "Connected")

    assert ("Unknown", "RunnerUnreachable") == (ready["status"], ready["reason"])
    assert "True" == linked["status"]
    assert first["podUID"] == silent["podUID"]
    assert "delete pods" not in harness.audit.writes()
