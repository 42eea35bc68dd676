"""The words of `status.state` that are the operator's own. The runner's words are in `session_protocol.vocabulary`.

`state` is a text by pattern (`WORD_PATTERN`) and not an enumeration: a runner newer than the operator may say a word
that this version has never heard. It is then shown as it is and counts as not connected.
"""

from enum import StrEnum


class OperatorState(StrEnum):
    """What the operator says while no runner of the current pod answers."""

    QUEUED = "Queued"
    PENDING = "Pending"
    UNREACHABLE = "Unreachable"
    RECOVERING = "Recovering"
    SUSPENDED = "Suspended"
    STALLED = "Stalled"
