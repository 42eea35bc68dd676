"""Connections to where somebody's settings or links lead: past no proxy, and only to addresses that the guard allows.

The guard is asked with the very address that a socket is about to connect to, so that a name which has another address by
then is judged by that one. `sender` and `media.links` are all that sends HTTP out of the runner.
"""

import contextlib
import functools
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from session_protocol.public_addresses import Address, meant

from session_runner.webhooks.guard import Destinations, Target, refusal

CONNECT: Final = 5.0
""" Seconds. """
LONGEST_HEADER: Final = 64 * 1024
""" Bytes of a line of an answer's head: a longer one is no answer, and what was sent is sent again. """
Guard = Callable[[Address, Target, Destinations], str | None]


class GuardedSockets:
    """Makes the sockets of connections to one target."""

    def __init__(self, target: Target, destinations: Destinations, guard: Guard) -> None:
        self.target = target
        self._destinations = destinations
        self._guard = guard
        self.refusal: str | None = None
        """ What the guard said last. """

    def __call__(self, info: Any) -> socket.socket:
        """Return a socket for the address that will be connected to. :raises OSError: nothing may go there."""
        family, kind, protocol, _, address = info
        known = ipaddress.ip_address(address[0].partition("%")[0])
        why = self._guard(known, self.target, self._destinations)
        if why is None and self._guard is refusal and _is_own(meant(known)):
            why = f"{self.target.whose} is the session's own pod, to which nothing is sent."
        if why is not None:
            self.refusal = why
            raise OSError(why)
        return socket.socket(family, kind, protocol)


def open_connections(
    sockets: GuardedSockets, *, extra_ca: Path | None, at_once: int, timeout: aiohttp.ClientTimeout
) -> aiohttp.ClientSession:
    """Return what sends requests to the sockets' target, and to no other host's: redirects are the caller's."""
    connector = aiohttp.TCPConnector(
        ssl=_trust(extra_ca) if sockets.target.scheme == "https" else True, limit=at_once, socket_factory=sockets
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
        headers={"User-Agent": "whatsapp-session-operator", "Accept-Encoding": "identity"},
    )


def target_of(url: str, *, whose: str = "The webhook's host") -> Target:
    """Return what an address says of its connection."""
    parts = urlsplit(url)
    with contextlib.suppress(ValueError):
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Target(scheme=parts.scheme, host=parts.hostname or "", port=port, whose=whose)
    return Target(scheme=parts.scheme, host="", port=0, whose=whose)  # a port that is none: no connection is made


def _is_own(address: Address) -> bool:
    """Whether an address is the pod's own: the kernel then sends from the address itself."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((str(address), 9))  # which sends nothing
        return bool(probe.getsockname()[0] == str(address))
    return False


@functools.lru_cache(maxsize=1)
def _trust(extra_ca: Path | None) -> ssl.SSLContext:
    """Return whom TLS trusts: the image's authorities and those that the operator adds. Made when it is first needed."""
    context = ssl.create_default_context()
    if extra_ca is not None:
        with contextlib.suppress(OSError, ssl.SSLError):
            context.load_verify_locations(cafile=extra_ca)
    return context
