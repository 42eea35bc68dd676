"""Clock and randomness, injected: everything in the runtime that waits, times out or adds jitter uses this.

Two clocks are kept apart. `now()` is the wall clock, for times in conditions and annotations; it may jump.
`monotonic()` never jumps: leases, back-offs and deadlines use only this one.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from session_protocol.times import format_time


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Cancel the call; no effect after it was made."""


class Clock(Protocol):
    """The clocks and timers that the runtime uses."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        """Call in so many seconds, within the event loop."""

    async def sleep(self, delay: float) -> None:
        """Wait for so many seconds."""


def micro_time(moment: datetime) -> str:
    """Return the moment in the form of Leases and events (Kubernetes' MicroTime): 2026-01-31T12:00:00.000000Z."""
    return format_time(moment, parts="microseconds")


class SystemClock:
    """The machine's clocks and the running event loop."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        """Call in so many seconds, within the event loop."""
        return asyncio.get_running_loop().call_later(max(0.0, delay), call)

    async def sleep(self, delay: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(max(0.0, delay))


Jitter = Callable[[float], float]
""" Lengthens a delay at random, so that many who failed together do not retry together. """


def spread(delay: float) -> float:
    """Return the delay, at random up to a quarter longer."""
    return delay * (1 + random.random() / 4)  # noqa: S311 -- spreads load, guards nothing


def until(moment: datetime, *, clock: Clock) -> float:
    """Return the seconds from now to a wall-clock moment; 0 when it is past."""
    return max(0.0, (moment - clock.now()).total_seconds())
