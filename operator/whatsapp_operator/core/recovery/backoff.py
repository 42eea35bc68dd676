"""How long to wait before the next attempt, and when to give up."""

from datetime import datetime, timedelta
from typing import Final

from whatsapp_operator.api.session import RecoverySpec

MAX_DELAY: Final = timedelta(minutes=5)
""" The longest delay between two attempts. """


def delay(spec: RecoverySpec, *, failures: int) -> timedelta:
    """Return the delay after the n-th failure in a row: baseDelay·2^(n−1), at most five minutes; zero for n = 0."""
    if failures < 1:
        return timedelta()
    # 2^30 times the smallest delay that can be written (1 ms) is days, so larger powers are not needed.
    return min(spec.base_delay * (1 << min(failures - 1, 30)), MAX_DELAY)


def rounded_up(moment: datetime) -> datetime:
    """Round up to whole seconds, the resolution of status; rounding down would shorten a wait."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)


def is_exhausted(spec: RecoverySpec, *, failures: int) -> bool:
    """Whether there were so many failures in a row that no further pod is created."""
    return failures > spec.max_attempts
