"""What the log says of sessions at the level INFO: each change of a state, each start, and how all of them are.

The reconciler calls `log_change` once the status that it is about is stored, as it records events; after each resync
`HealthLog` counts all sessions. Its line comes when the figures have changed, and once in ten minutes when they have not,
so that a log that is silent is one of an operator that does nothing.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from session_protocol.states import STATES, OperatorState, Phase, traits_of

from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.objects.reading import Json
from whatsapp_operator.core.session.health_groups import GroupCounts, count_groups
from whatsapp_operator.runtime.process.clock import Clock

logger = logging.getLogger(__name__)

AGAIN_AFTER: Final = 600.0
""" Seconds after which the same figures are logged again. """
_BEFORE_START: Final = (
    None,
    OperatorState.QUEUED,
    OperatorState.PENDING,
    OperatorState.RECOVERING,
    OperatorState.SUSPENDED,
)
_NOT_UP: Final = (Phase.STARTING, Phase.EXITING)


def log_change(key: ObjectKey, before: SessionStatus, after: SessionStatus, *, now: datetime) -> None:
    """Log what is new in a status that was stored."""
    if after.state == before.state:
        return
    ready = find_condition(after.conditions, ConditionType.READY)
    logger.info(
        "The state changed",
        extra={
            **key.log_fields,
            "state": after.state,
            "previous_state": before.state,
            "reason": ready.reason if ready is not None else None,
            "duration_seconds": _between(before.state_transition_time, after.state_transition_time),
        },
    )
    if has_started(before.state, after.state):
        logger.info(
            "The session has started",
            extra={
                **key.log_fields,
                "state": after.state,
                "pod": after.pod_name,
                "quota": after.admission.quota_name if after.admission is not None else None,
                "duration_seconds": _since_reservation(after, now=now),
            },
        )


def has_started(before: str | None, after: str | None) -> bool:
    """Whether a page is up by the second state and was not by the first."""
    was_starting = before in _BEFORE_START or traits_of(before).phase is Phase.STARTING
    traits = STATES.get(after or "")
    return was_starting and traits is not None and traits.phase not in _NOT_UP and traits.hold is None


def _since_reservation(status: SessionStatus, *, now: datetime) -> float | None:
    """Return how long the start took; None after the first pod, as the reservation is older than that start."""
    restarts = status.recovery.restarts if status.recovery is not None else 0
    return _between(status.admission.reserved_at, now) if status.admission is not None and not restarts else None


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from one time to the other; None where one is not known."""
    return max(0.0, round((end - begin).total_seconds(), 3)) if begin is not None and end is not None else None


class HealthLog:
    """Logs how all sessions are."""

    def __init__(self, *, sessions: Callable[[], Iterable[Json]], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._last: GroupCounts | None = None
        self._at = 0.0

    async def report(self) -> None:
        """Log the figures if they are new, or old enough; called after each resync."""
        found, now = count_groups(self._sessions()), self._clock.monotonic()
        if found == self._last and now - self._at < AGAIN_AFTER:
            return
        self._last, self._at = found, now
        extra = {
            "sessions": found.sessions,
            "healthy": found.healthy,
            "resting": found.resting,
            "failed": found.failed,
            "waiting": found.waiting,
        }
        if found.is_healthy:
            logger.info("All sessions are healthy", extra=extra)
        else:
            logger.info("Not all sessions are healthy", extra=extra)
