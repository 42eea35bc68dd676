"""Waiting for a real cluster, with the patience of these tests."""

from collections.abc import Callable
from typing import TypeVar

from session_devtools.errors import ToolError
from session_devtools.waiting import wait_until

T = TypeVar("T")

PATIENCE = 150.0
""" Seconds that a test waits for something to become true. Long, for a loaded machine: nothing waits longer than it
must, and a deadline that is missed by a little proves nothing. Where a time is promised, the test says which. """


def until(what: str, look: Callable[[], T], good: Callable[[T], object], *, within: float = PATIENCE) -> T:
    """Look until it is good, and return what was seen then. What cannot be looked at yet is not good yet."""
    return wait_until(what, look, good, within=within, every=0.3, not_yet=ToolError)
