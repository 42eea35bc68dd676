"""The watchdog outside of the event loop."""

import subprocess
import sys
import time

import pytest
from whatsapp_operator.app.watchdog import Watchdog


class WatchdogHarness:
    """A watchdog whose time and end a test sees."""

    def __init__(self) -> None:
        self.now = 100.0
        self.valid_until: float | None = None
        self.ended: list[tuple[int, str]] = []
        self.watchdog = Watchdog(
            valid_until=lambda: self.valid_until,
            monotonic=lambda: self.now,
            end=lambda status, why: self.ended.append((status, why)),
        )


@pytest.fixture
def harness() -> WatchdogHarness:
    """At second 100, without Lease and deadline."""
    return WatchdogHarness()


def test_without_lease_and_deadline_nothing_ends(harness: WatchdogHarness) -> None:
    """A process that waits for the Lease waits as long as it takes."""
    harness.now = 1e9
    harness.watchdog.check()

    assert [] == harness.ended


def test_a_lease_that_ran_out_ends_the_process(harness: WatchdogHarness) -> None:
    """Somebody else may act by now."""
    harness.valid_until = 107.0
    harness.now = 106.9
    harness.watchdog.check()
    early = list(harness.ended)
    harness.now = 107.1
    harness.watchdog.check()

    assert ([], [(1, "the Lease was not renewed in time")]) == (early, harness.ended)


def test_a_renewed_lease_does_not(harness: WatchdogHarness) -> None:
    """The end moves with each renewal."""
    for _ in range(10):
        harness.valid_until = harness.now + 7
        harness.now += 2
        harness.watchdog.check()

    assert [] == harness.ended


def test_an_end_that_takes_too_long_is_made_hard(harness: WatchdogHarness) -> None:
    """SIGTERM was eight seconds ago and something hangs."""
    harness.watchdog.set_deadline(8, status=1, reason="too long")
    harness.now = 107.9
    harness.watchdog.check()
    early = list(harness.ended)
    harness.now = 108.1
    harness.watchdog.check()

    assert ([], [(1, "too long")]) == (early, harness.ended)


def test_the_earliest_deadline_counts(harness: WatchdogHarness) -> None:
    """A second reason to end does not give the first one more time."""
    harness.watchdog.set_deadline(5, status=1, reason="first")
    harness.watchdog.set_deadline(8, status=1, reason="second")
    harness.now = 105.1
    harness.watchdog.check()

    assert [(1, "first")] == harness.ended


def test_a_stuck_event_loop_does_not_keep_the_process() -> None:
    """The whole point: the loop is blocked, and the process ends all the same, with a line that says why."""
    code = (
        "import asyncio, time\n"
        "from whatsapp_operator.app.watchdog import Watchdog\n"
        "async def main():\n"
        "    until = time.monotonic() + 0.3\n"
        "    Watchdog(valid_until=lambda: until).start()\n"
        "    time.sleep(30)\n"
        "asyncio.run(main())\n"
    )
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=25)

    assert 1 == ended.returncode
    assert "the Lease was not renewed in time" in ended.stderr
    assert time.monotonic() - began < 25
