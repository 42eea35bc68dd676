"""Events as a program reads them: out of the bytes that are stored and sent."""

from datetime import datetime
from typing import Any, Final

import msgspec
from session_runner.messages.events import (
    Ack,
    Call,
    Data,
    Deleted,
    Event,
    EventType,
    History,
    Message,
    PresenceChange,
    Reaction,
    StateChange,
)

_FORMS: Final[dict[EventType, type[Data]]] = {
    EventType.MESSAGE: Message,
    EventType.EDITED: Message,
    EventType.DELETED: Deleted,
    EventType.REACTION: Reaction,
    EventType.ACK: Ack,
    EventType.CALL: Call,
    EventType.HISTORY: History,
    EventType.PRESENCE: PresenceChange,
    EventType.STATE: StateChange,
    EventType.LINK_NEEDED: StateChange,
}


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: EventType
    time: datetime
    data: Any = msgspec.field(default_factory=dict)


def read_event(body: bytes) -> Event:
    """Return the event of a body."""
    read = msgspec.json.decode(body, type=_Body)
    return Event(id=read.id, type=read.type, time=read.time, data=msgspec.convert(read.data, type=_FORMS[read.type]))
