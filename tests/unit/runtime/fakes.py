"""A clock that a test moves, and an API server that is a function: what the unit tests of the runtime stand on.

`FakeClock` fires timers in order when it is advanced, and lets the event loop settle in between, so that a test of
ten minutes takes a millisecond. `FakeKube` is the whole "cluster" of a test that only needs a few answers;
`memory_api.MemoryApi` plays a server that remembers.
"""

import asyncio
import heapq
import inspect
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from session_protocol.steady_clock import SteadyClock
from whatsapp_operator.runtime.kube.client import Kube, Request, Response

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def settle() -> None:
    """Let every task run until none can go on without time or an answer."""
    # The loop's own queue tells when nothing is left to run; real sockets need a look at the selector, too.
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(50):  # and not for ever: two that settle at once would wait for each other
        await asyncio.sleep(0)
        if not ready:
            return


@dataclass(order=True)
class FakeTimer:
    """A call that is yet to come."""

    at: float
    order: int
    call: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Take it back."""
        self.call = None


class FakeClock:
    """Time stands still until a test advances it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.set_by = 0.0
        """ Seconds by which somebody has set the wall clock. """
        self._timers: list[FakeTimer] = []
        self._order = itertools.count()
        self.begin_anew()

    @property
    def true_time(self) -> datetime:
        """What a clock shows that nobody sets."""
        return START + timedelta(seconds=self.seconds - 1000.0)

    def now(self) -> datetime:
        """Return the process's time, which follows the wall clock and never jumps."""
        return self._steady.now()

    def begin_anew(self) -> None:
        """Let a new process read the wall clock as it is."""
        self._steady = SteadyClock(
            wall=lambda: self.true_time + timedelta(seconds=self.set_by), monotonic=self.monotonic
        )

    def monotonic(self) -> float:
        """Return the monotonic seconds."""
        return self.seconds

    def call_later(self, delay: float, call: Callable[[], None]) -> FakeTimer:
        """Call when the test has advanced so far."""
        timer = FakeTimer(self.seconds + max(0.0, delay), next(self._order), call)
        heapq.heappush(self._timers, timer)
        return timer

    async def sleep(self, delay: float) -> None:
        """Wait until the test has advanced so far."""
        if delay <= 0:
            await asyncio.sleep(0)
            return
        done = asyncio.get_running_loop().create_future()
        timer = self.call_later(delay, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()

    async def advance(self, seconds: float) -> None:
        """Let time pass: every timer on the way fires at its moment, and what it wakes runs before the next."""
        end = self.seconds + seconds
        await settle()
        while self._timers and self._timers[0].at <= end:
            timer = heapq.heappop(self._timers)
            if timer.call is None:
                continue
            self.seconds = max(self.seconds, timer.at)
            timer.call()
            await settle()
        self.seconds = end
        await settle()


Handler = Callable[[Request], Response | Awaitable[Response]]


class FakeKube:
    """A `KubeClient` around a function that plays server; keeps the requests it got."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Ask the function."""
        self.requests.append(request)
        answer = self._handler(request)
        return await answer if inspect.isawaitable(answer) else answer

    @property
    def kube(self) -> Kube:
        """The verbs over this server."""
        return Kube(self, timeout=30)

    @property
    def writes(self) -> list[Request]:
        """The requests that change something."""
        return [request for request in self.requests if request.method != "GET"]


def exactly(delay: float) -> float:
    """Return the delay as it is: jitter for tests that count seconds."""
    return delay
