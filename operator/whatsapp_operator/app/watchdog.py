"""A thread that ends the process when the event loop cannot be relied upon to do so.

It ends the process in three cases that may come from a stuck event loop: the Lease has expired (another operator may act
by now), the orderly end takes too long, or the process still runs some time after a fault. The first is for the case that
the process that holds the Lease was stopped; if it runs, it ends this one itself (`lease_keeper`). Everything is
level-triggered, so a new process finds again whatever a hard end loses.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

from session_protocol import logs

CHECK_EVERY: Final = 0.25
""" Seconds between two checks. """

Exit = Callable[[int, str], None]
""" Ends the process with an exit status and a reason. """


def end_now(status: int, reason: str) -> NoReturn:
    """End the process without any clean-up, after one log line with the reason."""
    # Not through logging, whose lock may be what the loop hangs on.
    sys.stderr.write(logs.line("CRITICAL", __name__, "Process ends hard", why=reason, status=status) + "\n")
    sys.stderr.flush()
    os._exit(status)


class Watchdog:
    """Checks deadlines in a thread of its own."""

    def __init__(
        self,
        *,
        valid_until: Callable[[], float | None],
        monotonic: Callable[[], float] = time.monotonic,
        end: Exit = end_now,
    ) -> None:
        self._valid_until = valid_until
        """ Returns until when the Lease allows this process to act, monotonic seconds; None: it does not hold it. """
        self._monotonic = monotonic
        self._end = end
        self._deadline: tuple[float, int, str] | None = None

    def start(self) -> None:
        """Start the thread, which ends with the process."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def set_deadline(self, seconds: float, *, status: int, reason: str) -> None:
        """End the process after so many seconds, whatever happens; the earliest deadline counts."""
        at = self._monotonic() + seconds
        if self._deadline is None or at < self._deadline[0]:
            self._deadline = (at, status, reason)

    def clear_deadline(self) -> None:
        """Take the deadline back: what it was for is done, and the process goes on."""
        self._deadline = None

    def check(self) -> None:
        """End the process if a deadline has passed."""
        now, valid_until = self._monotonic(), self._valid_until()
        if valid_until is not None and now > valid_until:
            self._end(1, "the Lease was not renewed in time")
        if (deadline := self._deadline) is not None and now > deadline[0]:
            self._end(deadline[1], deadline[2])

    def _watch(self) -> None:
        while True:
            time.sleep(CHECK_EVERY)
            self.check()
