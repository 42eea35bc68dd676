"""How many connections a server accepts, which one is closed at the limit, and how long one may take for a request.

A connection costs a socket and a parser before anything is sent on it, so a client that opens many, or sends half a head
on each, could make both servers unreachable for everybody else. A connection that has shown a valid token is counted by
that token, every other one by the peer's address and in total. When the places of an address or of all strangers are
taken, the oldest connection has to go: an honest request is answered within milliseconds, so only those that linger lose
their place.

The kubelet's probe has no token, and may come from an address that others share, such as that of the API server's proxy,
which keeps its connections open. So it gets in like everybody, at once. And it is not pushed out by a flood that comes
behind it before its own request was read: each connection keeps its place for `grace`, and those that come meanwhile are
accepted beyond the limit, up to `most`. A port of its own would not help it: whoever can flood one port can flood two.

`bad_requests` asks here for each connection; nothing here touches a socket or a clock.
"""

from collections import Counter
from collections.abc import Hashable
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)


class Limits(NamedTuple):
    """The limits of one server."""

    head: float = 5.0
    """ Seconds from a connection's start, or from the first byte of a later request, to the end of that request's head;
    and from there to the end of its body. """
    request_bytes: int = 32 << 10
    """ Bytes of one request, its body and what is sent behind it before its answer included. Browsers and proxies stay
    under 16 KiB, and a command's body has half a KiB; routes that take more name how much. """
    piece: float = 30.0
    """ Seconds between two pieces of a body that may be larger. """
    answer: float = 30.0
    """ Seconds for the peer to take what was written. """
    strangers: int = 64
    """ Connections without a valid token, in total. """
    per_peer: int = 8
    """ Of these, from one address. """
    grace: float = 0.5
    """ Seconds for which a connection keeps its place, however many come. """
    most: int = 512
    """ Connections without a valid token, those in their grace included; beyond it the oldest goes at once. """
    per_token: int = 64
    """ Connections that have shown the same token; further ones count as without a token. """


class Closing(StrEnum):
    """Why a connection was closed from this side; a metric's label values."""

    SLOW_HEAD = "slow_head"
    SLOW_BODY = "slow_body"
    LONG_HEAD = "long_head"
    LONG_BODY = "long_body"
    SLOW_READER = "slow_reader"
    PEER_LIMIT = "peer_limit"
    CONNECTION_LIMIT = "connection_limit"


IDLE: Final = 75.0
""" Seconds that a connection may stay open between two requests: longer than a scraper's usual interval, a minute. """


class Leaving(NamedTuple, Generic[T]):
    """A connection that has to be closed, and why.

    `after` so many seconds, and not before what it has sent was looked at; None: at once.
    """

    connection: T
    why: Closing
    after: float | None


class _Place(NamedTuple):
    peer: str
    since: float


class Connections(Generic[T]):
    """The open connections of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._strangers: dict[T, _Place] = {}  # from old to new
        self._leaving: dict[T, _Place] = {}  # their places are given away, but they are in their grace
        self._peers: Counter[str] = Counter()
        self._proven: dict[T, str] = {}
        self._tokens: Counter[str] = Counter()

    def open(self, connection: T, peer: str, now: float) -> list[Leaving[T]]:
        """Add a new connection; return those that have to be closed for it."""
        leaving = []
        if self._peers[peer] >= self._limits.per_peer:
            oldest = next(known for known, its in self._strangers.items() if its.peer == peer)
            leaving.append(self._leave(oldest, Closing.PEER_LIMIT, now))
        elif len(self._strangers) >= self._limits.strangers:
            leaving.append(self._leave(next(iter(self._strangers)), Closing.CONNECTION_LIMIT, now))
        if len(self._strangers) + len(self._leaving) >= self._limits.most:
            oldest = next(iter(self._leaving or self._strangers))
            self.close(oldest)
            leaving.append(Leaving(oldest, Closing.CONNECTION_LIMIT, None))
        self._strangers[connection] = _Place(peer, now)
        self._peers[peer] += 1
        return leaving

    def _leave(self, connection: T, why: Closing, now: float) -> Leaving[T]:
        place = self._strangers[connection]
        self.close(connection)
        self._leaving[connection] = place
        return Leaving(connection, why, max(0.0, place.since + self._limits.grace - now))

    def is_leaving(self, connection: T) -> bool:
        """Whether a connection whose grace is over has to be closed; not if it has shown a valid token meanwhile."""
        return connection in self._leaving

    def prove(self, connection: T, token: str) -> None:
        """Count a connection that has shown a valid token by that token, unless the token's limit is reached."""
        known = connection in self._strangers or connection in self._leaving
        if known and self._tokens[token] < self._limits.per_token:
            self.close(connection)
            self._proven[connection] = token
            self._tokens[token] += 1

    def close(self, connection: T) -> None:
        """Remove a connection; one that is not known is ignored."""
        self._leaving.pop(connection, None)
        place = self._strangers.pop(connection, None)
        if place is not None:
            _uncount(self._peers, place.peer)
        token = self._proven.pop(connection, None)
        if token is not None:
            _uncount(self._tokens, token)


def _uncount(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
