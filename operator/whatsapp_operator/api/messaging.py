"""How a session sends and reads: its pacing, what becomes of buttons, how large files may be, and read marks.

A union by `type`, as the API conventions have it, so that another way of pacing is another type with a field of its own.
"""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from session_protocol import pacing as bounds
from session_protocol.vocabulary import Interactive, PacingType, ReadMarking

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.fields import ContactInterval, MessageInterval
from whatsapp_operator.api.media import MediaLimits
from whatsapp_operator.api.rules import Rule, validations

_CUSTOM = Rule(
    "has(self.custom) == (has(self.type) && self.type == 'Custom')",
    "custom goes with type Custom: set both, or leave custom out",
    field=".custom",
)
_CONTACTS = bounds.FirstContacts()
_MESSAGES = bounds.AllMessages()


def _number(most: int) -> Any:
    return Field(ge=1, le=most, json_schema_extra={"format": "int32"})


class FirstContactsSpec(SpecModel):
    """How fast people are written to who have never written to the session."""

    burst: Annotated[int, _number(bounds.MOST_CONTACTS_AT_ONCE)] = _CONTACTS.burst
    """How many of them are written to at once."""
    interval: ContactInterval = timedelta(seconds=_CONTACTS.interval)
    """The time between further ones, up to half of it more or less at random; from 1s to 5m."""
    per_day: Annotated[int, _number(bounds.MOST_CONTACTS_PER_DAY)] = _CONTACTS.per_day
    """How many of them are written to in 24 hours."""


class AllMessagesSpec(SpecModel):
    """How fast messages go out in all."""

    burst: Annotated[int, _number(bounds.MOST_MESSAGES_AT_ONCE)] = _MESSAGES.burst
    """How many go out at once."""
    interval: MessageInterval = timedelta(seconds=_MESSAGES.interval)
    """The time between further ones, up to half of it more or less at random; from 1s to 1m."""


class CustomPacingSpec(SpecModel):
    """Numbers of one's own; what is left out is as with Default."""

    first_contacts: FirstContactsSpec = FirstContactsSpec()
    """People who have never written to the session, since WhatsApp restricts accounts that write to many of them. For 7 days
    after a phone was linked: half of burst, twice the interval and a fifth of perDay."""
    messages: AllMessagesSpec = AllMessagesSpec()
    """All messages but reactions, edits, deletions and read marks."""


class PacingSpec(SpecModel):
    """How fast messages go out."""

    model_config = ConfigDict(json_schema_extra=validations(_CUSTOM))

    type: PacingType = PacingType.DEFAULT
    """Default: numbers that are meant to protect the account; WhatsApp publishes none. Custom: the numbers in custom. None: as fast
    as the page takes messages."""
    custom: CustomPacingSpec | None = None
    """The numbers of type Custom."""


class MessagingSpec(SpecModel):
    """How the session sends, and what it marks as read."""

    pacing: PacingSpec = PacingSpec()
    """How fast messages go out. What exceeds that waits for its turn; a message that would wait for more than an hour is
    refused, with the time after which it would be taken."""
    media_limits: MediaLimits = MediaLimits()
    """How large the files may be that the session sends."""
    interactive: Interactive = Interactive.REFUSE
    """What becomes of buttons, lists and links with a title, which WhatsApp Web does not send. Refuse answers with the Cloud API's
    error 131051. NumberedText sends a text with numbered lines instead; an answer to it is an ordinary text."""
    read_marks: ReadMarking = ReadMarking.MANUAL
    """When messages are marked as read. Manual: when a program asks for it. OnReceipt: some seconds after they came; whoever
    wrote them sees them as read, and the phone shows no notification of them any more. Groups, and messages that come more
    than 12 hours late, are left as they are."""
