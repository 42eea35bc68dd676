"""What pacing reads of the outbox and notes there: one function for each transaction.

A message to somebody who has never written is noted as such when it is accepted, if the page tells, else before its turn.
Whoever writes meanwhile is none any more, by what was seen of the chat. A row is kept for a week, and what counts goes back
for a day.
"""

import sqlite3
from collections.abc import Mapping
from sqlite3 import Connection
from typing import Final

import msgspec
from msgspec import Struct

from session_runner.messages.incoming import SILENT
from session_runner.messages.pacing import DAY, FREE_KINDS, HandedOver, Queued, Spent
from session_runner.messages.progress import WAITING, Progress

MOST_READ: Final = 5000
""" Messages that are looked back at, far beyond any budget: an account that was not held sent more. """
_NO_MESSAGES: Final = msgspec.json.encode(sorted(SILENT)).decode()
_FREE: Final = msgspec.json.encode(FREE_KINDS).decode()


class View(Struct, frozen=True, kw_only=True):
    """What a plan is made of."""

    queue: tuple[Queued, ...]
    spent: Spent


def view(database: Connection, *, account: str | None, memory: float | None, now: float, adding: bool = False) -> View:
    """Return what waits for this account's page, in its order, and what it was given, as far back as it counts.

    :param memory: seconds for which all messages count; None: nothing counts.
    :param adding: whether another message is to be planned behind what waits; else nothing counts where nothing waits.
    """
    queue = _queue(database, account)
    if memory is None or not (queue or adding):
        return View(queue=queue, spent=Spent())
    messages = database.execute(
        "SELECT digits, handed FROM requests WHERE handed > ? AND (account IS NULL OR account = ?) "
        "AND kind NOT IN (SELECT value FROM json_each(?)) ORDER BY handed DESC LIMIT ?",
        (now - memory, account, _FREE, MOST_READ),
    )
    contacts = database.execute(
        "SELECT digits, min(handed) AS handed FROM requests WHERE stranger = 1 AND handed > ? "
        "AND (account IS NULL OR account = ?) GROUP BY digits ORDER BY handed DESC LIMIT ?",
        (now - DAY, account, MOST_READ),
    )
    return View(queue=queue, spent=Spent(messages=_handed_over(messages), first_contacts=_handed_over(contacts)))


def classify(database: Connection, strangers: Mapping[str, bool]) -> None:
    """Note who of these numbers has never written, for what waits and does not know it."""
    database.executemany(
        "UPDATE requests SET stranger = ? WHERE digits = ? AND stranger IS NULL AND progress IN (?, ?) "
        "AND kind NOT IN (SELECT value FROM json_each(?))",
        [(stranger, digits, *WAITING, _FREE) for digits, stranger in strangers.items()],
    )


def is_known(database: Connection, digits: str) -> None:
    """Note that the person has written: what waits for them is no first contact any more."""
    database.execute("UPDATE requests SET stranger = 0 WHERE digits = ? AND progress IN (?, ?)", (digits, *WAITING))


def _queue(database: Connection, account: str | None) -> tuple[Queued, ...]:
    rows = database.execute(
        "SELECT id, digits, accepted, progress, stranger, to_prepare, kind IN (SELECT value FROM json_each(?)) AS free, "
        "coalesce(stranger, 1) AND EXISTS (SELECT 1 FROM people JOIN seen ON seen.chat = people.user_id "
        "WHERE people.number = digits AND seen.own = 0 AND type NOT IN (SELECT value FROM json_each(?))) AS wrote "
        "FROM requests WHERE progress IN (?, ?) AND (account IS NULL OR account = ?) ORDER BY place",
        (_FREE, _NO_MESSAGES, *WAITING, account),
    )
    held: set[str] = set()
    queue = []
    for row in rows:
        if row["to_prepare"]:
            held.add(row["digits"])
        queue.append(_queued(row, held=row["digits"] in held))
    return tuple(queue)


def _queued(row: sqlite3.Row, *, held: bool) -> Queued:
    return Queued(
        identifier=row["id"],
        chat=row["digits"],
        accepted=row["accepted"],
        is_free=bool(row["free"]),
        to_stranger=False if row["wrote"] else None if row["stranger"] is None else bool(row["stranger"]),
        begun=row["progress"] == Progress.HANDING_OVER,
        held=held,
    )


def _handed_over(rows: sqlite3.Cursor) -> tuple[HandedOver, ...]:
    return tuple(HandedOver(row["digits"], row["handed"]) for row in reversed(rows.fetchall()))
