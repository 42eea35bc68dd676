"""When many sessions fail at once, replacing their pods does not help: it loads nodes and looks like an attack.

A bad image, a broken node or a change of the page makes sessions fail together (`mass_failure`). Then the circuit
breaker of a namespace, or of the whole cluster, opens and pauses recovery there; first starts and the replacement of
lost pods go on. `pauses` keeps one for each namespace and one for the cluster.

    closed ── mass failure ──> open ── COOLDOWN without a failure ──> closed
                ^                │
                │                └── LONGEST ──> trial ── nobody waits any more ──> closed
                └───────── mass failure ───────────┘

A pause has an end that nobody can put off: after LONGEST, recovery is tried with one session, then with twice as many
in each STEP, those that have waited longest first. Sessions that were made during the pause do not prolong it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import nsmallest
from typing import Final

from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.mass_failure import FailureRecord, Window

COOLDOWN: Final = timedelta(minutes=5)
""" This long without a failure closes it. """
LONGEST: Final = timedelta(minutes=15)
""" After this time recovery is tried, whatever fails meanwhile. """
STEP: Final = timedelta(minutes=1)
""" So long is each step of a trial; each lets twice as many sessions go on as the one before. """

Waiting = Callable[[], Iterable[tuple[datetime, SessionUID]]]
""" Gives the sessions whose pods wait for the end of the pause, with the times of their last failures. """


class Phase(StrEnum):
    """The states of a circuit breaker: recovery goes on, is paused, or is tried with a few sessions."""

    CLOSED = "Closed"
    OPEN = "Open"
    TRIAL = "Trial"


class CircuitBreaker:
    """Whether recovery is paused for some sessions, and which of them may be tried."""

    def __init__(self) -> None:
        self.record = FailureRecord()
        self.opened: datetime | None = None
        """ None: it is closed. """
        self._last_failure: datetime | None = None
        """ The last one that prolongs the pause. """
        self._trial: datetime | None = None
        """ When the trial began. """
        self._steps = 0
        self._tried: set[SessionUID] = set()

    @property
    def phase(self) -> Phase:
        """The present state."""
        if self.opened is None:
            return Phase.CLOSED
        return Phase.OPEN if self._trial is None else Phase.TRIAL

    @property
    def due(self) -> datetime | None:
        """When to call `advance` although nothing happens; None: it is closed."""
        if self.opened is None:
            return None
        if self._trial is not None:
            return self._trial + self._steps * STEP
        longest = self.opened + LONGEST
        return longest if self._last_failure is None else min(self._last_failure + COOLDOWN, longest)

    def pauses(self, session: SessionUID) -> bool:
        """Whether a session that has failed gets no new pod for now."""
        return self.opened is not None and session not in self._tried

    def failed(
        self,
        session: SessionUID,
        time: datetime,
        *,
        created: datetime | None,
        is_mass_failure: Callable[[Window, float], bool],
    ) -> Window | None:
        """Take note of a failure; return the window that has opened the breaker, if it has.

        :param created: when the session was made.
        :param is_mass_failure: judges the sessions that failed together, and how many usually do.
        """
        if self.phase is Phase.OPEN:
            if created is None or self.opened is None or created <= self.opened:
                self._last_failure = max(self._last_failure or time, time)
            return None
        self.record.add(session, time)
        window = self.record.fullest(time)
        if not is_mass_failure(window, self.record.usual(window.end)):
            return None
        self.record.drop(window)
        self._reset()
        self.opened = self._last_failure = window.end
        return window

    def advance(self, now: datetime, waiting: Waiting) -> None:
        """Close it, begin the trial or take the trial's next steps, as the time says."""
        if self.opened is None:
            return
        self._not_after(now)
        if self._trial is None:
            if (due := self.due) is None or due > now:
                return
            if due < self.opened + LONGEST:
                self._reset()
                return
            self._trial = due
        while (due := self.due) is not None and due <= now:
            allowed, self._steps = 1 << self._steps, self._steps + 1
            left = nsmallest(allowed, ((time, uid) for time, uid in waiting() if uid not in self._tried))
            if not left:
                self._reset()
                return
            self._tried.update(uid for _, uid in left)

    def _reset(self) -> None:
        self.opened = self._last_failure = self._trial = None
        self._steps = 0
        self._tried = set()

    def _not_after(self, now: datetime) -> None:
        """Bring times back that a clock gave which was ahead: a pause must not last as long as the error."""
        self.opened = self.opened and min(self.opened, now)
        self._last_failure = self._last_failure and min(self._last_failure, now)
        self._trial = self._trial and min(self._trial, now)
