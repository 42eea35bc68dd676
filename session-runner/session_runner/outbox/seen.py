"""What of the page's store was seen, and the events that come of the rest: one function for each transaction.

What is new and that it was seen are one transaction, so that a runner that dies at any moment has told either nothing of
a message, and its successor tells it, or all, and nobody tells it again. How far back the page is asked follows from when
it was last read as a whole: messages come late, so it is asked for some days more than that.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from session_protocol.vocabulary import WebhookEvent

from session_runner.messages.events import Context, Data, Deleted, Event, Message, Person, Reaction
from session_runner.messages.ids import received_id
from session_runner.messages.incoming import (
    LATE,
    By,
    Entry,
    Known,
    News,
    PageMessage,
    PageReaction,
    ReactionChange,
    Who,
    content_of,
    has_file,
    is_news,
    news_of,
    reaction_changes,
    reactions_of,
    seconds_of,
    seen_type,
    size_of,
    status_of,
)
from session_runner.outbox import events, marks, media, people
from session_runner.outbox.events import Deliveries

DAY: Final = 24 * 3600.0
BACK: Final = 3 * DAY
""" Seconds before the last whole reading from which on the page is asked: so late a message may come. """
_RECENT: Final = 3600.0
""" Seconds. Of a message that was never seen and is older than what is read, only so recent reactions are told. """
_NOTED_EVERY: Final = 600.0
""" Seconds. """
_ME: Final = "me"
""" Whose the own account's reactions are. """


class Reading(Struct, frozen=True, kw_only=True):
    """How far the page's store was read."""

    linked: float
    """ What is older came with the link, until the first synchronisation is over. """
    synchronised: bool
    since: float
    """ What is older is not asked for. """

    def is_history(self, time: float) -> bool:
        """Whether a message of this time came with the link, so that it is new to nobody."""
        return not self.synchronised and time < self.linked


class Sifted(Struct, frozen=True, kw_only=True):
    """What is to be done with entries."""

    news: list[Entry]
    """ They have to be read. """
    history: int
    """ How many came with the link and were not seen yet. """


class Taking(Struct, frozen=True, kw_only=True):
    """With what messages become events."""

    reading: Reading
    now: datetime
    new_event: Callable[[], str]
    new_user: people.NewUser
    phone_number_id: str
    """ With which the ids of files begin. """
    deliveries: Deliveries
    marking: marks.Marking | None = None
    """ None: what comes is not marked as read. """


def opened(database: Connection, *, now: float) -> None:
    """Note when messages were first asked for: what an account had before that came with its link."""
    database.execute("INSERT OR IGNORE INTO reading (only, opened) VALUES (1, ?)", (now,))


def reading(database: Connection, *, linked: float, now: float) -> Reading:
    """Return how far the store of the page that was linked then has been read; a new link begins anew."""
    row = database.execute("SELECT * FROM reading").fetchone()
    caught_up, synchronised = row["caught_up"], bool(row["synchronised"])
    if row["linked"] != linked:
        database.execute("UPDATE reading SET linked = ?, synchronised = 0, caught_up = NULL", (linked,))
        caught_up, synchronised = None, False
    linked = max(linked, row["opened"])
    since = min(caught_up or linked, now)  # a later one is of a clock that was ahead
    return Reading(linked=linked, synchronised=synchronised, since=since - BACK)


def caught_up(database: Connection, *, time: float | None, synchronised: bool) -> None:
    """Note that all was read that the page had then; not each time, because a note costs a write to the disk.

    :param time: None: the page did not tell of all chats.
    """
    database.execute(
        "UPDATE reading SET caught_up = coalesce(?1, caught_up), synchronised = max(synchronised, ?2) "
        "WHERE caught_up IS NULL OR caught_up < ?1 - ?3 OR caught_up > ?1 OR synchronised < ?2",
        (time, synchronised, _NOTED_EVERY),
    )


