"""Publishes the state of the session: to the state file, to the store that the HTTP side reads, to log and metrics.

The monitor gives it each verdict, the session what it says of its own end, and the watch over the volume a remark.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache

from session_protocol.redaction import redact
from session_protocol.states import is_linked
from session_protocol.vocabulary import StateReason

from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.state_file import StateFile
from session_runner.states.history import History
from session_runner.states.verdicts import Verdict
from session_runner.store import StateStore

logger = logging.getLogger(__name__)


@lru_cache(maxsize=64)
def _redacted(message: str) -> str:
    """Return a message as everybody may read it: a ban's code is in the page's own words."""
    return redact(message)


@dataclass(kw_only=True)
class Publisher:
    """Publishes one state after another."""

    store: StateStore
    state_file: StateFile
    metrics: Metrics
    verdict: Verdict | None = None
    """ The last one published. """
    remark: str = ""
    """ What is said beside every state: that the volume is nearly full, say. """

    def publish(self, verdict: Verdict, history: History, *, note: str = "") -> None:
        """Publish a state; log and count it if it is new. A note is not stored."""
        self.verdict = verdict
        message = _redacted(verdict.message)
        self.state_file.reported(state=verdict.state, reason=verdict.reason, message=message)
        if self.store.is_unexpected and verdict.reason is not StateReason.UNEXPECTED_ACCOUNT:
            note += " The linked account is another one than the number in the session's Secret."
        message += note
        saved = self.state_file.saved
        linked = is_linked(verdict.state, answer=self._remembered_link(history))
        times = linked is not False
        if linked is False:
            self.store.show_account(None)
        changed = self.store.publish(
            state=verdict.state,
            reason=verdict.reason,
            message=f"{message} {self.remark}" if self.remark else message,
            linked=linked,
            linked_time=saved.linked_time if times else None,
            durable_time=saved.durable_time if times else None,
            round=history.round,
            logout=saved.logout if linked is False else None,
        )
        if changed:
            self.metrics.show_state(verdict.state)
            logger.info(
                "The state changed",
                extra={"state": verdict.state, "reason": verdict.reason, "round": history.round},
            )

    def add_remark(self, remark: str, history: History) -> None:
        """Add a remark to every state from now on; empty: none."""
        if remark != self.remark:
            self.remark = remark
            if remark:
                logger.warning("The state has a remark", extra={"remark": remark})
            else:
                logger.info("The state has no remark any more")
            if self.verdict is not None:
                self.publish(self.verdict, history)

    def _remembered_link(self, history: History) -> bool | None:
        """Whether a phone is linked, by the state file and earlier probes; None: unknown."""
        if self.state_file.login_is_over:
            return False
        if self.state_file.saved.linked_time is not None:
            return True
        return False if history.unregistered_since is not None else None
