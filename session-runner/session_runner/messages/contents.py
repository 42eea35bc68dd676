"""What can be sent: one frozen dataclass for each kind, and the form in which it is stored and handed to the page.

A new kind is a class here with a line in `KINDS`, its reader in `readers.py`, and a function of its name in the page's
`sends.js`. Contents stay out of everything that is written for people.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What is shown of a link in a text."""

    url: str = field(repr=False)
    """ As it stands in the text. """
    title: str = field(repr=False)
    description: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text."""

    body: str = field(repr=False)
    mentions: tuple[str, ...] = field(default=(), repr=False)
    """ The digits of the numbers that are mentioned in it, each behind an @. """
    preview_url: bool = False
    """ Whether the page is to make the preview of its first link. """
    preview: Preview | None = field(default=None, repr=False)
    """ The preview, if the sender makes it. """


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """A reaction to a message; without an emoji the one that there is goes away."""

    message: str
    emoji: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place."""

    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A person's card."""

    name: str = field(repr=False)
    vcard: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """One card or more."""

    cards: tuple[Card, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that was uploaded, or is fetched from a link; what it is sent as is its class."""

    media: str = ""
    """ Its id; empty: it is still to be fetched. """
    link: str | None = field(default=None, repr=False)
    """ Where it is fetched from. """
    caption: str | None = field(default=None, repr=False)
    filename: str | None = field(default=None, repr=False)
    ptt: bool = False
    """ Whether it is shown as a voice note. """
    waveform: bool = False
    """ Whether the page may decode all of a voice note, to show its loudness. """
    mime_type: str = ""
    """ Of its content, once that was looked at. """


class Image(File):
    """A picture."""


class Video(File):
    """A video."""


class Audio(File):
    """A sound, or a voice note."""


class Document(File):
    """A file of any type."""


class Sticker(File):
    """A sticker."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Another text for one of our own."""

    message: str
    body: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Forward:
    """A message of whatever chat is sent on."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """One of our own messages is taken back, for everybody."""

    message: str


MediaContent = Image | Video | Audio | Document | Sticker
Content = Text | Reaction | Location | Contacts | MediaContent | Forward | Edit | Deletion
KINDS: Final[dict[str, type[Content]]] = {
    "text": Text,
    "reaction": Reaction,
    "location": Location,
    "contacts": Contacts,
    "image": Image,
    "video": Video,
    "audio": Audio,
    "document": Document,
    "sticker": Sticker,
    "forward": Forward,
    "edit": Edit,
    "delete": Deletion,
}
""" By their names in the outbox and in the page. """
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


def kind_of(content: Content) -> str:
    """Return the name of its kind."""
    return _NAMES[type(content)]


def concerned(content: Content) -> str | None:
    """Return the id of the message that this changes or belongs to, if that is what it does."""
    return content.message if isinstance(content, Reaction | Forward | Edit | Deletion) else None


def takes_long(content: Content) -> bool:
    """Whether the page may need long before it has it: for a file that goes up, or down, or for a link that it fetches."""
    return isinstance(content, File | Forward) or (isinstance(content, Text) and content.preview_url)


def stored(content: Content) -> str:
    """Return the content as it is stored; its kind is kept beside it."""
    return msgspec.json.encode(content).decode()


def read_stored(kind: str, content: str) -> Content:
    """Return the content of what `stored` gave."""
    return msgspec.json.decode(content, type=KINDS[kind])


def for_page(content: Content) -> dict[str, Any]:
    """Return the content as the page's scripts take it."""
    return dict(msgspec.to_builtins(content))