def sift(database: Connection, who: Who, entries: Sequence[Entry], how: Taking) -> Sifted:
    """Find the entries of a chat that have to be read, and mark as seen what can be without."""
    by, now = _meet(database, entries, how), how.now.timestamp()
    chat, _ = chat_of(database, who, how)
    news, history = [], 0
    for entry in entries:
        known = _known(database, chat, entry)
        if not is_news(entry, known, by, now=now):
            continue
        is_history = how.reading.is_history(entry.t)
        changes = reaction_changes(entry, {} if known is None else known.reactions, by)
        kind = news_of(entry, known, now=now)
        # What was sent over this API is followed by its statuses, so it need not be read.
        is_new = kind is not None and not (kind is News.MESSAGE and entry.own and _is_request(database, entry.id))
        if is_history or not (is_new or changes):
            _mark(database, chat, entry, known, None, how)
            history += is_history and known is None
        else:
            news.append(entry)
    return Sifted(news=news, history=history)


def mark(database: Connection, who: Who, entry: Entry, how: Taking) -> None:
    """Mark as seen what cannot be read, so that it is not tried for ever."""
    chat, _ = chat_of(database, who, how)
    _mark(database, chat, entry, None, None, how)


def take(database: Connection, messages: Sequence[PageMessage], *, fresh: frozenset[str], how: Taking) -> int:
    """Store what is new of these messages as events, and that they were seen; return how many events that are.

    :param fresh: keys of which the page told that they are new, however old they are.
    """
    return sum(_take(database, message, is_fresh=message.key in fresh, how=how) for message in messages)


def old_message(database: Connection, message: PageMessage, how: Taking) -> tuple[Message, Person | None]:
    """Return a message that was there before the link, and with whom its chat is; what was seen is not touched."""
    chat, person = chat_of(database, message.who, how, name=None if message.own else message.name)
    author = person
    if message.who.is_group:
        author = None if message.author is None else _person(database, message.author, how, name=message.name)
    if has_file(message):
        _note_file(database, message, how)
    made = _message(message, chat=chat, person=author, how=how)
    return replace(made, late=False, status=status_of(message)), person


def sweep(database: Connection, *, now: float) -> None:
    """Forget what the page is not asked for any more, and people of whom nobody heard for long."""
    read = database.execute("SELECT coalesce(caught_up, opened) FROM reading").fetchone()
    last = now if read is None else min(float(read[0]), now)  # a later one is of a clock that was ahead
    database.execute("DELETE FROM seen WHERE kept_from < ?", (last - BACK - DAY,))
    people.sweep(database, read=last)


def _take(database: Connection, message: PageMessage, *, is_fresh: bool, how: Taking) -> int:
    now = how.now.timestamp()
    by = _meet(database, [message], how)
    chat, person = chat_of(database, message.who, how, name=None if message.own else message.name)
    known = _known(database, chat, message)
    news = news_of(message, known, now=now)
    changes = reaction_changes(message, {} if known is None else known.reactions, by)
    if known is None and message.t < how.reading.since and not is_fresh:
        # Something happened to it, but it is older than what is told; so is most of what was said to it.
        news = None
        changes = [one for one in changes if one.reaction is not None and seconds_of(one.reaction.t) >= now - _RECENT]
    _mark(database, chat, message, known, news, how)
    if news is News.MESSAGE and how.marking is not None and _is_to_be_marked(message, now=now):
        marks.receive(database, message.id, chat=chat, how=how.marking, now=now)
    made: list[tuple[WebhookEvent, Data]] = []
    if news is not None and not _is_ours(database, message, news):
        if message.who.is_group:
            person = None if message.author is None else _person(database, message.author, how, name=message.name)
        made.append(_event(message, news, chat=chat, person=person, how=how))
        if has_file(message):
            _note_file(database, message, how)
    made += [
        (WebhookEvent.REACTION, _reaction(database, message, change, chat=chat, person=person, how=how))
        for change in changes
        if change.reaction is None or not _is_request(database, change.reaction.id)
    ]
    for kind, data in made:
        events.add(database, Event(id=how.new_event(), type=kind, time=how.now, data=data), how.deliveries)
    return len(made)


def _is_to_be_marked(message: PageMessage, *, now: float) -> bool:
    """Whether a message that came is one that a person would read now."""
    return not message.own and not message.who.is_group and now - message.t <= marks.LATEST


def _note_file(database: Connection, message: PageMessage, how: Taking) -> None:
    media.receive(
        database,
        identifier=received_id(how.phone_number_id, message.key),
        page_key=message.key,
        mime_type=message.mimetype,
        digest=message.digest,
        size=size_of(message.size),
        filename=message.filename,
        now=how.now.timestamp(),
    )


