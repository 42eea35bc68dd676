"""How many connections a server accepts, and which one is closed at the limit.

A connection costs a socket and a parser before anything is sent. So a peer that opens many, or sends half a head on
each, could block both servers for everybody else. Connections that have shown a valid token are limited per token, all
others per peer address and in total. At the total limit the oldest one without a token is closed: an honest request,
the kubelet's probe included, is answered within milliseconds, so only those that hold a connection open lose it.
`bad_requests` calls this for each connection; nothing here knows a socket.
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
    """ Connections without a valid token, all together. """
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
        """Add a new connection; return the one to close, and why, or None. It may be the new one itself."""
        if self._peers[peer] >= self._limits.per_peer:
            return connection, Closing.PEER_LIMIT
        oldest = next(iter(self._strangers)) if len(self._strangers) >= self._limits.strangers else None
        if oldest is not None:
            self.close(oldest)
        self._strangers[connection] = peer
        self._peers[peer] += 1
        return None if oldest is None else (oldest, Closing.CONNECTION_LIMIT)

    def prove(self, connection: T, token: str) -> None:
        """Count a connection that has shown a valid token by that token, unless the token's limit is reached."""
        if connection in self._strangers and self._tokens[token] < self._limits.per_token:
            self.close(connection)
            self._proven[connection] = token
            self._tokens[token] += 1

    def close(self, connection: T) -> None:
        """Remove a connection; an unknown one is ignored."""
        for known, counts in ((self._strangers, self._peers), (self._proven, self._tokens)):
            name = known.pop(connection, None)
            if name is not None:
                counts[name] -= 1
                counts += Counter()  # drops what is at zero
