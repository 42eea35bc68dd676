"""What the page's store holds, and what of it is news: pure functions over what the scripts of the inbox give.

Seen is a set of messages, each with what it was when it was seen: its type, the id of its last edit, and who had reacted.
So a message that comes late, or beside another of the same second, is news; one whose content comes later is news again;
and nothing is news twice. Whatever comes from the page has bounds, and what does not fit them is no message.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from session_runner.values import Private

LATE: Final = 60.0
""" Seconds after which a message counts as late. """
WAITING_AFTER: Final = 60.0
""" Seconds after which a message is told that still cannot be read. """
CIPHERTEXT: Final = "ciphertext"
WAITING: Final = "waiting"
""" The type of one in `seen` that was told although it cannot be read. """
REVOKED: Final = "revoked"
_WITH_FILE: Final = frozenset({"image", "video", "document", "sticker", "audio", "ptt"})
SILENT: Final = frozenset({
    "broadcast_notification", "call_log", "debug", "e2e_notification", "gp2", "keep_in_chat", "newsletter_notification",
    "notification", "notification_template", "pin_message", "protocol", "reaction", "reaction_enc", "poll_update",
})  # fmt: skip
""" Notes of the page about a chat, and what changes another message. """
_CARD: Final = re.compile(r"^(?:item\d+\.)?(FN|TEL)((?:;[^:\r\n]*)?):(.*)$", re.MULTILINE | re.IGNORECASE)
_WA_ID: Final = re.compile(r"waid=(\d{5,20})", re.IGNORECASE)

_Id = Annotated[str, Meta(min_length=1, max_length=128)]
_Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
_Short = Annotated[str, Meta(max_length=1024)]
_Text = Annotated[str, Meta(max_length=65_536)]
_Seconds = Annotated[float, Meta(ge=0, le=4e9)]

_LATEST: Final = 4e9
""" Seconds since 1970; a time beyond is none. """
_MILLISECONDS: Final = 1e11
""" A time above this is no number of seconds. """
_LARGEST: Final = 2.0**53
""" Bytes; a larger number is no size. """


def seconds_of(time: float) -> float:
    """Return a time that the page gives in seconds or milliseconds, as whoever wrote the message has it: it may be any."""
    return min(max(time / 1000 if time > _MILLISECONDS else time, 0.0), _LATEST)


def size_of(given: float | None) -> int | None:
    """Return a file's size as whoever sent it says; None: it says none that can be."""
    return int(given) if given is not None and 0 <= given <= _LARGEST else None


class Who(Struct, frozen=True, kw_only=True):
    """A person by what the page knows of them, or a group."""

    id: Annotated[str, Meta(max_length=80, pattern=r"^[0-9A-Za-z._-]+@(c\.us|lid|g\.us)\Z")]
    number: _Digits | None = None
    lid: _Digits | None = None
    name: _Short | None = None

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.id.endswith("@g.us")

    def __repr__(self) -> str:
        return "Who()"


class PageReaction(Struct, frozen=True, kw_only=True):
    """Somebody's reaction."""

    by: Who
    mine: bool
    emoji: Annotated[str, Meta(max_length=64)]
    t: float
    """ By its author's clock, see `seconds_of`. """
    id: Annotated[str, Meta(max_length=128)] = ""


By = Callable[[PageReaction], str]
""" Whose a reaction is: the own account's, or a `user_id`. """


class Entry(Struct, frozen=True, kw_only=True):
    """A message without what is in it."""

    key: Annotated[str, Meta(max_length=400)]
    id: _Id
    own: bool
    t: _Seconds
    type: Annotated[str, Meta(max_length=64)]
    edit: Annotated[str, Meta(max_length=128)] = ""
    """ The id of its last edit. """
    reactions: list[PageReaction] | None = None
    """ None: the page was not asked. """
    fresh: bool = False
    """ Whether the page told that it is new. """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"


class PageMessage(Entry, frozen=True, kw_only=True, rename="camel"):
    """A message with what is in it."""

    who: Who
    """ The chat. """
    author: Who | None = None
    """ Of a group's message that is not ours. """
    name: _Short | None = None
    """ As its author calls themselves. """
    ack: float | None = None
    """ How far it has come, if it is an own one. """
    edit_time: float | None = None
    """ In milliseconds. """
    body: _Text | None = None
    caption: _Text | None = None
    quoted: _Id | None = None
    quoted_own: bool = False
    forwarded: bool = False
    latitude: float | None = None
    longitude: float | None = None
    place: _Short | None = None
    mimetype: _Short | None = None
    filename: _Short | None = None
    size: float | None = None
    digest: _Short | None = None
    gif: bool = False
    view_once: bool = False
    animated: bool = False
    cards: list[Annotated[str, Meta(max_length=8192)]] = msgspec.field(default_factory=list)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"


_ACKS: Final = {-1: "failed", 0: "pending", 1: "sent", 2: "delivered", 3: "read", 4: "played"}


def status_of(message: PageMessage) -> str | None:
    """Return how far an own message had come by the page's store; None: that is not known, or it is no own one."""
    return _ACKS.get(int(message.ack)) if message.own and message.ack is not None and abs(message.ack) < 10 else None


