"""One reconciliation of one session: observe, decide, write the status, act, record events.

The workers call it with the key of a session that may have changed. What has changed does not matter: the `Observation`
holds everything that is known of the session, the core decides, and this module carries the decision out in an order
that survives a crash at any point:

    status to be stored first (commit) ──> decide again ──> actions ──> decide again ──> other status, when due

After each commit and after each batch of actions the session is decided again, with the API server's answers, so that
it goes from admitted to created without waiting for its own watch events.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from prometheus_client import Counter

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import (
    Decision,
    Defaults,
    DeletePod,
    Observation,
    PodFacts,
    PodTokens,
    PodUID,
    RefusedAction,
    SessionUID,
)
from whatsapp_operator.core.quota.reservations import covers, stored_reservation
from whatsapp_operator.core.recovery.probe_kill import may_be_probe_kill
from whatsapp_operator.core.recovery.refusal import may_be_refused_namespace
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.existing_claims import REREAD_UNUSABLE, ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import REREAD_INTERVAL, ForeignObjects
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.namespace_refusals import NamespaceRefusals
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills
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
""" Decisions in one reconciliation at most. A session needs four until its pod is created; many more mean that somebody
undoes what the operator does, and the back-off limits that. """


class NotConverged(Exception):
    """The session still changed after MAX_DECISIONS decisions."""


@dataclass
class SessionCacheEntry:
    """What is kept in memory of one session between two reconciliations; all of it can be lost."""

    uid: SessionUID
    foreign_objects: ForeignObjects
    existing_claim: ExistingClaimReader
    namespace_refusals: NamespaceRefusals
    probe_kills: ProbeKills
    pending_write: PendingWrite = field(default_factory=PendingWrite)
    refused_action: RefusedAction | None = None
    tokens_made: PodTokens | None = None
    """ The tokens that were put into Secrets last. """


@dataclass(frozen=True, kw_only=True)
class ReconcilerDeps:
    """The parts of the runtime that a reconciliation uses."""

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
    """ Called for each decision: the current key changes with a rotation. """
    foreign_objects: Callable[[], ForeignObjects]
    existing_claim: Callable[[], ExistingClaimReader]
    namespace_refusals: Callable[[], NamespaceRefusals]
    probe_kills: Callable[[], ProbeKills]
    ended_by_us: Callable[[SessionUID, PodUID], None]
    """ Called with each pod that was deleted by the operator's own decision. """
    causes: Counter
    """ Why pods ended or do not run, by the names of the table. """


