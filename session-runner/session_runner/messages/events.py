"""What happened, in one form for every receiver.

Server-sent events send it as it is, webhooks as it is or in another shape (`cloud_events`). An event is made once, stored
as bytes, and sent as those bytes however often it is sent. A person is a `userId`, which never changes, with the number
if it is known; a group is its own id. `content` is what the Cloud API has in a message: a type, and an object of the
type's name.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from session_protocol.vocabulary import WebhookEvent

from session_runner.values import Private


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Somebody, as programs may keep it. Its parts stay out of everything that is written for people."""

    user_id: str
    """ Made once, and the same whatever becomes known of them. """
    wa_id: str | None = None
    """ The digits of their number; None: WhatsApp has not told it. """
    name: str | None = None
    """ As they call themselves. """

    def __repr__(self) -> str:
        return "Person()"


class Context(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The message that another one answers."""

    id: str
    own: bool = False
    """ Whether the session's own account wrote it. """


class InChat(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What every event about a message or a call has."""

    id: str
    """ The message's bare id, the same everywhere, or the call's. """
    chat: str
    """ The `userId` of whom it is with, or the group's id. """
    group: bool = False
    own: bool = False
    """ Whether the session's own account did it, on whatever device. """
    person: Person | None = None
    """ The other side; in a group who did it, None for the own account. """
    timestamp: int
    """ In seconds, as WhatsApp has it. """


class Message(InChat, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A message, or with its new content one that was edited. `content` is as the Cloud API has it."""

    content: dict[str, Any]
    context: Context | None = None
    forwarded: bool = False
    late: bool = False
    """ Whether it was told much later than it was sent. """
    waiting: bool = False
    """ Whether it cannot be read yet; the same message is told again once it can. """
    status: str | None = None
    """ Of an own one that the phone brought: how far it had come. """

    def __repr__(self) -> str:
        return f"Message({self.id})"


class Deleted(InChat, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A message that was taken back for everyone."""


class Reaction(InChat, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A reaction to the message `id`; it has no emoji when it was taken away."""

    emoji: str | None = None
    target_own: bool = False
    """ Whether the session's own account wrote the message. """


class Call(InChat, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A call that came in."""

    status: str
    """ offered; then rejected, by the session's settings, or ended, whoever ended it. """
    video: bool = False


class History(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Some of a chat's messages from before the link, oldest first, each time older ones; the last one of all has none."""

    chat: str
    group: bool = False
    person: Person | None = None
    messages: tuple[Message, ...] = ()
    chunk: int
    """ Counted from 1. """
    progress: int
    """ In percent of the chats; 100: this is the last one. """
    days: int = 0
    """ How many whole days before the link its newest message is. """

    def __repr__(self) -> str:
        return f"History({self.chunk})"


class PresenceChange(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What somebody does in a private chat."""

    chat: str
    person: Person | None = None
    state: str
    """ online, offline, typing or recording. """
    timestamp: int


class Ack(Private, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How far a message has come that was sent over this API."""

    hidden = ("callback_data",)

    id: str
    status: str
    """ sent, delivered, read, played or failed. """
    person: Person
    timestamp: int
    error_code: int | None = None
    """ By the Cloud API's codes. """
    details: str | None = None
    callback_data: str | None = None
    """ What the sender wanted back: `biz_opaque_callback_data`. """


class StateChange(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The session's state, or that its phone has to be linked again."""

    state: str
    reason: str = ""


Data = Message | Deleted | Reaction | Call | History | PresenceChange | Ack | StateChange

HISTORY_ORDER: Final = "history"
""" Instead of a chat: a long history must not hold up what is said now. """


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: str
    type: WebhookEvent
    time: datetime
    """ When the runner learned of it. """
    data: Data

    @property
    def chat(self) -> str:
        """Within what the order of events is kept; empty for what is about no chat."""
        match self.data:
            case InChat(chat=chat):
                return chat
            case PresenceChange(chat=chat):
                return chat
            case Ack(person=person):
                return person.user_id
            case History():
                return HISTORY_ORDER
            case _:
                return ""

    def body(self) -> bytes:
        """Return the bytes that are stored and sent."""
        return msgspec.json.encode(_Body(id=self.id, type=self.type, time=self.time, data=self.data))


class _Body(Struct, frozen=True, kw_only=True):
    id: str
    type: str
    time: datetime
    data: Any = field(default_factory=dict)
