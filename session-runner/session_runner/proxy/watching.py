"""What the monitor needs of the relay to a session's proxy: what is wrong, and whether another try is worth it."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from session_runner.states.proxy_failures import ProxyFailure

LOGIN_CHECK_SECONDS = 5.0
""" Between two looks at the proxy's login while a try is waited for: a changed one ends the pause. """


class WatchedProxy(Protocol):
    """What `relay.Relay` tells."""

    @property
    def failure(self) -> ProxyFailure | None:
        """What is wrong with it now."""

    def let_in(self) -> None:
        """Take note that the page has its connection."""

    def has_new_login(self) -> bool:
        """Whether another login is there than the one that failed."""


async def wait_for_try(
    seconds: float, *, proxy: WatchedProxy | None, died: asyncio.Future[Any], monotonic: Callable[[], float]
) -> None:
    """Wait, until the browser dies at the latest, or the proxy is given another login."""
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0 and not died.done():
        await asyncio.wait({died}, timeout=left if proxy is None else min(left, LOGIN_CHECK_SECONDS))
        if proxy is not None and proxy.has_new_login():
            return