class Reconciler:
    """Reconciles sessions."""

    def __init__(self, deps: ReconcilerDeps) -> None:
        self._deps = deps
        self._cache: dict[ObjectKey, SessionCacheEntry] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Reconcile a session; return the seconds until the next time, None: not before something happens.

        :raises KubeError: a request to the API server failed; retry after the back-off.
        :raises NotConverged: somebody undoes what the operator does; retry after the back-off.
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
                return self._requeue_after(key, decision, entry)
        raise NotConverged(f"{key} was not settled after {MAX_DECISIONS} decisions")

    def forget(self, key: ObjectKey) -> None:
        """Drop a session that is gone or is another operator's: its memory, its polling and its reservation."""
        entry = self._cache.pop(key, None)
        self._deps.runners.forget(key)
        if entry is not None:
            self._deps.admission.forget(entry.uid)

    def _cache_entry(self, key: ObjectKey, observed: Json) -> SessionCacheEntry:
        uid = SessionUID(uid_of(observed))
        entry = self._cache.get(key)
        if entry is not None and entry.uid != uid:  # deleted and created again: nothing of the old one is valid
            self.forget(key)
            entry = None
        if entry is None:
            entry = self._cache[key] = SessionCacheEntry(
                uid,
                self._deps.foreign_objects(),
                self._deps.existing_claim(),
                self._deps.namespace_refusals(),
                self._deps.probe_kills(),
            )
        return entry

    async def _step(self, key: ObjectKey, observed: Json, entry: SessionCacheEntry) -> tuple[Decision, bool]:
        """Decide once and carry the decision out; return it, and whether to decide again at once."""
        session = WhatsAppSession.parse(observed)
        await entry.existing_claim.refresh(session)
        observation = self._deps.observer.observe(
            session,
            refused_action=entry.refused_action,
            foreign_objects=entry.foreign_objects,
            existing_claim=entry.existing_claim.known,
            tokens_made=entry.tokens_made,
        )
        if any(pod.owner_uid == entry.uid for pod in observation.pods):
            entry.existing_claim.forget()
        observation = await self._with_events(observation, entry)
        decision = decide(observation, self._deps.defaults())
        logger.debug("Decided", extra={"session": str(key), **decision.details})
        self._update_admission(observation, decision, entry)
        requeue = self._poll_runner(key, entry.uid, observation, decision)
        if decision.commit or not decision.actions:
            wrote = await self._write(observed, session, decision, entry)
            return decision, wrote or requeue
        context = ActionContext(
            key=key, uid=entry.uid, foreign_objects=entry.foreign_objects, existing_claim=entry.existing_claim
        )
        for action in decision.actions:
            refused_action = await self._deps.executor.execute(action, context)
            if refused_action is not None:
                entry.refused_action = refused_action
                break  # the next actions rely on this one
            if entry.refused_action is not None and entry.refused_action.action is type(action):
                entry.refused_action = None
            if isinstance(action, DeletePod) and not action.clears_loss:
                self._deps.ended_by_us(entry.uid, action.uid)
        else:
            if decision.makes_tokens is not None:
                entry.tokens_made = decision.makes_tokens.together(entry.tokens_made)
        return decision, True

    async def _with_events(self, observation: Observation, entry: SessionCacheEntry) -> Observation:
        """Add what only an event of the kubelet tells; it is read for a pod that has waited too long, or was ended by it."""
        for pod in observation.pods:
            if pod.owner_uid == entry.uid and may_be_probe_kill(pod, now=observation.now):
                namespace = observation.session.metadata.namespace
                return replace(observation, probe_kill=await entry.probe_kills.read(pod, namespace=namespace))
            if pod.owner_uid == entry.uid and may_be_refused_namespace(pod, now=observation.now):
                await entry.namespace_refusals.read(pod, namespace=observation.session.metadata.namespace)
                return replace(observation, namespace_refused=entry.namespace_refusals.of(pod.uid))
        return observation

    async def _write(
        self, observed: Json, session: WhatsAppSession, decision: Decision, entry: SessionCacheEntry
    ) -> bool:
        if not await self._deps.writer.write(observed, session.status, decision, entry.pending_write):
            return False
        for cause in decision.causes:
            self._deps.causes.labels(cause).inc()
        for event in decision.events:  # the status that they describe is written
            self._deps.event_recorder.record(observed, event)
        return True

    def _update_admission(self, observation: Observation, decision: Decision, entry: SessionCacheEntry) -> None:
        assumed, reservation = observation.assumed, stored_reservation(observation.session)
        if assumed is not None and reservation is not None and covers(reservation, assumed):
            # The reservation is stored: from now on it counts by the status, and the assumed one is dropped. If the
            # stored one is smaller, it is outdated: a round must count the assumed one until that is stored.
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
        target = Target(
            key=key,
            session_uid=uid,
            pod_uid=pod.uid,
            ip=pod.ip,
            key_id=pod.key_id,
            renewal=pod.renewal,
            renew=decision.renew_tokens,
        )
        return self._deps.runners.start(target)

    def _requeue_after(self, key: ObjectKey, decision: Decision, entry: SessionCacheEntry) -> float | None:
        moments = [moment for moment in (decision.requeue_at, entry.pending_write.due) if moment is not None]
        delays = [until(moment, clock=self._deps.clock) for moment in moments]
        if entry.foreign_objects:
            delays.append(REREAD_INTERVAL)
        if entry.existing_claim.is_unusable(key):
            delays.append(REREAD_UNUSABLE)
        return min(delays, default=None)


def _pod(observation: Observation, uid: PodUID | None) -> PodFacts | None:
    return next((pod for pod in observation.pods if pod.uid == uid), None)
