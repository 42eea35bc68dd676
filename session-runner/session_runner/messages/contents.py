"""What can be sent: one frozen dataclass for each kind, and the form in which it is stored and handed to the page.

A new kind is a class here with a line in `KINDS`, its reader in `readers.py`, and a function of its name in the page's
`sends.js`. Contents stay out of everything that is written for people.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from session_runner.values import Private


class Preview(Private, frozen=True, kw_only=True):
    """What is shown of a link in a text."""

    hidden = ("url", "title", "description")

    url: str
    """ As it stands in the text. """
    title: str
    description: str = ""


class Text(Private, frozen=True, kw_only=True):
    """A text."""

    hidden = ("body", "mentions", "preview")

    body: str
    mentions: tuple[str, ...] = ()
    """ The digits of the numbers that are mentioned in it, each behind an @. """
    preview_url: bool = False
    """ Whether the page is to make the preview of its first link. """
    preview: Preview | None = None
    """ The preview, if the sender makes it. """


class Reaction(Private, frozen=True, kw_only=True):
    """A reaction to a message; without an emoji the one that there is goes away."""

    hidden = ("emoji",)

    message: str
    emoji: str


class Location(Private, frozen=True, kw_only=True):
    """A place."""

    hidden = ("latitude", "longitude", "name", "address")

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Card(Private, frozen=True, kw_only=True):
    """A person's card."""

    hidden = ("name", "vcard")

    name: str
    vcard: str


class Contacts(Private, frozen=True, kw_only=True):
    """One card or more."""

    hidden = ("cards",)

    cards: tuple[Card, ...]


class File(Private, frozen=True, kw_only=True):
    """A file that was uploaded, or is fetched from a link; what it is sent as is its class."""

    hidden = ("link", "caption", "filename")

    media: str = ""
    """ Its id; empty: it is still to be fetched. """
    link: str | None = None
    """ Where it is fetched from. """
    caption: str | None = None
    filename: str | None = None
    ptt: bool = False
    """ Whether it is shown as a voice note. """
    waveform: bool = False
    """ Whether the page may decode all of a voice note, to show its loudness. """
    mime_type: str = ""
    """ Of its content, once that was looked at. """


class Image(File, frozen=True):
    """A picture."""


class Video(File, frozen=True):
    """A video."""


class Audio(File, frozen=True):
    """A sound, or a voice note."""


class Document(File, frozen=True):
    """A file of any type."""


class Sticker(File, frozen=True):
    """A sticker."""


class Edit(Private, frozen=True, kw_only=True):
    """Another text for one of our own."""

    hidden = ("body",)

    message: str
    body: str


class Forward(Struct, frozen=True, kw_only=True):
    """A message of whatever chat is sent on."""

    message: str


class Deletion(Struct, frozen=True, kw_only=True):
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
