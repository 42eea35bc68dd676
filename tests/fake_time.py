"""Time for code that is given its clock and its sleep, and for code that waits in an event loop: no test waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class _FakeSelector(selectors.SelectSelector):
    """Passes the time at once that a loop would wait for."""

    def __init__(self, time: FakeTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass if nothing is there to read."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits for something that never comes")
            self._time.sleep(timeout)
        return ready


class _FakeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._fake_time = FakeTime()
        super().__init__(_FakeSelector(self._fake_time))

    def time(self) -> float:
        return self._fake_time.read()


def in_fake_time(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop whose clock jumps to what is due next; `loop.time` tells that clock."""
    with asyncio.Runner(loop_factory=_FakeLoop) as runner:
        return runner.run(coroutine)
