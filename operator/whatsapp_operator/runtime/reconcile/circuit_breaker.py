"""Keeps every session's health for `core.recovery.pauses`, and reports when a pause begins, is tried or ends.

The store calls `on_session_changed` with every change of a session. What counts is in the sessions themselves, so it is
complete after the first resync, even in a process that has just started.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.decision import Event
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import Phase
from whatsapp_operator.core.recovery.health import SessionHealth, session_health
from whatsapp_operator.core.recovery.pauses import PauseChange, RecoveryPauses
from whatsapp_operator.runtime.kube.resources import Json, key_of, uid_of
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.process.clock import Clock, Timer, until
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)

_EVENTS: Final = {
    Phase.OPEN: ("Warning", "PausingRecovery", "RecoveryPaused"),
    Phase.TRIAL: ("Normal", "TryingRecovery", "RecoveryTried"),
    Phase.CLOSED: ("Normal", "ResumingRecovery", "RecoveryResumed"),
}
""" Type, action and reason of the event about a pause. """
OnPauseChanged = Callable[[PauseChange, Iterable[ObjectKey]], None]


class CircuitBreakerMonitor:
    """The circuit breakers of this operator's namespaces and of the cluster, kept up to date."""

    def __init__(
        self,
        *,
        sessions: Callable[[], Iterable[Json]],
        clock: Clock,
        metrics: Metrics,
        runner_image: str,
        is_ours: Callable[[str], bool],
        on_changed: OnPauseChanged,
    ) -> None:
        self._sessions = sessions
        """ Gives all sessions of the store. """
        self._clock = clock
        self._metrics = metrics
        self._runner_image = runner_image
        self._is_ours = is_ours
        """ Whether a namespace is this operator's: failures in another operator's namespaces do not count. """
        self._on_changed = on_changed
        """ Called with each change, and with the sessions that it concerns. """
        self._keys: dict[SessionUID, ObjectKey] = {}
        self._first: dict[SessionUID, SessionHealth | None] | None = {}
        """ The sessions of the first LISTs, until they are complete: as long as sessions are missing, a few failures look
        like a large share. """
        self._pauses = RecoveryPauses()
        self._timer: Timer | None = None
        self._due: datetime | None = None
        self._shown: frozenset[str] = frozenset()
        """ Whose pauses the metrics name. """

    def message(self, session: SessionUID) -> str | None:
        """Return why recovery is paused for a session; None: it is not."""
        return self._pauses.message(session)

    def on_session_changed(self, change: Change) -> None:
        """Take note of a session that changed in the store."""
        before, after = change
        uid = SessionUID(uid_of(after or before or {"metadata": {}}))
        if before is not None and uid_of(before) != uid:  # deleted and made anew between two events
            self._take(SessionUID(uid_of(before)), None)
        health = None
        if after is not None and self._is_ours(after["metadata"]["namespace"]):
            health = session_health(after, runner_image=self._runner_image)
            self._keys[uid] = key_of(after)
        self._take(uid, health)

    async def resync(self) -> None:
        """Let pauses begin and end after a resync; the first one is what all sessions are taken from."""
        for session in self._sessions():  # told of before it was known whose their namespace is
            if SessionUID(uid_of(session)) not in self._keys:
                self.on_session_changed(Change(None, session))
        if self._first is None:
            self._drop_foreign()
            self.evaluate()
            return
        first, self._first = self._first, {}
        stored = {uid: health for uid, health in first.items() if health is not None}
        for changes in self._pauses.restore(stored, now=self._clock.now()):
            self._report(changes)
            await asyncio.sleep(0)
        later, self._first = self._first, None
        for uid, health in later.items():
            self._take(uid, health)

    def evaluate(self) -> None:
        """Let pauses change whose time has come."""
        self._report(self._pauses.advance(self._clock.now()))

    def _drop_foreign(self) -> None:
        """Drop the sessions of namespaces that were given to another operator."""
        for namespace in self._pauses.namespaces:
            if not self._is_ours(namespace):
                for uid in [*self._pauses.sessions(namespace)]:
                    self._take(uid, None)

    def _take(self, uid: SessionUID, health: SessionHealth | None) -> None:
        if health is None:
            self._keys.pop(uid, None)
        if self._first is not None:
            self._first[uid] = health
        else:
            self._report(self._pauses.update(uid, health, now=self._clock.now()))

    def _report(self, changes: Collection[PauseChange]) -> None:
        """Report what has changed, and look again when the next pause is due to change."""
        self._metrics.recovery_paused.set(self._pauses.everywhere)
        self._metrics.paused_namespaces.set(self._pauses.paused_namespaces)
        shown, self._shown = self._shown, self._pauses.paused_by_own_failures
        for namespace in shown - self._shown:
            self._metrics.namespace_paused.remove(namespace)
        for namespace in self._shown - shown:
            self._metrics.namespace_paused.labels(namespace).set(1)
        if changes:
            self._wait_until(self._pauses.due)
        for change in changes:
            if change.message is not None:
                _log(change)
            self._on_changed(change, [self._keys[uid] for uid in self._pauses.sessions(change.namespace)])

    def _wait_until(self, due: datetime | None) -> None:
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            self._timer = self._clock.call_later(until(due, clock=self._clock) + 0.1, self._on_time)

    def _on_time(self) -> None:
        self._due = self._timer = None
        self.evaluate()
        self._wait_until(self._pauses.due)  # a failure may have prolonged the pause, which changes nothing yet


def _log(change: PauseChange) -> None:
    """Log a change; without a namespace it is one for all."""
    match change.phase:
        case Phase.OPEN:
            logger.warning("Recovery paused", extra={"namespace": change.namespace})
        case Phase.TRIAL:
            logger.warning("Recovery is tried", extra={"namespace": change.namespace})
        case Phase.CLOSED:
            logger.info("Recovery resumed", extra={"namespace": change.namespace})


def pause_event(change: PauseChange) -> Event | None:
    """Return the event about a change of a pause, for the operator's Lease; None: there is nothing new to tell."""
    if change.message is None:
        return None
    type_, action, reason = _EVENTS[change.phase]
    return Event(type=type_, action=action, reason=reason, message=change.message)
