"""The class of a recorded failure: the cause in the table, from what status keeps of it.

A status keeps the reason in the words of whoever saw the failure (`Signal9`, a container runtime's own), which are
without end; a metric needs one of a few words. The operator that decided knows the cause, but the status outlives it.
"""

from functools import lru_cache
from typing import Final

from whatsapp_operator.core.recovery.causes import CAUSES, UNKNOWN

_FAILURES: Final = tuple(cause for cause in CAUSES if cause.is_failure)
FAILURE_CLASSES: Final = tuple(cause.name for cause in _FAILURES)
""" What a failure may be; all of them count against the session. """


@lru_cache(maxsize=256)
def failure_class(reason: str, exit_code: int | None) -> str:
    """Return the name of the cause that a recorded reason and exit code are signs of; that of no row is `Unknown`."""
    if reason in FAILURE_CLASSES:
        return reason
    for cause in _FAILURES:
        for sign in cause.signs:
            if reason in (*sign.pod_reason, *sign.exit_reason) or exit_code in sign.exit_code:
                return cause.name
    return UNKNOWN.name
