"""Silence is not failure: a runner that does not answer is told as unreachable, and nothing is done about it."""

from integration.operator.conftest import Bench
from integration.operator.node import now
from session_protocol.vocabulary import RunnerState


async def test_a_silent_runner_is_unreachable_and_left_alone(bench: Bench) -> None:
    """After 15 s Ready is Unknown and Linked keeps its value; the pod is not touched; it comes back by itself."""
    await bench.quota(sessions=1)
    await bench.operator()
    await bench.session("a")
    await bench.reaches("a", "QRPending")
    runner = await bench.runner("a")
    runner.say(RunnerState.CONNECTED, linked=now(), durable=now())
    first = await bench.reaches("a", "Connected")

    runner.speaks.clear()
    silent = await bench.reaches("a", "Unreachable")
    ready, linked = await bench.condition("a", "Ready"), await bench.condition("a", "Linked")
    runner.speaks.set()
    await bench.reaches("a", "Connected")

    assert ("Unknown", "RunnerUnreachable") == (ready["status"], ready["reason"])
    assert "True" == linked["status"]
    assert first["podUID"] == silent["podUID"]
    assert "delete pods" not in bench.audit.writes()
