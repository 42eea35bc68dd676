"""How far the history has been brought to the webhooks that want it: one function for each transaction.

A backfill is a row, with a row for each chat that is still to be read and where in it the next piece begins. A chunk is
one delivery for that webhook alone, and is stored together with the new place: a runner that dies leaves neither a gap
nor a double. Chunks are delivered one after the other, beside all chats, and few of them wait at any time.
"""

from collections.abc import Callable, Collection, Sequence
from sqlite3 import Connection
from typing import Final

import msgspec
from session_protocol.vocabulary import WebhookEvent

from session_runner.messages.events import HISTORY_ORDER, Event, History, Message, Person
from session_runner.messages.incoming import PageMessage, Who
from session_runner.outbox import deliveries
from session_runner.outbox.seen import DAY, Taking, old_message
from session_runner.values import Private

FORGOTTEN: Final = 15 * 60.0
""" Seconds after which a webhook that does not want its history any more counts as one that never did: a process that has
just begun may go by older settings for a while. """
MOST_CHATS: Final = 10_000
CHUNK_BYTES: Final = 256 * 1024
MOST_WAITING: Final = 16
""" Chunks that wait for one webhook; then nothing more is read of the history until there is room. """
_LAST: Final = 180
""" Days: at Meta the last phase of a history ends with them. """


class Backfill(Private, frozen=True, kw_only=True):
    """What is next for one webhook."""

    hidden = ("who", "next")

    webhook: str
    listed: bool
    """ Whether its chats are known. """
    place: int | None = None
    """ Of the next chat; None: there is none left. """
    who: Who | None = None
    next: str | None = None
    """ The key before which the next piece begins; None: at the newest. """


class Receiver(Private, frozen=True, kw_only=True):
    """A webhook that wants the history."""

    hidden = ("body",)

    name: str
    groups: bool
    body: Callable[[Event], bytes | None]
    """ Returns an event as it is sent there; None: it is not. """


def unfinished(database: Connection, webhooks: Collection[str], *, linked: float, now: float) -> list[Backfill]:
    """Return what is next for the webhooks that want the history; a new link has a history of its own."""
    marks = ",".join("?" * len(webhooks))
    unwanted = f"webhook NOT IN ({marks})"  # question marks
    database.execute("DELETE FROM backfills WHERE linked <> ? OR unwanted < ?", (linked, now - FORGOTTEN))
    database.execute(f"UPDATE backfills SET unwanted = ? WHERE unwanted IS NULL AND {unwanted}", (now, *webhooks))  # noqa: S608
    database.execute(
        f"UPDATE backfills SET unwanted = NULL WHERE unwanted IS NOT NULL AND NOT ({unwanted})",  # noqa: S608
        tuple(webhooks),
    )
    database.executemany(
        "INSERT OR IGNORE INTO backfills (webhook, linked) VALUES (?, ?)", [(webhook, linked) for webhook in webhooks]
    )
    rows = database.execute(
        "SELECT backfills.webhook, chats, place, who, next FROM backfills LEFT JOIN backfill_chats ON place = "
        "(SELECT min(place) FROM backfill_chats WHERE webhook = backfills.webhook) WHERE NOT over AND unwanted IS NULL"
    )
    return [
        Backfill(
            webhook=row["webhook"],
            listed=row["chats"] is not None,
            place=row["place"],
            who=None if row["who"] is None else msgspec.json.decode(row["who"], type=Who),
            next=row["next"],
        )
        for row in rows
    ]


def has_room(database: Connection, webhook: str) -> bool:
    """Whether few chunks wait, and none was refused: that is for a person to see before the others follow."""
    waiting, dead = database.execute(
        "SELECT count(*) FILTER (WHERE dead IS NULL), count(*) FILTER (WHERE dead IS NOT NULL) FROM deliveries "
        "WHERE webhook = ? AND chat = ?",
        (webhook, HISTORY_ORDER),
    ).fetchone()
    return int(waiting) < MOST_WAITING and not dead


def listed(database: Connection, to: Receiver, chats: Sequence[Who]) -> None:
    """Note the chats whose history is to be read, in this order."""
    wanted = [who for who in chats if to.groups or not who.is_group][:MOST_CHATS]
    rows = [(to.name, msgspec.json.encode(who)) for who in wanted]
    database.executemany("INSERT INTO backfill_chats (webhook, who) VALUES (?, ?)", rows)
    database.execute("UPDATE backfills SET chats = ? WHERE webhook = ?", (len(wanted), to.name))


def take(
    database: Connection,
    messages: Sequence[PageMessage],
    *,
    at: Backfill,
    to: Receiver,
    next_key: str | None,
    how: Taking,
) -> None:
    """Store a piece of a chat, oldest message first, as a chunk, and where the next one begins.

    :param next_key: before which there is more; None: the chat is over.
    """
    kept: list[Message] = []
    person: Person | None = None
    size = 0
    for message in reversed(messages):
        made, person = old_message(database, message, how)
        size += len(msgspec.json.encode(made))
        if kept and size > CHUNK_BYTES:
            break
        kept.append(made)
        if size > CHUNK_BYTES:
            break
    if len(kept) < len(messages):
        next_key = messages[-len(kept)].key
    if next_key is None:
        database.execute("DELETE FROM backfill_chats WHERE place = ?", (at.place,))
    else:
        database.execute("UPDATE backfill_chats SET next = ? WHERE place = ?", (next_key, at.place))
    if kept:
        newest = kept[0]
        days = max(0, int((how.reading.linked - newest.timestamp) // DAY))
        chunk = History(
            chat=newest.chat,
            group=newest.group,
            person=person,
            messages=tuple(reversed(kept)),
            chunk=_next_chunk(database, to.name),
            progress=min(99, _progress(database, to.name)),
            days=days,
        )
        _deliver(database, chunk, to=to, how=how)


def skip(database: Connection, at: Backfill) -> None:
    """Go on with the next chat."""
    database.execute("DELETE FROM backfill_chats WHERE place = ?", (at.place,))


def finish(database: Connection, *, to: Receiver, how: Taking) -> None:
    """Tell that all has been brought."""
    database.execute("UPDATE backfills SET over = 1 WHERE webhook = ?", (to.name,))
    last = History(chat="", chunk=_next_chunk(database, to.name), progress=100, days=_LAST)
    _deliver(database, last, to=to, how=how)


def _deliver(database: Connection, data: History, *, to: Receiver, how: Taking) -> None:
    event = Event(id=how.new_event(), type=WebhookEvent.HISTORY, time=how.now, data=data)
    body = to.body(event)
    if body is not None:
        deliveries.add(database, event, 0, webhook=to.name, body=body)


def _next_chunk(database: Connection, webhook: str) -> int:
    row = database.execute("UPDATE backfills SET chunks = chunks + 1 WHERE webhook = ? RETURNING chunks", (webhook,))
    return int(row.fetchone()[0])


def _progress(database: Connection, webhook: str) -> int:
    chats, left = database.execute(
        "SELECT chats, (SELECT count(*) FROM backfill_chats WHERE webhook = ?1) FROM backfills WHERE webhook = ?1",
        (webhook,),
    ).fetchone()
    return 100 * (int(chats) - int(left)) // int(chats)
