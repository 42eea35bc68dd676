"""The messages whose file is fetched or converted before they go on: one function for each transaction.

They wait as all others do, with the mark `to_prepare`. Each try is noted before it is made, so that a file which ends its
runner is not tried for ever.
"""

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Final

import msgspec

from session_runner.messages.contents import File, MediaContent, read_stored, stored
from session_runner.messages.progress import WAITING, Progress
from session_runner.outbox import media, requests
from session_runner.outbox.media import Medium
from session_runner.values import Private

MOST: Final = 50
""" Messages that are looked at together. """


class ToPrepare(Private, frozen=True, kw_only=True):
    """A message whose file is not there yet."""

    hidden = ("content",)

    identifier: str
    content: MediaContent
    tries: int
    accepted: float


def due(database: Connection, *, but: Sequence[str] = ()) -> list[ToPrepare]:
    """Return them, the oldest first, without those of which it is not the time: however many, they hold up no other."""
    rows = database.execute(
        "SELECT id, kind, content, tries, accepted FROM requests WHERE to_prepare = 1 AND progress IN (?, ?) "
        "AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY place LIMIT ?",
        (*WAITING, msgspec.json.encode(but).decode(), MOST),
    )
    found = ((row, read_stored(row["kind"], row["content"])) for row in rows)
    return [
        ToPrepare(identifier=row["id"], content=content, tries=row["tries"], accepted=row["accepted"])
        for row, content in found
        if isinstance(content, File)
    ]


def begin(database: Connection, identifier: str) -> None:
    """Note, before it happens, that its file is fetched or converted."""
    database.execute("UPDATE requests SET tries = tries + 1 WHERE id = ?", (identifier,))


def take_back(database: Connection, identifier: str) -> None:
    """Note that a try was none: there was no room for the file."""
    database.execute("UPDATE requests SET tries = max(0, tries - 1) WHERE id = ?", (identifier,))


def failed(database: Connection, identifier: str, *, error: int, problem: str, time: float) -> bool:
    """Note that the file of a message cannot be had; return whether it still waited for it."""
    waits = database.execute(
        "SELECT 1 FROM requests WHERE id = ? AND to_prepare = 1 AND progress IN (?, ?)", (identifier, *WAITING)
    ).fetchone()
    if waits is None:
        return False
    requests.record(database, identifier, Progress.FAILED, time=time, error=error, problem=problem)
    return True


def prepared(database: Connection, identifier: str, *, content: MediaContent, medium: Medium) -> bool:
    """Note the file of a message, which goes on now; return whether it still waited for it."""
    waits = database.execute(
        "UPDATE requests SET content = ?, to_prepare = 0, tries = 0 "
        "WHERE id = ? AND to_prepare = 1 AND progress IN (?, ?)",
        (stored(content), identifier, *WAITING),
    )
    if waits.rowcount == 0:
        return False
    media.add(database, medium)
    return True
