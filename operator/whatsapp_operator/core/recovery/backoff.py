"""How long to wait before the next attempt, and when to give up."""

from datetime import timedelta
from typing import Final

from whatsapp_operator.api.session import RecoverySpec

MAX_DELAY: Final = timedelta(minutes=5)
""" No pause between two attempts is longer. """


def delay(spec: RecoverySpec, *, failures: int) -> timedelta:
    """Return the pause after the n-th failure in a row: baseDelay·2^(n−1), at most five minutes; none before the first."""
    if failures < 1:
        return timedelta()
    # 2^30 of the smallest delay that can be written (1 ms) is days: no need to compute with huge powers.
    return min(spec.base_delay * (1 << min(failures - 1, 30)), MAX_DELAY)


def is_exhausted(spec: RecoverySpec, *, failures: int) -> bool:
    """Whether this many failures in a row are more than a new pod answers."""
    return failures > spec.max_attempts
