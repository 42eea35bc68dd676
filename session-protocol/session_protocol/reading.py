"""What a runner tells of its account's chats, typed once: the answers of the routes that read what the page has stored.

The runner's OpenAPI document is generated from these. A message and a person have here the fields that they have in
events, all of them written, so that a program reads both in one way.
"""

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from session_protocol.messages import NOT_BLANK
from session_protocol.phone_numbers import PHONE_NUMBER
from session_protocol.vocabulary import Presence

MOST_LISTED: Final = 100
""" Chats or contacts in one answer. """
MOST_MESSAGES: Final = 50
""" Messages in one answer. """
LONGEST_CURSOR: Final = 1024


def _key(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _matching(pattern: str, description: str) -> Meta:
    # Python's `$` lets a line break pass, which the schema's does not.
    return Meta(pattern=pattern.replace("$", r"\Z"), description=description)


_Next = Annotated[
    Annotated[str, Meta(max_length=LONGEST_CURSOR)] | None,
    Meta(description="With it as `after` comes what follows; null: nothing does."),
]


class KnownPerson(Struct, frozen=True, kw_only=True, rename=_key):
    """Somebody, as events have it."""

    user_id: Annotated[str, Meta(max_length=64, description="Never changes; messages are sent to it, too.")]
    wa_id: Annotated[str | None, Meta(description="The digits of their number; null: WhatsApp has not told it.")] = None
    name: Annotated[str | None, Meta(description="As they call themselves; null: not known.")] = None

    def __repr__(self) -> str:
        return "KnownPerson()"


class Chat(Struct, frozen=True, kw_only=True, rename=_key):
    """One chat."""

    id: Annotated[str, Meta(max_length=80, description="The `userId` of whom it is with, or the group's id.")]
    group: bool
    person: Annotated[KnownPerson | None, Meta(description="Whom it is with; null: a group.")] = None
    name: Annotated[str | None, Meta(description="As the account's phone shows it; null: not known.")] = None
    timestamp: Annotated[int | None, Meta(description="Of the newest message, in seconds; null: there is none.")] = None
    unread: Annotated[int, Meta(ge=0, description="Messages that nobody has read.")] = 0
    marked_unread: Annotated[bool, Meta(description="Whether somebody marked it as unread.")] = False
    archived: bool = False

    def __repr__(self) -> str:
        return "Chat()"


class Chats(Struct, frozen=True, kw_only=True, rename=_key):
    """Some of the chats, those first in which something was written last."""

    chats: Annotated[list[Chat], Meta(max_length=MOST_LISTED)]
    next: _Next


class Quoted(Struct, frozen=True, kw_only=True, rename=_key):
    """The message that another one answers."""

    id: str
    own: Annotated[bool, Meta(description="Whether the session's own account wrote it.")] = False


class StoredMessage(Struct, frozen=True, kw_only=True, rename=_key):
    """A message, as an event of the type `message` has it."""

    id: Annotated[str, Meta(max_length=128)]
    chat: Annotated[str, Meta(max_length=80, description="The `userId` of whom it is with, or the group's id.")]
    group: bool = False
    own: Annotated[bool, Meta(description="Whether the session's own account wrote it, on whatever device.")] = False
    person: Annotated[KnownPerson | None, Meta(description="The other side; in a group who wrote it.")] = None
    timestamp: Annotated[int, Meta(description="In seconds, as WhatsApp has it.")]
    content: Annotated[dict[str, Any], Meta(description="As the Cloud API has it: `type`, and an object of that name.")]
    context: Annotated[Quoted | None, Meta(description="The message that it answers.")] = None
    forwarded: bool = False
    waiting: Annotated[bool, Meta(description="Whether it cannot be read yet.")] = False
    edited: bool = False
    deleted: Annotated[bool, Meta(description="Whether it was taken back, and has no content any more.")] = False
    status: Annotated[
        str | None,
        Meta(
            description="Of an own one: handed_over (without a word from WhatsApp), sent, delivered, read, played or failed."
        ),
    ] = None

    def __repr__(self) -> str:
        return f"StoredMessage({self.id})"


class StoredMessages(Struct, frozen=True, kw_only=True, rename=_key):
    """Some of a chat's messages, the newest first."""

    messages: Annotated[list[StoredMessage], Meta(max_length=MOST_MESSAGES)]
    next: _Next


class Contact(Struct, frozen=True, kw_only=True, rename=_key):
    """Somebody in the account's address book."""

    person: KnownPerson
    name: Annotated[str | None, Meta(description="As the address book calls them; null: it does not.")] = None
    business: Annotated[bool, Meta(description="Whether it is a business account.")] = False

    def __repr__(self) -> str:
        return "Contact()"


class Contacts(Struct, frozen=True, kw_only=True, rename=_key):
    """Some of the contacts."""

    contacts: Annotated[list[Contact], Meta(max_length=MOST_LISTED)]
    next: _Next


class ContactCheckRequest(Struct, frozen=True, kw_only=True, rename=_key):
    """Who is looked for."""

    phone_number: Annotated[str, _matching(PHONE_NUMBER, "The telephone number, with the country's code.")]

    def __repr__(self) -> str:
        return "ContactCheckRequest()"


class ContactCheck(Struct, frozen=True, kw_only=True, rename=_key):
    """Whether somebody is on WhatsApp."""

    exists: Annotated[bool, Meta(description="Whether the number is on WhatsApp.")]
    person: Annotated[KnownPerson | None, Meta(description="Who it is; null: nobody.")] = None


class PresenceRequest(Struct, frozen=True, kw_only=True, rename=_key):
    """How the session appears for the next five minutes."""

    presence: Presence


class PresenceSet(Struct, frozen=True, kw_only=True, rename=_key):
    """How the session appears."""

    presence: Presence
    seconds: Annotated[int, Meta(ge=0, description="For so long; then it is as `spec.link.presence` says.")]


LONGEST_ABOUT: Final = 139
""" Characters, as in the Cloud API and on phones. """
LONGEST_NAME: Final = 25
""" Characters, as on phones. """


class ProfileChange(Struct, frozen=True, kw_only=True, rename=_key, forbid_unknown_fields=True):
    """What is to be changed of the own profile; the rest is left as it is."""

    about: (
        Annotated[str, Meta(pattern=NOT_BLANK, max_length=LONGEST_ABOUT, description="The about text.")] | UnsetType
    ) = UNSET
    name: (
        Annotated[str, Meta(pattern=NOT_BLANK, max_length=LONGEST_NAME, description="How the account calls itself.")]
        | UnsetType
    ) = UNSET

    def __repr__(self) -> str:
        return "ProfileChange()"


class Profile(Struct, frozen=True, kw_only=True, rename=_key):
    """How the session's own account shows itself."""

    wa_id: Annotated[str | None, Meta(description="The digits of the linked number; null: not known yet.")] = None
    name: Annotated[str | None, Meta(description="As it calls itself; null: not known.")] = None
    about: Annotated[str | None, Meta(description="Its about text; null: none, or the page does not tell.")] = None

    def __repr__(self) -> str:
        return "Profile()"
