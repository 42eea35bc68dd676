"""The event loop's heartbeat: a task that wakes up all the time, and notices how late.

Everything that is to happen in the loop comes as late as this task does, so its delay is the loop's lag. The process that
holds the Lease counts the heartbeats, to tell a loop that is busy from one that is stuck (`app.lease_keeper`).
"""

from collections.abc import Callable
from typing import Final

from whatsapp_operator.runtime.process.clock import Clock

INTERVAL: Final = 0.1
""" Seconds between two beats. Work that holds the loop for less than this may fall between two, and is not seen then. """


async def beat(clock: Clock, on_beat: Callable[[float], None]) -> None:
    """Call `on_beat` with the lag in seconds at every interval, until cancelled."""
    while True:
        began = clock.monotonic()
        await clock.sleep(INTERVAL)
        on_beat(max(0.0, clock.monotonic() - began - INTERVAL))
