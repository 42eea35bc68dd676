"""When a changed status is written: changes are batched, and a session that changes often is written less often.

The runtime keeps one `WriteLimiter` per session and asks it after each decision; nothing here writes or waits.

    limiter = limiter.after_decision(
        now=now, differs=wanted != stored, urgent=is_urgent(stored, wanted), turned=is_turned(stored, wanted)
    )
    due = limiter.due(commit=decision.commit, delay_until=decision.delay_status_until)      # None: nothing to write
    if due is not None and due <= now: write, then limiter = limiter.after_write(now=now); else decide again at due
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.session import SessionStatus

BATCH_WINDOW: Final = timedelta(seconds=1)
""" Changes within this time become one write. """
BURST: Final = 4
""" Writes that a session may make in a row after a quiet time. """
REFILL: Final = timedelta(seconds=5)
""" One more write is allowed after each such time. """
MAX_DELAY: Final = timedelta(seconds=5)
""" The longest delay of an urgent change, and the longest that `delay_until` can ask for. """
URGENT: Final = (ConditionType.READY, ConditionType.ADMITTED, ConditionType.STALLED, ConditionType.CONFLICT)


def is_urgent(stored: SessionStatus, wanted: SessionStatus) -> bool:
    """Whether a condition that people and tools wait for changed its status or reason."""
    for kind in URGENT:
        old, new = find_condition(stored.conditions, kind), find_condition(wanted.conditions, kind)
        if (old and (old.status, old.reason)) != (new and (new.status, new.reason)):
            return True
    return False


def is_turned(stored: SessionStatus, wanted: SessionStatus) -> bool:
    """Whether a session became Ready or stopped being so: what people wait for, with nothing to come that could join it."""
    old, new = (find_condition(status.conditions, ConditionType.READY) for status in (stored, wanted))
    return (old is not None and old.status == ConditionStatus.TRUE) != (
        new is not None and new.status == ConditionStatus.TRUE
    )


def is_edited(stored: SessionStatus, wanted: SessionStatus) -> bool:
    """Whether the stored status answers an older generation: somebody edited the session and looks whether that is seen."""
    return stored.observed_generation is not None and stored.observed_generation != wanted.observed_generation


@dataclass(frozen=True, kw_only=True)
class WriteLimiter:
    """How many writes one session has used up, and since when a change waits to be written."""

    used: float = 0.0
    """ Writes used up and not regained, as of `counted`; at most BURST. """
    counted: datetime | None = None
    waiting_since: datetime | None = None
    """ When the stored status was first seen to differ from the wanted one. """
    urgent_since: datetime | None = None
    edited_since: datetime | None = None
    turned_since: datetime | None = None

    def after_decision(
        self, *, now: datetime, differs: bool, urgent: bool, edited: bool = False, turned: bool = False
    ) -> "WriteLimiter":
        """Return the limiter after a decision, whose status `differs` from the stored one, and perhaps urgently.

        :param edited: the change answers an edit.
        :param turned: the session became Ready or stopped being so; such a change is not held for others to join it.
        """
        return replace(
            self,
            waiting_since=(self.waiting_since or now) if differs else None,
            urgent_since=(self.urgent_since or now) if differs and urgent else None,
            edited_since=(self.edited_since or now) if differs and edited else None,
            turned_since=(self.turned_since or now) if differs and turned else None,
        )

    def due(self, *, commit: bool = False, delay_until: datetime | None = None) -> datetime | None:
        """Return when to write the change, which may be in the past; None when there is none.

        A commit is due at once. `delay_until`, however late, delays by MAX_DELAY at most, and nothing delays the answer
        to an edit.
        """
        if self.waiting_since is None:
            return None
        if commit:
            return self.waiting_since
        due = self.waiting_since + BATCH_WINDOW
        if self.turned_since is not None:
            due = min(due, self.turned_since)
        if self.counted is not None and self.used > BURST - 1:
            due = max(due, self.counted + (self.used - (BURST - 1)) * REFILL)
        if self.urgent_since is not None:
            due = min(due, self.urgent_since + MAX_DELAY)
        if delay_until is not None:
            due = max(due, min(delay_until, self.waiting_since + MAX_DELAY))
        if self.edited_since is not None:
            due = min(due, self.edited_since + BATCH_WINDOW)
        return due

    def after_write(self, *, now: datetime) -> "WriteLimiter":
        """Return the limiter after a write; a commit counts as one, too."""
        return WriteLimiter(used=min(self._used_at(now) + 1, float(BURST)), counted=now)

    def _used_at(self, now: datetime) -> float:
        if self.counted is None:
            return 0.0
        return max(0.0, self.used - max(now - self.counted, timedelta()) / REFILL)
