"""The one `until` of the tests: look until what is seen is what was expected, and return it.

The levels wait for different things (a status through kubectl, an answer of a runner, a line of a log), by the same two
functions, and with the same patience: long, for a loaded machine. Nothing waits longer than it must, and a deadline
that is missed by a little proves nothing. Where a time is promised, the test says which.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from session_devtools.errors import ToolError, WaitTimeout
from session_devtools.waiting import async_wait_until, wait_until

T = TypeVar("T")

TIMEOUT = 150.0
""" Seconds that a test on a real cluster waits for something. """


@overload
def until(what: str, read: Callable[[], T | None], *, within: float = TIMEOUT, every: float = 0.3) -> T: ...
@overload
def until(
    what: str, read: Callable[[], T], accept: Callable[[T], object], *, within: float = TIMEOUT, every: float = 0.3
) -> T: ...
def until(
    what: str,
    read: Callable[[], Any],
    accept: Callable[[Any], object] = bool,
    *,
    within: float = TIMEOUT,
    every: float = 0.3,
) -> Any:
    """Read until it is accepted (true, if nothing else is said), and return it; what cannot be read yet is not there yet.

    :raises WaitTimeout: the time is over; with what was seen last.
    """
    return wait_until(what, read, accept, within=within, every=every, retry_on=ToolError)


def _nothing() -> str:
    return ""


@overload
async def async_until(
    what: str,
    read: Callable[[], Awaitable[T | None]],
    *,
    within: float = TIMEOUT,
    every: float = 0.05,
    log: Callable[[], str] = _nothing,
) -> T: ...
@overload
async def async_until(
    what: str,
    read: Callable[[], Awaitable[T]],
    accept: Callable[[T], object],
    *,
    within: float = TIMEOUT,
    every: float = 0.05,
    log: Callable[[], str] = _nothing,
) -> T: ...
async def async_until(
    what: str,
    read: Callable[[], Awaitable[Any]],
    accept: Callable[[Any], object] = bool,
    *,
    within: float = TIMEOUT,
    every: float = 0.05,
    log: Callable[[], str] = _nothing,
) -> Any:
    """The same among coroutines. `log` is asked for what a failure should show beside what was seen last.

    :raises AssertionError: the time is over.
    """
    try:
        return await async_wait_until(what, read, accept, within=within, every=every)
    except WaitTimeout as late:
        raise AssertionError("\n".join(part for part in (str(late), log()) if part)) from late
