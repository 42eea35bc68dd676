"""One operator acts: failover when it dies, silence when it wakes up too late, a quick change of hands in order."""

import signal
import time

from integration.operator.conftest import OperatorHarness

QUICK = {
    "LEASE_DURATION": "5s",
    "LEASE_RENEW_DEADLINE": "4s",
    "LEASE_RENEW_INTERVAL": "1s",
    "LEASE_REQUEST_TIMEOUT": "2s",
}


async def test_the_second_takes_over_from_one_that_was_killed(harness: OperatorHarness) -> None:
    """SIGKILL: the standby, which was ready all the time, acts after the Lease has expired, and only then."""
    await harness.quota(sessions=2)
    first = await harness.operator(**QUICK)
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")
    second = harness.standby(**QUICK)
    await second.wait_for_log("Role", role="standby")
    standby = await second.get("/readyz")

    first.kill()
    await second.wait_until_acting()
    await harness.session("b")
    await harness.wait_for_state("b", "QRPending")

    assert 200 == standby[0]
    assert before["podUID"] == (await harness.status("a"))["podUID"]


async def test_a_process_that_slept_through_its_lease_ends_at_once(harness: OperatorHarness) -> None:
    """SIGSTOP for longer than the Lease: on waking it ends itself before it acts again."""
    first = await harness.operator(**QUICK)
    second = harness.standby(**QUICK)
    first.signal(signal.SIGSTOP)
    await second.wait_until_acting()

    first.signal(signal.SIGCONT)
    woken = time.monotonic()
    status = await first.wait_for_exit(within=5)

    assert 1 == status
    assert time.monotonic() - woken < 3


async def test_a_released_lease_changes_hands_quickly(harness: OperatorHarness) -> None:
    """SIGTERM: the next one need not wait for the ten seconds of the default Lease."""
    first = await harness.operator()
    second = harness.standby()
    await second.wait_for_log("Role", role="standby")

    assert 0 == await first.stop()
    began = time.monotonic()
    await second.wait_until_acting()

    assert time.monotonic() - began < 7
