"""One reconciliation of one session: observe, decide, write the status, act, record events.

Called by the workers with a key that changed somehow. It does not matter what happened: everything that is known of
the session goes into an `Observation`, the core decides, and this module carries the decision out in the order that
survives a crash at any point:

    status that must be stored first (commit) ──> look again ──> actions ──> look again ──> other status, when due

After each commit and after each batch of actions the session is decided anew on what the API server answered, so that
a session goes from admitted to created without waiting for its own events.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import (
    Decision,
    Defaults,
    Observation,
    PodFacts,
    PodUID,
    RefusedAction,
    SessionUID,
)
from whatsapp_operator.core.quota.reservations import covers, stored_reservation
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.foreign_objects import REREAD_INTERVAL, ForeignObjects
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, uid_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock, until
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder
from whatsapp_operator.runtime.reconcile.executor import ActionContext, Executor, Requeue
from whatsapp_operator.runtime.reconcile.observer import Observer
from whatsapp_operator.runtime.reconcile.status_writer import PendingWrite, StatusWriter
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller

logger = logging.getLogger(__name__)

MAX_DECISIONS: Final = 8
""" Decisions in one look at most. A session needs four from nothing to its pod; more looks like two sides that undo
each other, and then the back-off is the brake. """


class NotConverged(Exception):
    """The session still changed after MAX_DECISIONS decisions."""


@dataclass
class SessionCacheEntry:
    """What is remembered of one session between two reconciliations; all of it can be lost."""

    uid: SessionUID
    foreign_objects: ForeignObjects
    pending_write: PendingWrite = field(default_factory=PendingWrite)
    refused_action: RefusedAction | None = None


@dataclass(frozen=True, kw_only=True)
class ReconcilerDeps:
    """What a reconciliation needs."""

    store: Store
    clock: Clock
    observer: Observer
    executor: Executor
    writer: StatusWriter
    event_recorder: EventRecorder
    runners: RunnerPoller
    admission: Admission
    instance: Instance
    defaults: Callable[[], Defaults]
    """ Asked for each look: the current key changes with a rotation. """
    foreign_objects: Callable[[], ForeignObjects]


class Reconciler:
    """Reconciles sessions."""

    def __init__(self, deps: ReconcilerDeps) -> None:
        self._deps = deps
        self._cache: dict[ObjectKey, SessionCacheEntry] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Deal with a session; return in how many seconds to look again, None: when something happens.

        :raises KubeError: the API server could not be asked or did not do it; back off and look again.
        :raises NotConverged: something undoes what is done; back off and look again.
        """
        if not await self._deps.instance.serves(key.namespace):
            self.forget(key)
            return None
        for _ in range(MAX_DECISIONS):
            observed = self._deps.store.get(SESSIONS, key)
            if observed is None:
                self.forget(key)
                return None
            entry = self._cache_entry(key, observed)
            await entry.foreign_objects.refresh()
            try:
                decision, requeue = await self._step(key, observed, entry)
            except Requeue as found:
                logger.debug("Looking again", extra={"session": str(key), "why": str(found)})
                continue
            if not requeue:
                return self._requeue_after(decision, entry)
        raise NotConverged(f"{key} was not settled after {MAX_DECISIONS} decisions")

    def forget(self, key: ObjectKey) -> None:
        """The session is gone, or another operator's: stop everything about it."""
        entry = self._cache.pop(key, None)
        self._deps.runners.forget(key)
        if entry is not None:
            self._deps.admission.forget(entry.uid)

    def _cache_entry(self, key: ObjectKey, observed: Json) -> SessionCacheEntry:
        uid = SessionUID(uid_of(observed))
        entry = self._cache.get(key)
        if entry is not None and entry.uid != uid:  # deleted and applied anew: nothing of the old one holds
            self.forget(key)
            entry = None
        if entry is None:
            entry = self._cache[key] = SessionCacheEntry(uid, self._deps.foreign_objects())
        return entry

    async def _step(self, key: ObjectKey, observed: Json, entry: SessionCacheEntry) -> tuple[Decision, bool]:
        """Decide once and carry it out; return whether to decide again at once."""
        session = WhatsAppSession.parse(observed)
        observation = self._deps.observer.observe(
            session, refused_action=entry.refused_action, foreign_objects=entry.foreign_objects
        )
        decision = decide(observation, self._deps.defaults())
        logger.debug("Decided", extra={"session": str(key), **decision.details})
        self._update_admission(observation, decision, entry)
        requeue = self._poll_runner(key, entry.uid, observation, decision)
        if decision.commit or not decision.actions:
            wrote = await self._write(observed, session, decision, entry)
            return decision, wrote or requeue
        context = ActionContext(key=key, uid=entry.uid, foreign_objects=entry.foreign_objects)
        for action in decision.actions:
            refused_action = await self._deps.executor.execute(action, context)
            if refused_action is not None:
                entry.refused_action = refused_action
                break  # what follows builds on it
            if entry.refused_action is not None and entry.refused_action.action is type(action):
                entry.refused_action = None
        return decision, True

    async def _write(
        self, observed: Json, session: WhatsAppSession, decision: Decision, entry: SessionCacheEntry
    ) -> bool:
        if not await self._deps.writer.write(observed, session.status, decision, entry.pending_write):
            return False
        for event in decision.events:  # the status that tells the same is written
            self._deps.event_recorder.record(observed, event)
        return True

    def _update_admission(self, observation: Observation, decision: Decision, entry: SessionCacheEntry) -> None:
        assumed, reservation = observation.assumed, stored_reservation(observation.session)
        if assumed is not None and reservation is not None and covers(reservation, assumed):
            # What was seen is what the API server stored: from here on the status counts, not the assumed one. A
            # smaller one is outdated: while the larger one is on its way, a round must still count what is assumed.
            self._deps.admission.confirm(entry.uid)
        if not decision.wants_admission:
            self._deps.admission.clear_refusal(entry.uid)
        elif observation.assumed is None and observation.refusal is None:
            self._deps.admission.request()

    def _poll_runner(self, key: ObjectKey, uid: SessionUID, observation: Observation, decision: Decision) -> bool:
        pod = _pod(observation, decision.poll)
        if pod is None or pod.ip is None or pod.key_id is None:
            self._deps.runners.stop(key)
            return False
        return self._deps.runners.start(Target(key=key, session_uid=uid, pod_uid=pod.uid, ip=pod.ip, key_id=pod.key_id))

    def _requeue_after(self, decision: Decision, entry: SessionCacheEntry) -> float | None:
        moments = [moment for moment in (decision.requeue_at, entry.pending_write.due) if moment is not None]
        delays = [until(moment, clock=self._deps.clock) for moment in moments]
        if entry.foreign_objects:
            delays.append(REREAD_INTERVAL)
        return min(delays, default=None)


def _pod(observation: Observation, uid: PodUID | None) -> PodFacts | None:
    return next((pod for pod in observation.pods if pod.uid == uid), None)
