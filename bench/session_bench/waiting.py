"""Looking again and again until something is so. Used wherever a benchmark waits; it never measures by sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from session_bench.errors import NotInTime

T = TypeVar("T")


def until(
    look: Callable[[], T | None],
    what: str,
    *,
    within: float = 180.0,
    interval: float = 0.05,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return the first thing seen that is not None; raises NotInTime after `within` seconds."""
    deadline = clock() + within
    while (seen := look()) is None:
        if clock() > deadline:
            raise NotInTime(f"waited {within:.0f} s in vain for {what}")
        sleep(interval)
    return seen
