"""The calls that rang, and what was told of them: one function for each transaction.

What the page's list of calls shows becomes rows; what a row has to tell becomes events when there is room, each once. A
call is known by its id, so that one that still rings after a reload is not told again.
"""

from collections.abc import Sequence
from sqlite3 import Connection, Row
from typing import Annotated, Final

from msgspec import Meta, Struct
from session_protocol.vocabulary import WebhookEvent

from session_runner.messages.events import Call, Event
from session_runner.messages.incoming import Who, seconds_of
from session_runner.outbox import events, people
from session_runner.outbox.seen import Taking, chat_of

KEPT: Final = 24 * 3600.0
""" Seconds after which a call is forgotten. """
MOST: Final = 1000
""" Calls that are kept; while all of them are of the last day, a further one is not told. """
RINGS: Final = 300.0
""" Seconds after which a call counts as over although the page still lists it: it may have missed the end. """
_AT_ONCE: Final = 100
_OFFERED: Final = 1
_ENDED: Final = 2


class PageCall(Struct, frozen=True, kw_only=True):
    """A call that rings, as the page gives it."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    who: Who
    group: bool = False
    video: bool = False
    t: float | None = None
    """ When it began, by the caller's clock. """

    def __repr__(self) -> str:
        return "PageCall()"


def note(database: Connection, ringing: Sequence[PageCall], how: Taking) -> int:
    """Note the calls that ring now, and that no other does any more; return how many ring as far as is known."""
    now, listed = how.now.timestamp(), {call.id for call in ringing}
    known = {row["id"]: row for row in database.execute("SELECT id, noted, ended FROM calls")}
    old = [one for one, row in known.items() if row["noted"] < now - KEPT and one not in listed]
    database.executemany("DELETE FROM calls WHERE id = ?", [(one,) for one in old])
    for call in [one for one in ringing if one.id not in known][: max(0, MOST - len(known) + len(old))]:
        chat, _ = chat_of(database, call.who, how)
        offered = now if call.t is None else min(seconds_of(call.t), now)
        database.execute(
            'INSERT OR IGNORE INTO calls (id, chat, "group", video, offered, noted) VALUES (?, ?, ?, ?, ?, ?)',
            (call.id, chat, call.group or call.who.is_group, call.video, offered, now),
        )
    over = [
        one for one, row in known.items() if row["ended"] is None and (one not in listed or row["noted"] < now - RINGS)
    ]
    database.executemany("UPDATE calls SET ended = ? WHERE id = ?", [(now, one) for one in over])
    return int(database.execute("SELECT count(*) FROM calls WHERE ended IS NULL").fetchone()[0])


def rejected(database: Connection, identifier: str, *, now: float) -> None:
    """Note that a call was rejected."""
    database.execute("UPDATE calls SET ended = ?, rejected = 1 WHERE id = ? AND ended IS NULL", (now, identifier))


def publish(database: Connection, how: Taking) -> int:
    """Tell what nobody was told yet, unless so much waits already that nothing is told; return how many events that are."""
    if events.is_full(database, how.deliveries):
        return 0
    rows = database.execute(
        "SELECT * FROM calls WHERE told < iif(ended IS NULL, ?, ?) ORDER BY place LIMIT ?", (_OFFERED, _ENDED, _AT_ONCE)
    ).fetchall()
    count = 0
    for row in rows:
        stage = _OFFERED if row["ended"] is None else _ENDED
        for step in range(row["told"] + 1, stage + 1):
            data = _call(database, row, is_over=step == _ENDED)
            event = Event(id=how.new_event(), type=WebhookEvent.CALL, time=how.now, data=data)
            events.add(database, event, how.deliveries)
            count += 1
        database.execute("UPDATE calls SET told = ? WHERE place = ?", (stage, row["place"]))
    return count


def _call(database: Connection, row: Row, *, is_over: bool) -> Call:
    person = people.find(database, row["chat"])
    return Call(
        id=row["id"],
        chat=row["chat"] if person is None else person.user_id,
        group=bool(row["group"]),
        person=person,
        timestamp=int(row["ended"] if is_over else row["offered"]),
        status=("rejected" if row["rejected"] else "ended") if is_over else "offered",
        video=bool(row["video"]),
    )
