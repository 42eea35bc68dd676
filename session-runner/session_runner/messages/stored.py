"""What the page has stored, as the routes tell it that read on request: pure functions over what their scripts give."""

import base64
import binascii
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from session_protocol.reading import LONGEST_CURSOR, Chat, KnownPerson, Quoted, StoredMessage

from session_runner.messages.events import Person
from session_runner.messages.incoming import CIPHERTEXT, REVOKED, PageMessage, Who, content_of
from session_runner.messages.progress import Progress, progress_after

_Short = Annotated[str, Meta(max_length=1024)]
_LATEST: Final = 4_000_000_000
""" Seconds since 1970. """


class PageChat(Struct, frozen=True, kw_only=True):
    """A chat as the page gives it."""

    who: Who
    t: Annotated[float, Meta(ge=0, le=_LATEST)]
    unread: Annotated[float, Meta(ge=-1e6, le=1e6)]
    """ -1: somebody marked it as unread. """
    archived: bool
    name: _Short | None = None

    def __repr__(self) -> str:
        return "PageChat()"


class PageContact(Struct, frozen=True, kw_only=True):
    """Somebody in the address book, as the page gives them."""

    who: Who
    name: _Short | None = None
    business: bool = False

    def __repr__(self) -> str:
        return "PageContact()"


def write_cursor(place: Any) -> str:
    """Return a place as callers get it and give it back: not to be read, but no secret."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str, kind: Any) -> Any:
    """Return the place.

    :raises ValueError: there is none in it.
    """
    if len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        raise ValueError("no cursor")
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("no cursor") from error
    return msgspec.json.decode(text, type=kind)


def known(person: Person) -> KnownPerson:
    """Return somebody with all fields."""
    return KnownPerson(user_id=person.user_id, wa_id=person.wa_id, name=person.name)


def chat_of(chat: PageChat, person: Person | None) -> Chat:
    """Return a chat as it is told."""
    return Chat(
        id=chat.who.id if person is None else person.user_id,
        group=chat.who.is_group,
        person=None if person is None else known(person),
        name=chat.name,
        timestamp=int(chat.t) or None,
        unread=max(0, int(chat.unread)),
        marked_unread=chat.unread < 0,
        archived=chat.archived,
    )


def stored_message(message: PageMessage, *, chat: str, person: Person | None, media_id: str) -> StoredMessage:
    """Return a message as it is told.

    :param media_id: of the file that came with it; empty: there is none, or it cannot be had.
    """
    ack = None if message.ack is None else int(max(-2.0, min(message.ack, 9.0)))
    return StoredMessage(
        id=message.id,
        chat=chat,
        group=message.who.is_group,
        own=message.own,
        person=None if person is None else known(person),
        timestamp=int(message.t),
        content=_content(message, media_id),
        context=None if message.quoted is None else Quoted(id=message.quoted, own=message.quoted_own),
        forwarded=message.forwarded,
        waiting=message.type == CIPHERTEXT,
        edited=bool(message.edit) and message.type != REVOKED,
        deleted=message.type == REVOKED,
        status=progress_after(Progress.HANDED_OVER, ack) if message.own and ack is not None else None,
    )


def _content(message: PageMessage, media_id: str) -> dict[str, Any]:
    content = content_of(message, media_id=media_id)
    part = content.get(content["type"])
    if isinstance(part, dict) and part.get("id") == "":
        del part["id"]
    return content
