"""The events in the outbox: one function for each transaction.

An event stays for a day, so that a stream that broke can go on where it was; the oldest go first when there is too much.
What webhooks still have to get is in their deliveries, with its bytes, and stays there.
"""

from sqlite3 import Connection
from typing import Final, Protocol

from session_runner.messages.events import Event
from session_runner.values import Private

KEPT: Final = 24 * 3600.0
""" Seconds for which an event stays. """
MOST: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024
""" Rows and bytes that wait for a webhook at most, and that are kept for streams. """
MOST_READ: Final = 1024 * 1024
""" Bytes after which no further event is read with others: each stream holds what it reads. """


class Deliveries(Protocol):
    """Who has to get the events."""

    def add_for(self, database: Connection, event: Event, place: int) -> None:
        """Note, in the event's own transaction, to whom it goes."""

    def waiting(self, database: Connection) -> tuple[int, int]:
        """Return how many events, and bytes, somebody still has to get: of those who wait for most."""


class Stored(Private, frozen=True, kw_only=True):
    """An event as it is sent."""

    hidden = ("body",)

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
    """Whether so much waits that nothing more is read; one event that nobody takes stops nothing."""
    rows, size = deliveries.waiting(database)
    return rows >= MOST or size >= MOST_BYTES


def sweep(database: Connection, *, now: float) -> None:
    """Delete what is older, or more, than is kept."""
    end = newest(database) + 1
    database.execute("DELETE FROM events WHERE time < ? OR place < ?", (now - KEPT, end - MOST))
    # Of the rest the newest that fit.
    database.execute(
        "DELETE FROM events WHERE place IN (SELECT place FROM ("
        "SELECT place, sum(length(body)) OVER (ORDER BY place DESC) AS size FROM events) WHERE size > ?)",
        (MOST_BYTES,),
    )
