"""The read marks that the page is still to set: one function for each transaction.

A mark is stored before it is answered, because a page that is away for a moment must not lose it. It is gone once the page
has set it, or after a day, and belongs to the account that it was asked for.

One that nobody asked for, because the session's settings say so, is stored with its message and set some seconds later, as a
person would; since the page marks a chat as a whole, it stands for all that wait of its chat.
"""

from sqlite3 import Connection
from typing import Final

from msgspec import Struct

KEPT: Final = 24 * 3600.0
""" Seconds. Nobody looks any more whether a message of yesterday was read. """
MOST: Final = 1000
""" Marks that wait for the page. """
SHORTEST_DELAY: Final = 2.0
LONGEST_DELAY: Final = 6.0
""" Seconds between a message and its own mark. """
LATEST: Final = 12 * 3600.0
""" Seconds. A message that comes later than by this is not marked by itself: whoever wrote it waits for no sign any more. """


class Marking(Struct, frozen=True, kw_only=True):
    """With what messages are marked that come now."""

    account: str | None
    delay: float
    """ Seconds. """


def add(database: Connection, message: str, *, account: str | None, time: float, most: int) -> bool:
    """Store a mark; return whether there was room for it. Asked for again it is the same mark."""
    if int(database.execute("SELECT count(*) FROM read_marks").fetchone()[0]) >= most:
        return database.execute("SELECT 1 FROM read_marks WHERE message = ?", (message,)).fetchone() is not None
    database.execute("INSERT OR IGNORE INTO read_marks VALUES (?, ?, ?)", (message, account, time))
    return True


def receive(database: Connection, message: str, *, chat: str, how: Marking, now: float) -> None:
    """Store the mark of a message that has just come in place of those that wait of its chat, in the turn of the first."""
    waiting = database.execute(
        "SELECT message, accepted FROM read_marks "
        "WHERE EXISTS (SELECT 1 FROM seen WHERE chat = ? AND id = read_marks.message AND NOT own)",
        (chat,),
    ).fetchall()
    for row in waiting:
        remove(database, row["message"])
    time = min([now + how.delay, *(max(now, row["accepted"]) for row in waiting)])
    add(database, message, account=how.account, time=time, most=MOST)


def due(database: Connection, *, account: str | None, now: float, most: int) -> list[str]:
    """Return the messages that the page is to mark, the oldest first; what is too old or another account's is forgotten.

    Some still have a moment; a time far ahead is of a clock that was wrong.
    """
    database.execute("DELETE FROM read_marks WHERE accepted < ? OR account <> ?", (now - KEPT, account))
    rows = database.execute(
        "SELECT message FROM read_marks WHERE (account IS NULL OR account = ?) "
        "AND (accepted <= ? OR accepted > ?) ORDER BY accepted LIMIT ?",
        (account, now, now + LONGEST_DELAY, most),
    )
    return [row["message"] for row in rows]


def upcoming(database: Connection, *, now: float) -> float | None:
    """Return when the first mark is due that still has a moment; None: there is none."""
    row = database.execute(
        "SELECT min(accepted) FROM read_marks WHERE accepted > ? AND accepted <= ?", (now, now + LONGEST_DELAY)
    ).fetchone()
    return None if row[0] is None else float(row[0])


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
