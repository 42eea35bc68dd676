"""The read marks that the page is still to set: one function for each transaction.

A mark is stored before it is answered, because a page that is away for a moment must not lose it. It is gone once the page
has set it, or after a day, and belongs to the account that it was asked for.
"""

from sqlite3 import Connection
from typing import Final

KEPT: Final = 24 * 3600.0
""" Seconds. Nobody looks any more whether a message of yesterday was read. """


def add(database: Connection, message: str, *, account: str | None, time: float, most: int) -> bool:
    """Store a mark; return whether there was room for it. Asked for again it is the same mark."""
    if int(database.execute("SELECT count(*) FROM read_marks").fetchone()[0]) >= most:
        return database.execute("SELECT 1 FROM read_marks WHERE message = ?", (message,)).fetchone() is not None
    database.execute("INSERT OR IGNORE INTO read_marks VALUES (?, ?, ?)", (message, account, time))
    return True


def due(database: Connection, *, account: str | None, now: float, most: int) -> list[str]:
    """Return the messages that the page is to mark, the oldest first; what is too old or another account's is forgotten."""
    database.execute("DELETE FROM read_marks WHERE accepted < ? OR account <> ?", (now - KEPT, account))
    rows = database.execute(
        "SELECT message FROM read_marks WHERE account IS NULL OR account = ? ORDER BY accepted LIMIT ?", (account, most)
    )
    return [row["message"] for row in rows]


def chats(database: Connection, message: str) -> list[str]:
    """Return under which ids the page may know the chat of a message of somebody else; empty: nobody has told of it."""
    rows = database.execute(
        "SELECT people.number, people.lid FROM seen JOIN people ON people.user_id = seen.chat "
        "WHERE seen.id = ? AND NOT seen.own",
        (message,),
    )
    return [
        f"{user}@{server}" for row in rows for user, server in ((row["lid"], "lid"), (row["number"], "c.us")) if user
    ]


def remove(database: Connection, message: str) -> None:
    """Note that a mark is settled."""
    database.execute("DELETE FROM read_marks WHERE message = ?", (message,))


def clear(database: Connection) -> None:
    """Forget all of them: no phone is linked."""
    database.execute("DELETE FROM read_marks")
