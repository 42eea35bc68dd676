"""When many sessions fail at once, replacing their pods does not help: it loads nodes and looks like an attack.

A bad image, a broken node or a change of the page makes sessions fail together. Then the circuit breaker opens and
pauses recovery for all sessions, until five minutes pass without a failure; first starts and the replacement of lost
pods go on. The runtime keeps one `CircuitBreaker` and evaluates it with every session's last failure, after each change
and each resync. The failures are in status, so a restarted operator finds the circuit breaker open again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.recovery.failure import is_runner_failure

WINDOW: Final = timedelta(minutes=1)
""" Failures within this time count together. """
COOLDOWN: Final = timedelta(minutes=5)
""" This long without a failure closes it. """
MIN_FAILURES: Final = 3
""" Fewer failing sessions are no mass failure, however few sessions there are: two of three is bad luck. """
SHARE: Final = 3
""" More than one in this many of the sessions that have a pod. """

MESSAGE: Final = (
    "Recovery is paused for all sessions, because more than a third of them failed within a minute. It resumes "
    "after five minutes without a failure. Find what the failed ones have in common: image, node, network or page."
)


def runner_failures(sessions: Iterable[WhatsAppSession]) -> dict[SessionUID, datetime]:
    """Return when each session's runner last failed, by its exit or its state; without a failure it is omitted."""
    times = {}
    for session in sessions:
        failure = session.status.recovery and session.status.recovery.last_failure
        if failure and failure.time is not None and is_runner_failure(failure):
            times[names.session_uid(session)] = failure.time
    return times


@dataclass(frozen=True, kw_only=True)
class CircuitBreaker:
    """Whether it is open (recovery is paused), since when, and which failure was the last."""

    opened: datetime | None = None
    """ None: it is closed, and recovery goes on. """
    last_failure: datetime | None = None

    @property
    def message(self) -> str | None:
        """Why recovery is paused, for `Observation.recovery_paused`; None: it is not."""
        return None if self.opened is None else MESSAGE

    @property
    def closes_at(self) -> datetime | None:
        """When it closes if nothing fails until then."""
        return None if self.opened is None or self.last_failure is None else self.last_failure + COOLDOWN

    def after(
        self, *, failures: Mapping[SessionUID, datetime], with_pod: AbstractSet[SessionUID], now: datetime
    ) -> "CircuitBreaker":
        """Return the circuit breaker as of now.

        :param failures: `runner_failures` of all sessions.
        :param with_pod: the sessions that have a pod; those that just failed count as such, too.
        """
        times = sorted((time, uid) for uid, time in failures.items())
        last = max((time for time in (self.last_failure, times[-1][0] if times else None) if time), default=None)
        if last is None or now - last >= COOLDOWN:
            return CircuitBreaker(last_failure=last)
        since = self.opened or _mass_failure(times, with_pod=with_pod, now=now)
        return CircuitBreaker(opened=since, last_failure=last)


def _mass_failure(
    times: list[tuple[datetime, SessionUID]], *, with_pod: AbstractSet[SessionUID], now: datetime
) -> datetime | None:
    """Return when too many sessions had failed within WINDOW, looking back to the last COOLDOWN without a failure."""
    later = now
    for position in range(len(times) - 1, -1, -1):
        moment = times[position][0]
        if later - moment >= COOLDOWN:
            return None
        later = moment
        first = bisect_right(times, moment - WINDOW, hi=position + 1, key=lambda failure: failure[0])
        failed = {uid for _, uid in times[first : position + 1]}
        if len(failed) >= MIN_FAILURES and len(failed) * SHARE > len(with_pod | failed):
            return moment
    return None
