"""Looking again and again until something is so: the one loop of cluster, demo, benchmarks and tests.

What was last seen is part of the message when it never becomes so. Nothing waits longer than it must, so a caller's
patience is for a busy machine; where a time is promised, the caller measures it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict, TypeVar, Unpack, overload

import tenacity

from session_devtools.errors import NotInTime

__all__ = ["async_wait_until", "wait_until"]

T = TypeVar("T")
PATIENCE = 180.0
Faults = type[BaseException] | tuple[type[BaseException], ...]


class Times(TypedDict, total=False):
    """How long is waited, in seconds, and which faults of a look are something that is not good yet."""

    within: float
    every: float
    not_yet: Faults
    clock: Callable[[], float]


@overload
def wait_until(what: str, look: Callable[[], T | None], **times: Unpack[Times]) -> T: ...
@overload
def wait_until(
    what: str,
    look: Callable[[], T],
    good: Callable[[T], object],
    *,
    sleep: Callable[[float], None] = time.sleep,
    **times: Unpack[Times],
) -> T: ...
def wait_until(
    what: str,
    look: Callable[[], Any],
    good: Callable[[Any], object] = bool,
    *,
    sleep: Callable[[float], None] = time.sleep,
    **times: Unpack[Times],
) -> Any:
    """Look until what is seen is good (true, if nothing else is said), and return it.

    :raises NotInTime: and every fault of a look that is not among `not_yet` at once.
    """
    policy = _policy(good, **times)
    try:
        return tenacity.Retrying(**policy, sleep=sleep)(look)
    except tenacity.RetryError as error:
        raise _late(what, error, **times) from error.last_attempt.exception()


@overload
async def async_wait_until(what: str, look: Callable[[], Awaitable[T | None]], **times: Unpack[Times]) -> T: ...
@overload
async def async_wait_until(
    what: str, look: Callable[[], Awaitable[T]], good: Callable[[T], object], **times: Unpack[Times]
) -> T: ...
async def async_wait_until(
    what: str, look: Callable[[], Awaitable[Any]], good: Callable[[Any], object] = bool, **times: Unpack[Times]
) -> Any:
    """The same for looks that are awaited."""
    policy = _policy(good, **times)

    async def attempt() -> Any:
        return await look()  # tenacity awaits a coroutine function's answer, and not that of a lambda around one

    try:
        return await tenacity.AsyncRetrying(**policy, sleep=asyncio.sleep)(attempt)
    except tenacity.RetryError as error:
        raise _late(what, error, **times) from error.last_attempt.exception()


def _policy(
    good: Callable[[Any], object],
    *,
    within: float = PATIENCE,
    every: float = 0.05,
    not_yet: Faults = (),
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    deadline = clock() + within
    return {
        "retry": tenacity.retry_if_result(lambda seen: not good(seen)) | tenacity.retry_if_exception_type(not_yet),
        "wait": tenacity.wait_fixed(every),
        "stop": lambda _: clock() >= deadline,
    }


def _late(what: str, error: tenacity.RetryError, *, within: float = PATIENCE, **_: object) -> NotInTime:
    fault = error.last_attempt.exception()
    seen = error.last_attempt.result() if fault is None else fault
    return NotInTime(f"{what}: not within {within:.0f} s; last seen: {str(fault or repr(seen))[:1000]}", seen=seen)
