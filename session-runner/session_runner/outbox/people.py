"""Who is who: a person's number, LID and `user_id`, each theirs alone.

WhatsApp names people by number, by LID or by both, and which of them it tells first differs. A `user_id` is made once,
and is what programs keep: two people who turn out to be one are joined into the older, whose `user_id` stays; the other's
goes on being understood as an address.
"""

from collections.abc import Callable
from sqlite3 import Connection, Row
from typing import Final

from session_runner.messages.events import Person
from session_runner.messages.incoming import Who

_PREFIX: Final = "ZZ."
""" No country's: those of Meta begin with one. """
_DIGITS: Final = 15
RANDOM_BYTES: Final = 8
KEPT: Final = 400 * 24 * 3600.0
""" Seconds without a word to or from somebody after which they are forgotten; then they are somebody new. """
NOTICED_EVERY: Final = 7 * 24 * 3600.0
""" Seconds after which a word is noted again. """

NewUser = Callable[[], str]


def user_id(random: bytes) -> str:
    """Return a new person's id, of 8 random bytes."""
    first: int = 10 ** (_DIGITS - 1)
    return f"{_PREFIX}{first + int.from_bytes(random) % (9 * first)}"


def resolve(
    database: Connection,
    *,
    number: str | None,
    lid: str | None,
    name: str | None = None,
    new_user: NewUser,
    now: float,
) -> Person:
    """Return the person with this number or LID, and keep what is new about them."""
    by_number, by_lid = _by(database, "number", number), _by(database, "lid", lid)
    if by_number is not None and lid is not None and by_number["lid"] not in (None, lid):
        # WhatsApp has given the number to somebody else.
        database.execute("UPDATE people SET number = NULL WHERE place = ?", (by_number["place"],))
        by_number = None
    if by_number is not None and by_lid is not None and by_number["place"] != by_lid["place"]:
        place = _join(database, by_number, by_lid)
    elif (found := by_number or by_lid) is not None:
        place = int(found["place"])
    else:
        place = database.execute("INSERT INTO people (user_id) VALUES (?)", (new_user(),)).lastrowid or 0
    row = database.execute("SELECT * FROM people WHERE place = ?", (place,)).fetchone()
    known = (number or row["number"], lid or row["lid"], name or row["name"])
    is_old = row["noticed"] is None or row["noticed"] < now - NOTICED_EVERY
    if is_old or known != (row["number"], row["lid"], row["name"]):  # most know nothing new: then nothing is written
        update = "UPDATE people SET number = ?, lid = ?, name = ?, noticed = ? WHERE place = ?"
        database.execute(update, (*known, now, place))
    return Person(user_id=row["user_id"], wa_id=known[0], name=known[2])


def of_page(database: Connection, who: Who, *, new_user: NewUser, now: float, name: str | None = None) -> Person:
    """Return the person that the page tells of, who is no group, and keep what is new about them."""
    user, _, server = who.id.partition("@")
    number, lid = (who.number, who.lid or user) if server == "lid" else (who.number or user, who.lid)
    return resolve(database, number=number, lid=lid, name=name or who.name, new_user=new_user, now=now)


def find_row(database: Connection, user: str) -> Row | None:
    """Return the row of the person with this `user_id`, also of one that was joined into another."""
    found: Row | None = database.execute(
        "SELECT user_id, number, lid, name FROM people WHERE user_id = ?1 "
        "OR place = (SELECT person FROM former_people WHERE user_id = ?1)",
        (user,),
    ).fetchone()
    return found


def find(database: Connection, user: str) -> Person | None:
    """Return the person with this `user_id`, also one that was joined into another; None: there is none."""
    row = find_row(database, user)
    return None if row is None else Person(user_id=row["user_id"], wa_id=row["number"], name=row["name"])


def current(database: Connection, user: str) -> str:
    """Return the `user_id` that somebody has now, by one that they had."""
    row = database.execute(
        "SELECT people.user_id FROM former_people JOIN people ON place = person WHERE former_people.user_id = ?",
        (user,),
    ).fetchone()
    return user if row is None else str(row[0])


def sweep(database: Connection, *, read: float) -> None:
    """Forget whom nobody heard of for long before messages were last read; a session that was away has heard of nobody."""
    database.execute("UPDATE people SET noticed = ? WHERE noticed IS NULL", (read,))
    database.execute(
        "DELETE FROM people WHERE noticed < ? AND NOT EXISTS (SELECT 1 FROM requests WHERE digits = people.number)",
        (read - KEPT,),
    )


def _by(database: Connection, column: str, value: str | None) -> Row | None:
    if value is None:
        return None
    found: Row | None = database.execute(f"SELECT * FROM people WHERE {column} = ?", (value,)).fetchone()  # noqa: S608 -- one of ours
    return found


def _join(database: Connection, one: Row, other: Row) -> int:
    """Make one person of two; return their place."""
    older, newer = sorted((one, other), key=lambda row: int(row["place"]))
    place = int(older["place"])
    database.execute("UPDATE people SET number = NULL, lid = NULL WHERE place IN (?, ?)", (place, newer["place"]))
    database.execute("UPDATE former_people SET person = ? WHERE person = ?", (place, newer["place"]))
    database.execute("DELETE FROM people WHERE place = ?", (newer["place"],))
    database.execute("INSERT INTO former_people VALUES (?, ?)", (newer["user_id"], place))
    # What was seen of the chat is the older one's now, and what is still to be told keeps its order with what follows.
    database.execute("UPDATE OR IGNORE seen SET chat = ? WHERE chat = ?", (older["user_id"], newer["user_id"]))
    database.execute("DELETE FROM seen WHERE chat = ?", (newer["user_id"],))
    for table in ("events", "deliveries"):
        database.execute(f"UPDATE {table} SET chat = ? WHERE chat = ?", (older["user_id"], newer["user_id"]))  # noqa: S608 -- ours
    return place
