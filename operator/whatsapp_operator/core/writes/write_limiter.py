"""When a status that is not urgent may be written: changes are gathered, and a restless session is slowed down.

The runtime keeps one `WriteLimiter` per session and asks it after each decision; nothing here writes or waits.

    limiter = limiter.after_decision(now=now, differs=wanted != stored, urgent=is_urgent(stored, wanted))
    due = limiter.due(commit=decision.commit, delay_until=decision.delay_status_until)      # None: nothing to write
    if due is not None and due <= now: write, then limiter = limiter.after_write(now=now); else decide again at due
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.conditions import ConditionType, find_condition
from whatsapp_operator.api.session import SessionStatus

BATCH_WINDOW: Final = timedelta(seconds=1)
""" Changes within this time become one write. """
BURST: Final = 4
""" Writes a session may make at once after a calm time. """
REFILL: Final = timedelta(seconds=5)
""" How long it takes to regain one. """
MAX_DELAY: Final = timedelta(seconds=5)
""" What people and tools wait for is never written later than this, and nothing is delayed longer. """
URGENT: Final = (ConditionType.READY, ConditionType.ADMITTED, ConditionType.STALLED, ConditionType.CONFLICT)


def is_urgent(stored: SessionStatus, wanted: SessionStatus) -> bool:
    """Whether one of the conditions that people and tools wait for changed its status or reason."""
    for kind in URGENT:
        old, new = find_condition(stored.conditions, kind), find_condition(wanted.conditions, kind)
        if (old and (old.status, old.reason)) != (new and (new.status, new.reason)):
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class WriteLimiter:
    """What one session may still write, and since when something waits to be written."""

    used: float = 0.0
    """ Writes made and not regained, as of `counted`; at most BURST. """
    counted: datetime | None = None
    waiting_since: datetime | None = None
    """ When what is stored was first seen to differ from what is wanted. """
    urgent_since: datetime | None = None

    def after_decision(self, *, now: datetime, differs: bool, urgent: bool) -> "WriteLimiter":
        """Return the limiter after a decision: whether its status differs from the stored one, and urgently so."""
        return replace(
            self,
            waiting_since=(self.waiting_since or now) if differs else None,
            urgent_since=(self.urgent_since or now) if differs and urgent else None,
        )

    def due(self, *, commit: bool = False, delay_until: datetime | None = None) -> datetime | None:
        """Return when the waiting difference is to be written, maybe in the past; None when nothing waits.

        A commit waits for nothing. `delay_until`, however late, delays by MAX_DELAY at most.
        """
        if self.waiting_since is None:
            return None
        if commit:
            return self.waiting_since
        due = self.waiting_since + BATCH_WINDOW
        if self.counted is not None and self.used > BURST - 1:
            due = max(due, self.counted + (self.used - (BURST - 1)) * REFILL)
        if self.urgent_since is not None:
            due = min(due, self.urgent_since + MAX_DELAY)
        if delay_until is not None:
            due = max(due, min(delay_until, self.waiting_since + MAX_DELAY))
        return due

    def after_write(self, *, now: datetime) -> "WriteLimiter":
        """Return the limiter after a write, also after one that waited for nothing."""
        return WriteLimiter(used=min(self._used_at(now) + 1, float(BURST)), counted=now)

    def _used_at(self, now: datetime) -> float:
        if self.counted is None:
            return 0.0
        return max(0.0, self.used - max(now - self.counted, timedelta()) / REFILL)
