"""How fast a session sends: the numbers that stand in its spec, and those that count where it says nothing.

WhatsApp publishes none for ordinary accounts, so these are what others have made out: docs/http-api.md names the source of
each. The operator reads them out of the spec, the runner decides by them (`session_runner.messages.pacing`), and both
know the defaults from here.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from session_protocol.vocabulary import PacingType

MOST_CONTACTS_AT_ONCE: Final = 100
MOST_CONTACTS_PER_DAY: Final = 10_000
LONGEST_CONTACT_INTERVAL: Final = 300.0
""" Seconds. """
MOST_MESSAGES_AT_ONCE: Final = 1000
LONGEST_MESSAGE_INTERVAL: Final = 60.0
""" Seconds. """

_Interval = Meta(description="Seconds between two beyond those, half of it more or less by chance.")


class FirstContacts(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """People who have never written."""

    burst: Annotated[
        int, Meta(ge=1, le=MOST_CONTACTS_AT_ONCE, description="So many of them are written to at once.")
    ] = 10
    interval: Annotated[float, Meta(gt=0, le=LONGEST_CONTACT_INTERVAL), _Interval] = 60.0
    per_day: Annotated[int, Meta(ge=1, le=MOST_CONTACTS_PER_DAY, description="The most of them in 24 hours.")] = 100


class AllMessages(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Messages to whomever."""

    burst: Annotated[int, Meta(ge=1, le=MOST_MESSAGES_AT_ONCE, description="So many go out at once.")] = 300
    interval: Annotated[float, Meta(gt=0, le=LONGEST_MESSAGE_INTERVAL), _Interval] = 1.0


class Pacing(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How fast the session sends."""

    type: PacingType = PacingType.DEFAULT
    first_contacts: FirstContacts = FirstContacts()
    messages: AllMessages = AllMessages()
