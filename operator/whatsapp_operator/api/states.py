"""The words of `status.state` that are the operator's own. The runner's words are the runner's (its `states` package).

`state` is a text by pattern and not an enumeration: a runner newer than the operator may say a word that this version
has never heard. It is then shown as it is and counts as not connected.
"""

from enum import StrEnum
from typing import Final

STATE_PATTERN: Final = "^[A-Z][A-Za-z0-9]{0,62}$"


class OperatorState(StrEnum):
    """What the operator says while no runner of the current pod answers."""

    QUEUED = "Queued"
    PENDING = "Pending"
    UNREACHABLE = "Unreachable"
    RECOVERING = "Recovering"
    SUSPENDED = "Suspended"
    STALLED = "Stalled"
