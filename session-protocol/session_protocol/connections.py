"""How many connections a server accepts, and which one is closed at the limit.

A connection costs a socket and a parser before anything is sent on it, so a client that opens many, or sends half a head
on each, could make both servers unreachable for everybody else. A connection that has shown a valid token is counted by
that token, every other one by the peer's address and in total. At the limit of an address, or
of all without a token, the oldest connection is closed: a normal request is answered within milliseconds, so only idle
ones are closed. The kubelet's probe is accepted even from a shared address, such as that of the API server's proxy, which keeps
its connections open. `bad_requests` asks here for each connection; nothing here touches a socket.
"""

from collections import Counter
from collections.abc import Hashable
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)


class Limits(NamedTuple):
    """The limits of one server."""

    head: float = 5.0
    """ Seconds from a connection's start, or from the first byte of a later request, to the end of that request's head. """
    head_bytes: int = 32 << 10
    """ Bytes of one request's head. Browsers and proxies stay under 16 KiB. """
    strangers: int = 64
    """ Connections without a valid token, in total. """
    per_peer: int = 8
    """ Of these, from one address. """
    per_token: int = 64
    """ Connections that have shown the same token; further ones count as without a token. """


class Closing(StrEnum):
    """Why a connection was closed from this side; a metric's label values."""

    SLOW_HEAD = "slow_head"
    LONG_HEAD = "long_head"
    PEER_LIMIT = "peer_limit"
    CONNECTION_LIMIT = "connection_limit"


IDLE: Final = 75.0
""" Seconds that a connection may stay open between two requests: longer than a scraper's usual interval, a minute. """


class Connections(Generic[T]):
    """The open connections of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._strangers: dict[T, str] = {}  # from old to new
        self._peers: Counter[str] = Counter()
        self._proven: dict[T, str] = {}
        self._tokens: Counter[str] = Counter()

    def open(self, connection: T, peer: str) -> tuple[T, Closing] | None:
        """Add a new connection; return the one that has to be closed for it, and why."""
        goes: tuple[T, Closing] | None = None
        if self._peers[peer] >= self._limits.per_peer:
            goes = next(known for known, its in self._strangers.items() if its == peer), Closing.PEER_LIMIT
        elif len(self._strangers) >= self._limits.strangers:
            goes = next(iter(self._strangers)), Closing.CONNECTION_LIMIT
        if goes is not None:
            self.close(goes[0])
        self._strangers[connection] = peer
        self._peers[peer] += 1
        return goes

    def prove(self, connection: T, token: str) -> None:
        """Count a connection that has shown a valid token by that token, unless the token's limit is reached."""
        if connection in self._strangers and self._tokens[token] < self._limits.per_token:
            self.close(connection)
            self._proven[connection] = token
            self._tokens[token] += 1

    def close(self, connection: T) -> None:
        """Remove a connection; one that is not known is ignored."""
        for known, counts in ((self._strangers, self._peers), (self._proven, self._tokens)):
            name = known.pop(connection, None)
            if name is not None:
                counts[name] -= 1
                counts += Counter()  # drops what is at zero
