"""Clock and randomness, injected: everything in the runtime that waits, times out or adds jitter uses this.

Two clocks are kept apart. `now()` is for times that are stored or shown; it follows the wall clock, but when that is set
it catches up slowly (`session_protocol.steady_clock`), so that what the core subtracts is time that has passed.
`monotonic()` is the machine's: leases, back-offs and deadlines use only this one. Times that somebody else's clock has
told, or that were stored before this process began, are another matter: see `runtime.reconcile.pod_times` and
`core.session.stored_times`.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from session_protocol.steady_clock import SteadyClock
from session_protocol.times import format_time


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Cancel the call; no effect after it was made."""


class Clock(Protocol):
    """The clocks and timers that the runtime uses."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC; it never jumps."""

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

    def __init__(self) -> None:
        self._steady = SteadyClock(monotonic=time.monotonic)

    def now(self) -> datetime:
        """Return the time, aware, in UTC; it never jumps."""
        return self._steady.now()

    @property
    def behind(self) -> float:
        """How many seconds the machine's wall clock is ahead, because it was set; negative: behind."""
        return self._steady.behind

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
    """Return the seconds from now to a moment; 0 when it is past."""
    return max(0.0, (moment - clock.now()).total_seconds())
