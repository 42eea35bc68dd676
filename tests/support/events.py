"""Events as a program reads them: out of the bytes that are stored and sent."""

from datetime import datetime
from typing import Any, Final

import msgspec
from session_protocol.vocabulary import WebhookEvent
from session_runner.messages.events import (
    Ack,
    Call,
    Data,
    Deleted,
    Event,
    History,
    Message,
    PresenceChange,
    Reaction,
    StateChange,
)

_FORMS: Final[dict[WebhookEvent, type[Data]]] = {
    WebhookEvent.MESSAGE: Message,
    WebhookEvent.EDITED: Message,
    WebhookEvent.DELETED: Deleted,
    WebhookEvent.REACTION: Reaction,
    WebhookEvent.ACK: Ack,
    WebhookEvent.CALL: Call,
    WebhookEvent.HISTORY: History,
    WebhookEvent.PRESENCE: PresenceChange,
    WebhookEvent.STATE: StateChange,
    WebhookEvent.LINK_NEEDED: StateChange,
}


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: WebhookEvent
    time: datetime
    data: Any = msgspec.field(default_factory=dict)


def read_event(body: bytes) -> Event:
    """Return the event of a body."""
    read = msgspec.json.decode(body, type=_Body)
    return Event(id=read.id, type=read.type, time=read.time, data=msgspec.convert(read.data, type=_FORMS[read.type]))
