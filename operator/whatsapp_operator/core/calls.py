"""Calls to the API server that failed: which, why, for how long, and how long each waits until it is tried again.

The runtime keeps one record per session and call and shows it to each decision (`Observation.failed_calls`). A decision
leaves out what waits, and `session.failed_calls` turns the records into a condition and events. So a call that fails
keeps back what relies on it and nothing else: the rest of the status is decided and written as ever.

A refusal (a missing right, a quota, a policy, an invalid object) is shown at once, because the same call would be refused
again. Anything else (no answer, a server error, a conflict, too many requests) may be over with the next attempt: it is
shown when it has failed at least twice in PATIENCE, and a blip makes no noise.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

FIRST_RETRY: Final = 1.0
""" Seconds until the second attempt, … """
FACTOR: Final = 4
""" … as many times longer after each further failure, … """
LAST_RETRY: Final = 120.0
""" … and so long at most: six attempts in five minutes. """
PATIENCE: Final = timedelta(seconds=20)
""" A failure that is no refusal is shown when it has lasted so long. """
_NUMBERED: Final = re.compile(r"[\w.:-]*\d[\w.:-]*")
""" A port, an address, a count, an id: what differs between two accounts of the same failure. """


class Verb(StrEnum):
    """What a call does, as the API server's rights name it."""

    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"
    GET = "get"
    LIST = "list"
    UPDATE_STATUS = "update the status of"


class Call(NamedTuple):
    """A call to the API server, by what it is to do."""

    verb: Verb
    kind: str
    name: str
    """ Of the object; of a LIST of all that there is, empty. """

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}".rstrip()


class CallReason(StrEnum):
    """Why a call failed, where the API server gives no reason of its own."""

    TIMEOUT = "Timeout"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    INTERNAL_ERROR = "InternalError"
    NOT_KEPT = "NotKept"
    FIELDS_DROPPED = "FieldsDropped"
    NAMESPACE_TERMINATING = "NamespaceTerminating"


@dataclass(frozen=True, kw_only=True)
class FailedCall:
    """A call that failed and has not succeeded since."""

    call: Call
    reason: str
    """ The API server's, in one word. """
    message: str
    """ The API server's, cut and redacted. """
    refused: bool
    """ The API server refused it, and would again. """
    failures: int = 1
    """ In a row. """
    lasted: timedelta = timedelta()
    """ Since the first of them. """
    retry_in: timedelta = timedelta()
    """ Until the next attempt; 0: it is due. """

    @property
    def is_shown(self) -> bool:
        """Whether people are to know of it."""
        return self.refused or (self.failures > 1 and self.lasted >= PATIENCE)

    @property
    def waits(self) -> bool:
        """Whether it must not be tried yet."""
        return self.retry_in > timedelta()


def retry_delay(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row, from 1."""
    return float(min(LAST_RETRY, FIRST_RETRY * FACTOR ** min(failures - 1, 16)))


def is_same_failure(one: str, other: str) -> bool:
    """Whether two messages differ in nothing but numbers, so that the second is no news."""
    return one == other or _NUMBERED.sub("#", one) == _NUMBERED.sub("#", other)
