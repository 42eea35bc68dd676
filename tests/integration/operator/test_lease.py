"""One operator acts: failover when it dies, silence when it wakes up too late, a quick change of hands in order."""

import signal
import time

from integration.operator.conftest import Bench

QUICK = {
    "LEASE_DURATION": "5s",
    "LEASE_RENEW_DEADLINE": "4s",
    "LEASE_RENEW_INTERVAL": "1s",
    "LEASE_REQUEST_TIMEOUT": "2s",
}


async def test_the_second_takes_over_from_one_that_was_killed(bench: Bench) -> None:
    """SIGKILL: the standby, which was ready all the time, acts after the Lease has expired, and only then."""
    await bench.quota(sessions=2)
    first = await bench.operator(**QUICK)
    await bench.session("a")
    before = await bench.reaches("a", "QRPending")
    second = bench.standby(**QUICK)
    await second.said("Role", role="standby")
    standby = await second.get("/readyz")

    first.kill()
    await second.acts()
    await bench.session("b")
    await bench.reaches("b", "QRPending")

    assert 200 == standby[0]
    assert before["podUID"] == (await bench.status("a"))["podUID"]


async def test_a_process_that_slept_through_its_lease_ends_at_once(bench: Bench) -> None:
    """SIGSTOP for longer than the Lease: on waking it ends itself before it acts again."""
    first = await bench.operator(**QUICK)
    second = bench.standby(**QUICK)
    first.signal(signal.SIGSTOP)
    await second.acts()

    first.signal(signal.SIGCONT)
    woken = time.monotonic()
    status = await first.ended(within=5)

    assert 1 == status
    assert time.monotonic() - woken < 3


async def test_a_released_lease_changes_hands_quickly(bench: Bench) -> None:
    """SIGTERM: the next one need not wait for the ten seconds of the default Lease."""
    first = await bench.operator()
    second = bench.standby()
    await second.said("Role", role="standby")

    assert 0 == await first.stop()
    began = time.monotonic()
    await second.acts()

    assert time.monotonic() - began < 7
