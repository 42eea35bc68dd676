"""Keeps every session's last failure for `core.recovery.circuit_breaker`, and reports when that opens or closes.

The store calls `on_session_changed` with every change of a session. The failures are in the sessions' status, so they
are complete after the first resync, even in a process that has just started.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Event, SessionUID
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.recovery.circuit_breaker import CircuitBreaker, runner_failures
from whatsapp_operator.runtime.kube.resources import PODS, uid_of
from whatsapp_operator.runtime.kube.store import Change, Store
from whatsapp_operator.runtime.process.clock import Clock, Timer, until
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)


class CircuitBreakerMonitor:
    """The circuit breaker of this operator's sessions, kept up to date."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        is_ours: Callable[[str], bool],
        on_changed: Callable[[str | None], None],
    ) -> None:
        self._store = store
        self._is_ours = is_ours
        """ Whether a namespace is this operator's: failures in another operator's namespaces do not count. """
        self._clock = clock
        self._metrics = metrics
        self._on_changed = on_changed
        """ Called when it opens (with the message) or closes (None). """
        self._failures: dict[SessionUID, datetime] = {}
        self._breaker = CircuitBreaker()
        self._timer: Timer | None = None
        self._complete = False

    @property
    def message(self) -> str | None:
        """Why recovery is paused; None: it is not."""
        return self._breaker.message

    def on_session_changed(self, change: Change) -> None:
        """Record the last failure of a session that changed in the store, and evaluate if it is a new one."""
        uid = SessionUID(uid_of(change.after or change.before or {"metadata": {}}))
        before = self._failures.pop(uid, None)
        recovery = ((change.after or {}).get("status") or {}).get("recovery") or {}
        ours = change.after is not None and self._is_ours(change.after["metadata"]["namespace"])
        if change.after is not None and ours and recovery.get("lastFailure"):
            self._failures |= runner_failures([WhatsAppSession.parse(change.after)])
        # Not during the first LISTs: as long as the pods are unknown, a few failures look like a large share.
        if self._complete and self._failures.get(uid) != before:
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate the circuit breaker: after a resync, after a new failure, and when it may close."""
        self._complete = True
        with_pod = {
            uid
            for pod in self._store.all(PODS)
            if (uid := ownership.session_uid(pod)) is not None and self._is_ours(pod["metadata"]["namespace"])
        }
        before, now = self._breaker.message, self._clock.now()
        self._breaker = self._breaker.after(failures=self._failures, with_pod=with_pod, now=now)
        self._metrics.recovery_paused.set(self._breaker.message is not None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._breaker.closes_at is not None:
            self._timer = self._clock.call_later(until(self._breaker.closes_at, clock=self._clock) + 0.1, self.evaluate)
        if before != self._breaker.message:
            logger.warning(
                "Recovery paused" if self._breaker.message else "Recovery resumed",
                extra={"failed_sessions": len(self._failures)},
            )
            self._on_changed(self._breaker.message)


def breaker_event(message: str | None) -> Event:
    """Return the event about an opened circuit breaker, with its message, or about a closed one."""
    if message is None:
        return Event(
            type="Normal",
            action="ResumingRecovery",
            reason="RecoveryResumed",
            message="No session has failed for five minutes.",
        )
    return Event(type="Warning", action="PausingRecovery", reason="RecoveryPaused", message=message)
