"""What the page has stored, as it is told on request: one function for each transaction.

People are named as in events, and those who are met here for the first time get their `user_id` here. The files of
messages are noted, so that they can be fetched by their ids.
"""

from collections.abc import Callable, Sequence
from sqlite3 import Connection
from typing import Final

from msgspec import Struct
from session_protocol.reading import Chat, Contact, KnownPerson, StoredMessage

from session_runner.messages.events import Person
from session_runner.messages.ids import received_id
from session_runner.messages.incoming import PageMessage, Who, has_file, is_silent, size_of
from session_runner.messages.stored import PageChat, PageContact, chat_of, known, stored_message
from session_runner.outbox import media, people

MOST_FILES: Final = 10_000
""" Files of messages that are known at once; beyond them those that are read here have no id. """


class Naming(Struct, frozen=True, kw_only=True):
    """With what things get their names."""

    now: float
    new_user: people.NewUser
    phone_number_id: str
    """ With which the ids of files begin. """


def name_chats(database: Connection, chats: Sequence[PageChat], how: Naming) -> list[Chat]:
    """Return chats as they are told."""
    return [chat_of(chat, _person_of(database, chat.who, how)) for chat in chats]


def name_contacts(database: Connection, contacts: Sequence[PageContact], how: Naming) -> list[Contact]:
    """Return contacts as they are told."""
    return [
        Contact(
            person=known(people.of_page(database, one.who, new_user=how.new_user, now=how.now)),
            name=one.name,
            business=one.business,
        )
        for one in contacts
    ]


def name_messages(database: Connection, messages: Sequence[PageMessage], how: Naming) -> list[StoredMessage]:
    """Return messages as they are told, without the page's own notes, and note their files."""
    has_room = media.count_received(database) < MOST_FILES
    return [_message(database, message, how, keeps_file=has_room) for message in messages if not is_silent(message)]


def meet(database: Connection, *, number: str, lid: str | None, new_user: Callable[[], str], now: float) -> KnownPerson:
    """Return who has this number."""
    return known(people.resolve(database, number=number, lid=lid, new_user=new_user, now=now))


def ids_of_chat(database: Connection, chat: str) -> list[str]:
    """Return under which ids the page may have the chat of somebody; empty: nobody is known by this `user_id`."""
    row = people.find_row(database, chat)
    if row is None:
        return []
    return [f"{user}@{server}" for user, server in ((row["number"], "c.us"), (row["lid"], "lid")) if user is not None]


def _person_of(database: Connection, who: Who, how: Naming, *, name: str | None = None) -> Person | None:
    return None if who.is_group else people.of_page(database, who, new_user=how.new_user, now=how.now, name=name)


def _message(database: Connection, message: PageMessage, how: Naming, *, keeps_file: bool) -> StoredMessage:
    other = _person_of(database, message.who, how, name=None if message.own else message.name)
    chat = message.who.id if other is None else other.user_id
    if other is None and message.author is not None:
        other = people.of_page(database, message.author, new_user=how.new_user, now=how.now, name=message.name)
    identifier = received_id(how.phone_number_id, message.key) if has_file(message) else ""
    if identifier and keeps_file:
        media.receive(
            database,
            identifier=identifier,
            page_key=message.key,
            mime_type=message.mimetype,
            digest=message.digest,
            size=size_of(message.size),
            filename=message.filename,
            now=how.now,
        )
    elif identifier and media.find(database, identifier, now=how.now) is None:
        identifier = ""
    return stored_message(message, chat=chat, person=other, media_id=identifier)