def _event(
    message: PageMessage, news: News, *, chat: str, person: Person | None, how: Taking
) -> tuple[WebhookEvent, Data]:
    now = how.now.timestamp()
    if news is News.DELETED:
        return WebhookEvent.DELETED, Deleted(**_head(message, chat), person=person, timestamp=int(now))
    made = _message(message, chat=chat, person=person, how=how, waiting=news is News.WAITING)
    if news is News.EDITED:
        edited = now if message.edit_time is None else seconds_of(message.edit_time)
        return WebhookEvent.EDITED, replace(made, timestamp=int(edited), late=False)
    return WebhookEvent.MESSAGE, made


def _head(message: PageMessage, chat: str) -> dict[str, Any]:
    return {"id": message.id, "chat": chat, "group": message.who.is_group, "own": message.own}


def _message(message: PageMessage, *, chat: str, person: Person | None, how: Taking, waiting: bool = False) -> Message:
    return Message(
        **_head(message, chat),
        person=person,
        timestamp=int(message.t),
        content=content_of(message, media_id=received_id(how.phone_number_id, message.key)),
        context=None if message.quoted is None else Context(id=message.quoted, own=message.quoted_own),
        forwarded=message.forwarded,
        late=how.now.timestamp() - message.t > LATE,
        waiting=waiting,
    )


def _reaction(
    database: Connection,
    message: PageMessage,
    change: ReactionChange,
    *,
    chat: str,
    person: Person | None,
    how: Taking,
) -> Reaction:
    own = change.by == _ME
    if message.who.is_group:
        person = None if own else people.find(database, change.by)
    elif not own:
        person = people.find(database, change.by) or person
    return Reaction(
        id=message.id,
        chat=chat,
        group=message.who.is_group,
        own=own,
        person=person,
        timestamp=int(how.now.timestamp() if change.reaction is None else seconds_of(change.reaction.t)),
        emoji=change.emoji,
        target_own=message.own,
    )


def _is_ours(database: Connection, message: PageMessage, news: News) -> bool:
    """Whether it was sent over this API, whose caller follows it by its statuses."""
    if news is News.DELETED:
        return False  # the owner may have done that on the phone
    return _is_request(database, message.edit if news is News.EDITED else message.id) and message.own


def _is_request(database: Connection, identifier: str) -> bool:
    return database.execute("SELECT 1 FROM requests WHERE id = ?", (identifier,)).fetchone() is not None


def chat_of(database: Connection, who: Who, how: Taking, *, name: str | None = None) -> tuple[str, Person | None]:
    """Return by what a chat is told, and with whom it is; a group is with nobody."""
    if who.is_group:
        return who.id, None
    person = _person(database, who, how, name=name)
    return person.user_id, person


def _person(database: Connection, who: Who, how: Taking, *, name: str | None = None) -> Person:
    return people.of_page(database, who, new_user=how.new_user, name=name, now=how.now.timestamp())


def _by(database: Connection, how: Taking) -> By:
    def by(reaction: PageReaction) -> str:
        return _ME if reaction.mine else _person(database, reaction.by, how).user_id

    return by


def _meet(database: Connection, entries: Sequence[Entry], how: Taking) -> By:
    """Learn who reacted before anybody is named: two people may turn out to be one, the chat's among them."""
    by = _by(database, how)
    for entry in entries:
        for reaction in entry.reactions or ():
            by(reaction)
    return by


def _known(database: Connection, chat: str, entry: Entry) -> Known | None:
    row = database.execute(
        "SELECT type, edit, reactions, noticed FROM seen WHERE chat = ? AND id = ? AND own = ?",
        (chat, entry.id, entry.own),
    ).fetchone()
    if row is None:
        return None
    reactions = {people.current(database, who): emoji for who, emoji in json.loads(row["reactions"]).items()}
    return Known(type=row["type"], edit=row["edit"], reactions=reactions, noticed=row["noticed"])


def _mark(database: Connection, chat: str, entry: Entry, known: Known | None, news: News | None, how: Taking) -> None:
    now = how.now.timestamp()
    before = {} if known is None else known.reactions
    reactions = before if entry.reactions is None else reactions_of(entry, _by(database, how))
    noticed = now if known is None else known.noticed
    database.execute(
        "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            chat,
            entry.id,
            entry.own,
            seen_type(entry, known, news),
            entry.edit,
            json.dumps(reactions),
            noticed,
            max(entry.t, now),
        ),
    )
