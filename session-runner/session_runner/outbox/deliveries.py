"""What each webhook still has to get, and what it refused: one function for each transaction.

A delivery is a row with the very bytes that are sent, written in the transaction of its event, and deleted once the
receiver has taken it. Of each chat and webhook only the oldest row is sent. A dead letter is a row that is not tried any
more: it holds up nothing, and may be redriven, in its old place. Times are seconds since 1970.
"""

from collections.abc import Collection
from sqlite3 import Connection
from typing import Final

from msgspec import Struct

from session_runner.messages.events import Event
from session_runner.values import Private

DEAD_KEPT: Final = 7 * 24 * 3600.0
""" Seconds for which a dead letter stays. """
MOST_DEAD: Final = 1000
MOST_DEAD_BYTES: Final = 16 * 1024 * 1024
""" Dead letters of a webhook, and their bodies' bytes; of more the oldest leave. """
REMOVED_KEPT: Final = 3600.0
""" Seconds for which deliveries of a webhook stay that is not in the spec any more: somebody may put it back. """
_DUE: Final = """
SELECT place, id, chat, body, tries, created FROM deliveries
WHERE place IN (SELECT min(place) FROM deliveries WHERE webhook = ? AND dead IS NULL GROUP BY chat) AND (due <= ? OR due > ?)
ORDER BY place LIMIT ?
"""
_NEXT_DUE: Final = """
SELECT min(due) FROM deliveries
WHERE place IN (SELECT min(place) FROM deliveries WHERE webhook = ? AND dead IS NULL GROUP BY chat) AND due > ?
"""
_DELETE_TOO_MANY_DEAD: Final = """
DELETE FROM deliveries WHERE place IN (
  SELECT place FROM (
    SELECT place, row_number() OVER newest AS number, sum(length(body)) OVER newest AS size
    FROM deliveries WHERE webhook = ? AND dead IS NOT NULL WINDOW newest AS (ORDER BY dead DESC, place DESC)
  ) WHERE number > ? OR size > ?
)
"""