class ChatEntries(Struct, frozen=True, kw_only=True):
    """A chat with some of its entries, oldest first."""

    who: Who
    entries: list[Any]


class Known(Private, frozen=True, kw_only=True):
    """A message as it was seen."""

    hidden = ("reactions",)

    type: str
    edit: str
    reactions: dict[str, str]
    """ Emojis, by whose they are. """
    noticed: float


class News(StrEnum):
    """What happened to a message."""

    MESSAGE = "message"
    WAITING = "waiting"
    EDITED = "edited"
    DELETED = "deleted"


def news_of(entry: Entry, known: Known | None, *, now: float) -> News | None:
    """Return what is to be told of a message besides its reactions."""
    if entry.type in SILENT:
        return None
    before = None if known is None else known.type
    if entry.type == CIPHERTEXT:
        due = known is not None and before == CIPHERTEXT and now - known.noticed >= WAITING_AFTER
        return News.WAITING if due else None
    if entry.type == REVOKED:
        return None if before in (REVOKED, CIPHERTEXT) else News.DELETED
    if known is None or before in (CIPHERTEXT, WAITING):
        return News.MESSAGE
    return News.EDITED if entry.edit not in ("", known.edit) and before != REVOKED else None


def seen_type(entry: Entry, known: Known | None, news: News | None) -> str:
    """Return the type under which a message is seen now."""
    if entry.type != CIPHERTEXT:
        return entry.type
    if news is News.WAITING:
        return WAITING
    return CIPHERTEXT if known is None else known.type  # nothing that could be read becomes unreadable


def is_news(entry: Entry, known: Known | None, by: By, *, now: float) -> bool:
    """Whether anything of a message differs from what was seen."""
    if known is None or news_of(entry, known, now=now) is not None:
        return True
    if entry.type not in (known.type, CIPHERTEXT):
        return True
    return entry.reactions is not None and reactions_of(entry, by) != known.reactions


def reactions_of(entry: Entry, by: By) -> dict[str, str]:
    """Return the reactions, as they are kept."""
    return {by(one): one.emoji for one in entry.reactions or () if one.emoji}


class ReactionChange(Struct, frozen=True, kw_only=True):
    """A reaction that came, changed or went."""

    by: str
    """ Whose it is. """
    emoji: str | None
    reaction: PageReaction | None
    """ None: it is gone. """


def reaction_changes(entry: Entry, before: dict[str, str], by: By) -> list[ReactionChange]:
    """Return what became of the reactions since; nothing where the page was not asked."""
    if entry.reactions is None:
        return []
    after = {by(one): one for one in entry.reactions if one.emoji}
    changed = [
        ReactionChange(by=who, emoji=one.emoji, reaction=one)
        for who, one in after.items()
        if before.get(who) != one.emoji
    ]
    return [*changed, *(ReactionChange(by=who, emoji=None, reaction=None) for who in before if who not in after)]


def is_silent(entry: Entry) -> bool:
    """Whether it is a note of the page about a chat, or changes another message."""
    return entry.type in SILENT


def has_file(message: PageMessage) -> bool:
    """Whether a file came with a message, which its event refers to."""
    return message.type in _WITH_FILE


def content_of(message: PageMessage, *, media_id: str) -> dict[str, Any]:
    """Return what is in a message, as the Cloud API has it."""
    match message.type:
        case "chat":
            return {"type": "text", "text": {"body": message.body or ""}}
        case _ if has_file(message):
            return _medium(message, media_id)
        case "location" if message.latitude is not None and message.longitude is not None:
            name, _, address = (message.place or "").partition("\n")
            location = {"latitude": message.latitude, "longitude": message.longitude, "name": name, "address": address}
            return {"type": "location", "location": {key: value for key, value in location.items() if value != ""}}
        case "vcard" | "multi_vcard":
            cards = message.cards or ([message.body] if message.body else [])
            if contacts := [_contact(card) for card in cards]:
                return {"type": "contacts", "contacts": contacts}
    return {"type": "unsupported", "unsupported": {"type": message.type}}


def _medium(message: PageMessage, media_id: str) -> dict[str, Any]:
    kind = "audio" if message.type == "ptt" else message.type
    medium: dict[str, Any] = {"id": media_id, "mime_type": message.mimetype or "", "sha256": message.digest or ""}
    if message.caption and kind != "audio":
        medium["caption"] = message.caption
    if message.filename and kind == "document":
        medium["filename"] = message.filename
    if kind == "audio":
        medium["voice"] = message.type == "ptt"
    if kind == "sticker":
        medium["animated"] = message.animated
    return {"type": kind, kind: medium}


def _contact(card: str) -> dict[str, Any]:
    """Return name and numbers of a vCard; whatever else is in it is left out."""
    name, phones = "", []
    for field_, parameters, value in _CARD.findall(card):
        if field_.upper() == "FN":
            name = name or value.strip()
        else:
            phone = {"phone": value.strip()}
            if wa_id := _WA_ID.search(parameters):
                phone["wa_id"] = wa_id[1]
            phones.append(phone)
    return {"name": {"formatted_name": name}, **({"phones": phones} if phones else {})}
