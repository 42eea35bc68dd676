"""Looking again and again until something is so: the one loop of cluster, demo, benchmarks and tests.

What was last seen is part of the message when it never becomes so. Nothing waits longer than it must, so a caller's
patience is for a busy machine; where a time is promised, the caller measures it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict, TypeVar, Unpack, overload

import tenacity

from session_devtools.errors import WaitTimeout

__all__ = ["async_wait_until", "wait_until"]

T = TypeVar("T")
DEFAULT_TIMEOUT = 180.0
Errors = type[BaseException] | tuple[type[BaseException], ...]


class WaitOptions(TypedDict, total=False):
    """How long is waited, in seconds, and which faults of a look are something that is not good yet."""

    within: float
    every: float
    retry_on: Errors
    clock: Callable[[], float]


@overload
def wait_until(what: str, probe: Callable[[], T | None], **options: Unpack[WaitOptions]) -> T: ...
@overload
def wait_until(
    what: str,
    probe: Callable[[], T],
    is_done: Callable[[T], object],
    *,
    sleep: Callable[[float], None] = time.sleep,
    **options: Unpack[WaitOptions],
) -> T: ...
def wait_until(
    what: str,
    probe: Callable[[], Any],
    is_done: Callable[[Any], object] = bool,
    *,
    sleep: Callable[[float], None] = time.sleep,
    **options: Unpack[WaitOptions],
) -> Any:
    """Look until what is seen is good (true, if nothing else is said), and return it.

    :raises WaitTimeout: the time is over. Every fault of a look that is not among `retry_on` goes on at once.
    """
    policy = _policy(is_done, **options)
    try:
        return tenacity.Retrying(**policy, sleep=sleep)(probe)
    except tenacity.RetryError as error:
        raise _timed_out(what, error, **options) from error.last_attempt.exception()


@overload
async def async_wait_until(
    what: str, probe: Callable[[], Awaitable[T | None]], **options: Unpack[WaitOptions]
) -> T: ...
@overload
async def async_wait_until(
    what: str, probe: Callable[[], Awaitable[T]], is_done: Callable[[T], object], **options: Unpack[WaitOptions]
) -> T: ...
async def async_wait_until(
    what: str,
    probe: Callable[[], Awaitable[Any]],
    is_done: Callable[[Any], object] = bool,
    **options: Unpack[WaitOptions],
) -> Any:
    """The same for looks that are awaited."""
    policy = _policy(is_done, **options)

    async def attempt() -> Any:
        return await probe()  # tenacity awaits a coroutine function's answer, and not that of a lambda around one

    try:
        return await tenacity.AsyncRetrying(**policy, sleep=asyncio.sleep)(attempt)
    except tenacity.RetryError as error:
        raise _timed_out(what, error, **options) from error.last_attempt.exception()


def _policy(
    is_done: Callable[[Any], object],
    *,
    within: float = DEFAULT_TIMEOUT,
    every: float = 0.05,
    retry_on: Errors = (),
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    deadline = clock() + within
    return {
        "retry": tenacity.retry_if_result(lambda seen: not is_done(seen)) | tenacity.retry_if_exception_type(retry_on),
        "wait": tenacity.wait_fixed(every),
        "stop": lambda _: clock() >= deadline,
    }


def _timed_out(what: str, error: tenacity.RetryError, *, within: float = DEFAULT_TIMEOUT, **_: object) -> WaitTimeout:
    error_seen = error.last_attempt.exception()
    seen = error.last_attempt.result() if error_seen is None else error_seen
    return WaitTimeout(
        f"{what}: not within {within:.0f} s; last seen: {str(error_seen or repr(seen))[:1000]}", seen=seen
    )
