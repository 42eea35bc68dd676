"""The events in the outbox: one function for each transaction.

An event stays as long as a webhook has not got it. What no webhook waits for stays for a day, so that a stream that broke
can go on where it was; of that the oldest go first when there is too much of it.
"""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final, Protocol

from session_runner.messages.events import Event

KEPT: Final = 24 * 3600.0
""" Seconds for which an event stays that nobody waits for. """
MOST: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024
""" Rows and bytes that wait at most, and beside them that are kept for streams. """
MOST_READ: Final = 1024 * 1024
""" Bytes after which no further event is read with others: each stream holds what it reads. """


class Deliveries(Protocol):
    """Who has to get the events."""

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Note, in the event's own transaction, to whom it goes."""

    def oldest_waiting(self, database: Connection) -> int | None:
        """Return the place of the oldest event that somebody still has to get."""


class NoDeliveries:
    """Nobody."""

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Nothing."""

    def oldest_waiting(self, database: Connection) -> int | None:
        """None."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An event as it is sent."""

    place: int
    id: str
    kind: str
    body: bytes


def add(database: Connection, event: Event, deliveries: Deliveries) -> None:
    """Store an event together with who has to get it."""
    row = (event.id, event.type, event.chat, event.time.timestamp(), event.body())
    place = database.execute("INSERT INTO events (id, kind, chat, time, body) VALUES (?, ?, ?, ?, ?)", row).lastrowid
    deliveries.add_for(database, event, place or 0)


def after(database: Connection, place: int, *, most: int) -> list[Stored]:
    """Return events behind a place, in their order: at least one if there is any."""
    found, size = [], 0
    for row in database.execute(
        "SELECT place, id, kind, body FROM events WHERE place > ? ORDER BY place LIMIT ?", (place, most)
    ):
        found.append(Stored(place=row["place"], id=row["id"], kind=row["kind"], body=row["body"]))
        size += len(row["body"])
        if size >= MOST_READ:
            break
    return found


def newest(database: Connection) -> int:
    """Return the place of the newest event there has been; 0: there was none."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return 0 if row is None else int(row["seq"])


def place_of(database: Connection, identifier: str) -> int | None:
    """Return the place of an event; None: it is not here, or no more."""
    row = database.execute("SELECT place FROM events WHERE id = ?", (identifier,)).fetchone()
    return None if row is None else int(row["place"])


def is_full(database: Connection, deliveries: Deliveries) -> bool:
    """Whether so much waits that nothing more is read."""
    oldest = deliveries.oldest_waiting(database)
    if oldest is None:
        return False
    rows, size = database.execute(
        "SELECT count(*), coalesce(sum(length(body)), 0) FROM events WHERE place >= ?", (oldest,)
    ).fetchone()
    return bool(rows >= MOST or size >= MOST_BYTES)


def sweep(database: Connection, *, now: float, deliveries: Deliveries) -> None:
    """Delete what nobody waits for and is older, or more, than is kept."""
    oldest = deliveries.oldest_waiting(database)
    end = newest(database) + 1 if oldest is None else oldest
    database.execute("DELETE FROM events WHERE place < ? AND (time < ? OR place < ?)", (end, now - KEPT, end - MOST))
    # Of the rest the newest that fit.
    database.execute(
        "DELETE FROM events WHERE place IN (SELECT place FROM ("
        "SELECT place, sum(length(body)) OVER (ORDER BY place DESC) AS size FROM events WHERE place < ?) WHERE size > ?)",
        (end, MOST_BYTES),
    )
