"""Waiting for a real cluster: look again and again until it is so, and say what was last seen when it is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from session_demo.errors import DemoError

T = TypeVar("T")

PATIENCE = 150.0
""" Seconds that a test waits for something to become true. Long, for a loaded machine: nothing waits longer than it
must, and a deadline that is missed by a little proves nothing. Where a time is promised, the test says which. """


def until(look: Callable[[], T], good: Callable[[T], object], what: str, *, within: float = PATIENCE) -> T:
    """Look until it is good, and return what was seen then. What cannot be looked at yet is not good yet."""
    deadline = time.monotonic() + within
    seen: T | DemoError
    while True:
        try:
            seen = look()
            if good(seen):
                return seen
        except DemoError as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:.0f} s; last seen: {seen!r}")
        time.sleep(0.3)