class Delivery(Private, frozen=True, kw_only=True):
    """One body for one webhook."""

    hidden = ("chat", "body")

    place: int
    identifier: str
    """ The event's. """
    chat: str
    body: bytes
    tries: int
    created: float


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A delivery that is not tried any more, without its body."""

    identifier: str
    webhook: str
    kind: str
    created: float
    died: float
    tries: int
    problem: str


class Backlog(Struct, frozen=True, kw_only=True):
    """How much waits for one webhook."""

    waiting: int = 0
    oldest: float | None = None
    """ When the oldest was stored. """
    dead: int = 0


def add(database: Connection, event: Event, place: int, *, webhook: str, body: bytes) -> None:
    """Store that a webhook gets an event; the same event again changes nothing."""
    time = event.time.timestamp()
    database.execute(
        "INSERT OR IGNORE INTO deliveries (event, id, kind, webhook, chat, body, created, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (place, event.id, event.type, webhook, event.chat, body, time, 0.0),
    )


def due(database: Connection, *, webhook: str, now: float, longest: float, most: int) -> list[Delivery]:
    """Return the deliveries whose turn it is: of each chat the oldest, if its pause is over.

    :param longest: seconds of the longest pause; a longer one is over: it is from when the clock was ahead.
    """
    rows = database.execute(_DUE, (webhook, now, now + longest, most))
    return [
        Delivery(place=place, identifier=identifier, chat=chat, body=body, tries=tries, created=created)
        for place, identifier, chat, body, tries, created in rows
    ]


def turn(
    database: Connection, *, webhook: str, now: float, longest: float, most: int
) -> tuple[list[Delivery], float | None]:
    """Return the deliveries whose turn it is, and when the next pause is over; None: nobody waits for one."""
    row = database.execute(_NEXT_DUE, (webhook, now)).fetchone()
    waiting = due(database, webhook=webhook, now=now, longest=longest, most=most)
    return waiting, None if row[0] is None else float(row[0])


def delivered(database: Connection, place: int) -> None:
    """Forget a delivery that was taken."""
    database.execute("DELETE FROM deliveries WHERE place = ?", (place,))


def failed(database: Connection, place: int, *, due_at: float, problem: str) -> None:
    """Note a try that came to nothing, and when the next one is."""
    database.execute(
        "UPDATE deliveries SET tries = tries + 1, due = ?, problem = ? WHERE place = ?", (due_at, problem, place)
    )


def died(database: Connection, place: int, *, webhook: str, now: float, problem: str) -> int:
    """Make a dead letter of a delivery; return how many others left for it."""
    database.execute(
        "UPDATE deliveries SET tries = tries + 1, dead = ?, problem = ? WHERE place = ?", (now, problem, place)
    )
    return database.execute(_DELETE_TOO_MANY_DEAD, (webhook, MOST_DEAD, MOST_DEAD_BYTES)).rowcount


def hurry(database: Connection, *, webhook: str) -> None:
    """End the pauses of a webhook, whose receiver is another now."""
    database.execute("UPDATE deliveries SET due = 0 WHERE webhook = ? AND dead IS NULL", (webhook,))


def dead_letters(database: Connection, *, webhook: str | None, most: int) -> list[DeadLetter]:
    """Return the dead letters of a webhook, or of all, the newest first."""
    rows = database.execute(
        "SELECT id, webhook, kind, created, dead, tries, problem FROM deliveries "
        "WHERE dead IS NOT NULL AND (? IS NULL OR webhook = ?) ORDER BY dead DESC, place DESC LIMIT ?",
        (webhook, webhook, most),
    )
    return [
        DeadLetter(
            identifier=row["id"],
            webhook=row["webhook"],
            kind=row["kind"],
            created=row["created"],
            died=row["dead"],
            tries=row["tries"],
            problem=row["problem"],
        )
        for row in rows
    ]


def redrive(database: Connection, *, webhook: str | None, identifiers: Collection[str] | None, now: float) -> int:
    """Let dead letters be tried again, in their old places, as long as new ones; return how many there are."""
    wanted = "" if identifiers is None else f" AND id IN ({','.join('?' * len(identifiers))})"
    return database.execute(
        "UPDATE deliveries SET dead = NULL, due = 0, tries = 0, created = ? "  # noqa: S608 -- question marks
        f"WHERE dead IS NOT NULL AND (? IS NULL OR webhook = ?){wanted}",
        (now, webhook, webhook, *(identifiers or ())),
    ).rowcount


def backlog(database: Connection) -> dict[str, Backlog]:
    """Return how much waits, by webhook; those that have nothing are missing."""
    rows = database.execute(
        "SELECT webhook, count(*) FILTER (WHERE dead IS NULL) AS waiting, min(created) FILTER (WHERE dead IS NULL) AS oldest, "
        "count(*) FILTER (WHERE dead IS NOT NULL) AS dead FROM deliveries GROUP BY webhook"
    )
    return {row["webhook"]: Backlog(waiting=row["waiting"], oldest=row["oldest"], dead=row["dead"]) for row in rows}


def most_waiting(database: Connection) -> tuple[int, int]:
    """Return the rows, and the bytes, of the webhooks that wait for most; a dead letter waits for a person."""
    row = database.execute(
        "SELECT coalesce(max(number), 0), coalesce(max(size), 0) FROM (SELECT count(*) AS number, "
        "sum(length(body)) AS size FROM deliveries WHERE dead IS NULL GROUP BY webhook)"
    ).fetchone()
    return int(row[0]), int(row[1])


def sweep(database: Connection, *, now: float, webhooks: Collection[str]) -> None:
    """Delete dead letters that are too old, and what waits for webhooks that are gone."""
    database.execute("DELETE FROM deliveries WHERE dead < ?", (now - DEAD_KEPT,))
    marks = ",".join("?" * len(webhooks))
    database.execute(
        f"DELETE FROM deliveries WHERE webhook NOT IN ({marks}) AND created < ?",  # noqa: S608 -- question marks
        (*webhooks, now - REMOVED_KEPT),
    )
