"""A page that computes and answers nobody: it lives as long as the health check says, and since when is told."""

import asyncio
import time

from runner.conftest import Start
from session_protocol.vocabulary import ExitCode
from standin.harness import StandIn
from support.runner_process import link

TOLERANCE = 6.0
""" Seconds: a pause between two probes, and what a busy machine takes. """


async def test_a_page_that_is_busy_within_the_health_check_lives(start: Start, standin: StandIn) -> None:
    """Twice nearly the whole time, with an answer in between; its state stays and says since when it is silent."""
    async with start(HEALTH_CHECK_TIMEOUT="20s") as runner:
        device = await link(runner, standin)
        for _ in range(2):
            await standin.phone.busy(device, seconds=17)
            await asyncio.sleep(14)
            document = await runner.state()
            assert "The page has not answered since 20" in document["message"]
            assert "after 20s it counts as dead" in document["message"]
            assert document["probeAgeSeconds"] > 8
            began = time.monotonic()
            for path in ("/healthz", "/readyz", "/metrics"):  # as the kubelet asks
                assert (await runner.get(path, scope=None))[0] == 200
            assert time.monotonic() - began < 3
            await asyncio.sleep(6)
            document = await runner.wait_for_state("Connected")
            assert document["probeAgeSeconds"] < 8

        assert runner.process.returncode is None
        assert "Unresponsive" not in [state for state, _ in runner.seen]


async def test_a_page_that_is_busy_for_longer_is_dead_after_exactly_that_time(start: Start, standin: StandIn) -> None:
    """Neither sooner nor twice as late; then the browser is closed and the runner ends."""
    async with start(HEALTH_CHECK_TIMEOUT="12s") as runner:
        device = await link(runner, standin)
        await standin.phone.busy(device, seconds=300)
        began = time.monotonic()
        await runner.wait_for_state("Unresponsive")
        noticed = time.monotonic() - began

        assert await runner.exit_code() == ExitCode.PAGE_UNRESPONSIVE
        assert runner.termination_message() == "PageUnresponsive: The page did not answer a probe for 12 s."
    assert 12 - 1 <= noticed <= 12 + TOLERANCE


async def test_a_first_sync_that_keeps_the_page_busy_comes_to_its_end(start: Start, standin: StandIn) -> None:
    """The page is linked, its data arrive, and it computes for most of the health check before it goes on."""
    async with start(HEALTH_CHECK_TIMEOUT="15s") as runner:
        device = await link(runner, standin)
        await standin.phone.sync_slow(device, seconds=6)
        await standin.phone.drop(device)
        await runner.wait_for_state("Syncing", "Reconnecting")
        await runner.wait_for_state("Connected", "Syncing")
        await standin.phone.busy(device, seconds=12)
        await asyncio.sleep(13)
        await runner.wait_for_state("Connected")

        assert runner.process.returncode is None
