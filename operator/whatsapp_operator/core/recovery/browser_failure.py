"""A browser that does not start or dies: its image is to blame, or the release of the browser in it, so both are named.

The runner says what the browser quoted and which version it is of; it does not know what its image is called.
"""

from typing import Final

from session_protocol.vocabulary import BROWSER_FAILURES

from whatsapp_operator.api.session import LastFailure

LONGEST: Final = 500
""" Characters of the runner's message that a condition has; all of it stands in status.recovery.lastFailure. """
_REASONS: Final = frozenset(code.reason for code in BROWSER_FAILURES)


def browser_account(failure: LastFailure) -> str:
    """Return sentences about a browser that failed, each with a blank before it; empty: it was something else."""
    if failure.reason not in _REASONS or failure.exit_code is None:
        return ""
    message = (failure.message or "").removeprefix(f"{failure.reason}: ").strip()
    quoted = f" {message if len(message) <= LONGEST else message[: LONGEST - 1] + '…'}" if message else ""
    return f"{quoted} The image is {failure.image}." if failure.image else quoted
