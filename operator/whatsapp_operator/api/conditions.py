"""Conditions: their types, their reasons, and the one way to change a list of them.

The operator decides which conditions hold; this module keeps the vocabulary and the two promises that every consumer
relies on: `lastTransitionTime` moves only when the status changes, and the order of the list never jumps.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from session_protocol import times

from whatsapp_operator.api.base import SCHEMA_REQUIRED, StatusModel
from whatsapp_operator.api.fields import Int64, Time


class ConditionType(StrEnum):
    """The types the operator writes; the order here is the order in status."""

    READY = "Ready"
    LINKED = "Linked"
    ADMITTED = "Admitted"
    POD_READY = "PodReady"
    POD_SCHEDULED = "PodScheduled"
    SUSPENDED = "Suspended"
    STALLED = "Stalled"
    RECOVERING = "Recovering"
    CONFLICT = "Conflict"
    POD_SECURITY_NOT_ENFORCED = "PodSecurityNotEnforced"
    SANDBOXED = "Sandboxed"
    WEBHOOK_CLOSED = "WebhookClosed"
    SETTINGS_PENDING = "SettingsPending"
    TOKENS_RENEWED = "TokensRenewed"
    CALL_FAILED = "CallFailed"


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Reasons of the operator's own. A reason may also be a value of `status.state`, or the scheduler's."""

    # Ready, and the others where they follow from the same fact
    RUNNER_STARTING = "RunnerStarting"
    RUNNER_UNREACHABLE = "RunnerUnreachable"
    NO_POD = "NoPod"
    SUSPENDED = "Suspended"
    # Linked
    LINKED = "Linked"
    UNEXPECTED_ACCOUNT = "UnexpectedAccount"
    NOT_LINKED = "NotLinked"
    NOT_KNOWN = "NotKnown"
    # Admitted
    ADMITTED = "Admitted"
    WAITING_FOR_ADMISSION = "WaitingForAdmission"
    QUOTA_EXCEEDED = "QuotaExceeded"
    QUOTA_NOT_FOUND = "QuotaNotFound"
    SLOT_RELEASED = "SlotReleased"
    POD_START_TIMEOUT = "PodStartTimeout"
    # PodReady
    POD_READY = "PodReady"
    POD_STARTING = "PodStarting"
    VOLUME_NOT_BOUND = "VolumeNotBound"
    POD_NOT_READY = "PodNotReady"
    POD_TERMINATING = "PodTerminating"
    POD_ENDED = "PodEnded"
    # PodScheduled, where the scheduler gives no reason
    SCHEDULED = "Scheduled"
    # Suspended
    SUSPENDING = "Suspending"
    NOT_SUSPENDED = "NotSuspended"
    # What keeps a pod from being made
    NAME_TAKEN = "NameTaken"
    MULTIPLE_PODS = "MultiplePods"
    PREVIOUS_POD_TERMINATING = "PreviousPodTerminating"
    CLAIM_TERMINATING = "ClaimTerminating"
    CLAIM_NOT_FOUND = "ClaimNotFound"
    CLAIM_RESIZE_REFUSED = "ClaimResizeRefused"
    # Recovering, and the reason of a failure when nobody knows a better one
    BACKING_OFF = "BackingOff"
    RECOVERY_PAUSED = "RecoveryPaused"
    RESTART_REQUESTED = "RestartRequested"
    REPLACING_POD = "ReplacingPod"
    POD_OUTDATED = "PodOutdated"
    NOT_RECOVERING = "NotRecovering"
    RUNNER_EXITED = "RunnerExited"
    # Sandboxed
    SANDBOXED = "Sandboxed"
    SANDBOX_OFF = "SandboxOff"
    SANDBOX_INCOMPLETE = "SandboxIncomplete"
    # Stalled
    INVALID_OBJECT = "InvalidObject"
    NOT_ALLOWED = "NotAllowed"
    RECOVERY_EXHAUSTED = "RecoveryExhausted"
    NOT_STALLED = "NotStalled"
    # PodSecurityNotEnforced, which is there only while it is so
    NAMESPACE_NOT_LABELLED = "NamespaceNotLabelled"
    # WebhookClosed, which is there only while it is so
    DESTINATION_CLOSED = "DestinationClosed"
    # Stalled and Conflict: the runner's own words that must wait for a person
    CONFLICT = "Conflict"
    NO_CONFLICT = "NoConflict"
    TEMPORARILY_BANNED = "TemporarilyBanned"
    LOGGED_OUT = "LoggedOut"
    # TokensRenewed; the last one also SettingsPending, which is there only while it is so
    TOKENS_RENEWED = "TokensRenewed"
    TOKENS_RENEWING = "TokensRenewing"
    RUNNER_OUTDATED = "RunnerOutdated"


class Condition(StatusModel):
    """One aspect of the object's state, as all Kubernetes tools read it."""

    type: Annotated[str, Field(max_length=316, min_length=1)]
    """What the condition is about: a word like Ready."""
    status: ConditionStatus
    """Whether it holds: True, False or Unknown."""
    reason: Annotated[str, Field(max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """Why, in one word for programs."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Why, in a sentence for people."""
    last_transition_time: Annotated[Time | None, SCHEMA_REQUIRED] = None
    """When the status last changed."""
    observed_generation: Int64 | None = None
    """The metadata.generation this was decided for; an older one than the object's means that it may be outdated."""


Conditions = tuple[Condition, ...]

_ORDER = {str(kind): position for position, kind in enumerate(ConditionType)}


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Return the condition of this type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of this type is there and True."""
    found = find_condition(conditions, kind)
    return found is not None and found.status == ConditionStatus.TRUE


def set_condition(conditions: Iterable[Condition], new: Condition, now: datetime) -> Conditions:
    """Return the list with the new condition in it, in the place of the one of its type.

    Its `last_transition_time` need not be given: it stays the old one's while the status is the same, else it is now.
    The order is that of ConditionType, then types that this version does not know in the order they had.
    """
    before = tuple(conditions)
    old = find_condition(before, new.type)
    same = old is not None and old.status == new.status
    timed = new.model_copy(
        update={"last_transition_time": old.last_transition_time if old and same else times.whole_seconds(now)}
    )
    return _ordered([*(condition for condition in before if condition.type != new.type), timed])


def remove_condition(conditions: Iterable[Condition], kind: str) -> Conditions:
    """Return the list without the condition of this type."""
    return _ordered(condition for condition in conditions if condition.type != kind)


def _ordered(conditions: Iterable[Condition]) -> Conditions:
    return tuple(sorted(conditions, key=lambda condition: _ORDER.get(condition.type, len(_ORDER))))
