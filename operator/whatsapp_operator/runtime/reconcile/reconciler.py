"""One reconciliation of one session: observe, decide, write the status, act, record events.

The workers call it with the key of a session that may have changed. What has changed does not matter: the `Observation`
holds everything that is known of the session, the core decides, and this module carries the decision out in an order
that survives a crash at any point:

    status to be stored first (commit) ──> decide again ──> actions ──> decide again ──> other status, when due

What a pod needs is made while its reservation is being stored, so that the pod waits for one of the two and not for both.
The pod itself is made for a session that the API server has just answered with: its deletion may be heard after its pod's.

After each commit and after each batch of actions the session is decided again, with the API server's answers, so that
it goes from admitted to created without waiting for its own watch events.

A call that fails is recorded (`failed_calls`) and ends its batch. The next decision leaves it out, and so comes to the
status and to whatever does not rely on that call.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from prometheus_client import Counter

from whatsapp_operator.api.constants import SESSION_KIND
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.requests import requested
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import Call, CallReason, Verb
from whatsapp_operator.core.decision import Action, CreatePod, CreateSecret, Decision, DeletePod, ReadClaim, batches
from whatsapp_operator.core.kubelet import Eviction
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, PodTokens, PodUID, SessionUID
from whatsapp_operator.core.objects.live_settings import live_settings
from whatsapp_operator.core.quota.reservations import covers, stored_reservation
from whatsapp_operator.core.recovery.probe_kill import may_be_probe_kill
from whatsapp_operator.core.recovery.refusal import may_be_refused_namespace
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.core.session.failed_calls import call_of, status_event
from whatsapp_operator.core.session.messages import fields_dropped
from whatsapp_operator.core.writes.kept import field_names
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.namespace_refusals import NamespaceRefusals
from whatsapp_operator.runtime.kube.probe_kills import EVICTED, ProbeKills
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, key_of, uid_of, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock, until
from whatsapp_operator.runtime.reconcile.change_log import log_change
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder
from whatsapp_operator.runtime.reconcile.executor import ActionContext, Executor, Requeue
from whatsapp_operator.runtime.reconcile.failed_calls import CallRegistry, SessionCalls
from whatsapp_operator.runtime.reconcile.observer import Observer, names_of
from whatsapp_operator.runtime.reconcile.status_writer import PendingWrite, StatusWriter
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_DECISIONS: Final = 16
""" Decisions in one reconciliation at most. A session needs four until its pod is created, and thirteen where its status is
lost, and with it which of its five Secrets of tokens there are; many more mean that somebody undoes what the operator does,
and the back-off limits that. """
MAX_SECRETS: Final = 32
""" Names of Secrets that are remembered of one session: a pod has six, and a renewal makes five more. """


class NotConverged(Exception):
    """The session still changed after MAX_DECISIONS decisions."""


@dataclass
class SessionCacheEntry:
    """What is kept in memory of one session between two reconciliations; all of it can be lost."""

    uid: SessionUID
    calls: SessionCalls
    existing_claim: ExistingClaimReader
    namespace_refusals: NamespaceRefusals
    probe_kills: ProbeKills
    pending_write: PendingWrite = field(default_factory=PendingWrite)
    secrets_made: frozenset[str] = frozenset()
    """ The names of the Secrets that were made last. """
    tokens_made: PodTokens | None = None
    """ The tokens that were put into Secrets last. """
    secrets_checked: PodUID | None = None
    """ The pod that was there then. """
    outdated: set[Call] = field(default_factory=set)
    """ The calls of the present reconciliation that showed that the cluster had changed. """
    current: int = 0
    """ The session's version that the API server has answered with in the present reconciliation; 0: none. """
    made_now: set[Call] = field(default_factory=set)
    """ The calls that have succeeded in the present reconciliation. """
    status_reported: bool = False
    """ An event tells that the status cannot be written. """


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
    foreign_objects: ForeignObjects
    calls: CallRegistry
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

        :raises KubeError: it is not known whose the namespace is; retry after the back-off.
        :raises NotConverged: somebody undoes what the operator does; retry after the back-off.
        """
        if not await self._deps.instance.serves(key.namespace):
            self.forget(key)
            return None
        await self._deps.foreign_objects.refresh(names_of(key))
        for attempt in range(MAX_DECISIONS):
            observed = self._deps.store.get(SESSIONS, key)
            if observed is None:
                self.forget(key)
                return None
            entry = self._cache_entry(key, observed)
            if attempt == 0:
                entry.outdated.clear()
                entry.made_now.clear()
                entry.current = 0
            decision, requeue = await self._step(key, observed, entry)
            if not requeue:
                self._decline(key, observed, decision, entry)
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
                self._deps.calls.of(key),
                self._deps.existing_claim(),
                self._deps.namespace_refusals(),
                self._deps.probe_kills(),
            )
        return entry

    async def _step(self, key: ObjectKey, observed: Json, entry: SessionCacheEntry) -> tuple[Decision, bool]:
        """Decide once and carry the decision out; return it, and whether to decide again at once."""
        self._deps.writer.refresh(entry.pending_write)
        session = WhatsAppSession.parse(entry.pending_write.laid_over(observed))
        entry.calls.ask((session.metadata.generation, requested(session.metadata.annotations)))
        reads = await self._read_claim(session, entry)
        observation = self._deps.observer.observe(
            session,
            failed_calls=entry.calls.known(),
            existing_claim=entry.existing_claim.known,
            secrets_made=entry.secrets_made,
            tokens_made=entry.tokens_made,
            secrets_checked=entry.secrets_checked,
        )
        if any(pod.owner_uid == entry.uid and pod.ran for pod in observation.pods):
            entry.existing_claim.forget()  # one that never ran is replaced when its claim goes
        observation = await self._with_events(observation, entry, reads)
        decision = decide(observation, self._deps.defaults())
        logger.debug(
            "Decided",
            extra={**key.log_fields, "step": decision.details["step"], "state": decision.details.get("state")},
        )
        entry.calls.own.retain({*decision.wanted_calls, *reads, _status_call(key), event_call(key)})
        self._update_admission(observation, decision, entry)
        requeue = self._poll_runner(key, entry.uid, observation, decision)
        context = ActionContext(
            key=key,
            uid=entry.uid,
            foreign_objects=self._deps.foreign_objects,
            existing_claim=entry.existing_claim,
        )
        if decision.commit or not decision.actions:
            writing = self._write(observed, session, decision, entry)
            wrote = await self._while_making(decision.alongside, writing, context, entry)
            return decision, wrote or requeue
        for batch in batches(_not_made(decision.actions, entry)):
            if not await self._may_act(batch, observed, entry):
                return decision, self._deps.store.get(SESSIONS, key) is not observed
            if not await self._execute_together(batch, context, entry):
                break
            for action in batch:
                if isinstance(action, DeletePod) and not action.clears_loss:
                    self._deps.ended_by_us(entry.uid, action.uid)
        else:
            if decision.makes_tokens is not None:
                entry.tokens_made = decision.makes_tokens.together(entry.tokens_made)
            if any(isinstance(action, CreateSecret) and action.purpose is None for action in decision.actions):
                entry.secrets_checked = next((pod.uid for pod in observation.pods if pod.owner_uid == entry.uid), None)
        return decision, True

    async def _execute_together(
        self, batch: Sequence[Action], context: ActionContext, entry: SessionCacheEntry
    ) -> bool:
        """Carry out actions of which none waits for another; return whether the next ones may follow."""
        with ExitStack() as trying:  # before anybody else has a turn, who would try the same for another session
            for call in map(call_of, batch):
                trying.enter_context(entry.calls.records(call).trying(call))
            return all(await _ended(*(self._execute(action, context, entry) for action in batch)))

    async def _while_making(
        self, actions: Sequence[Action], writing: Awaitable[bool], context: ActionContext, entry: SessionCacheEntry
    ) -> bool:
        """Make objects while the status is being written; return what comes of the writing.

        Where it could not be written before it may be refused for good, and the session gets nothing.
        """
        makes = _not_made(actions, entry)
        if not makes or entry.calls.own.has_failed(_status_call(context.key)):
            return await writing
        wrote, _ = await _ended(writing, self._execute_together(makes, context, entry))
        return wrote

    async def _may_act(self, batch: Sequence[Action], observed: Json, entry: SessionCacheEntry) -> bool:
        """Return whether the session is still as it was decided on, if a pod is to be made for it.

        :raises KubeError: that is not known.
        """
        if version_of(observed) == entry.current or not any(isinstance(action, CreatePod) for action in batch):
            return True
        is_current = await self._deps.writer.read_again(observed)
        if is_current:
            entry.current = version_of(observed)
        return is_current

    async def _execute(self, action: Action, context: ActionContext, entry: SessionCacheEntry) -> bool:
        """Carry out an action and record how that went; return whether the next one may follow."""
        call = call_of(action)
        records = entry.calls.records(call)
        try:
            await self._deps.executor.execute(action, context)
        except Requeue as found:
            self._outdated(call, found, entry)
            return False
        except KubeError as error:
            records.failed(call, error)
            return False
        records.succeeded(call, target=action.uid if isinstance(action, DeletePod) else "")
        entry.made_now.add(call)
        if isinstance(action, CreateSecret):
            entry.secrets_made = with_secret(entry.secrets_made, call.name)
        return True

    def _outdated(self, call: Call, found: Requeue, entry: SessionCacheEntry) -> bool:
        """Return whether to decide again at once; a call that was outdated twice in a row, or failed before, failed."""
        records = entry.calls.records(call)
        if call in entry.outdated or records.has_failed(call):
            records.failed(call, found.error)
            return False
        logger.debug("Looking again", extra={"call": str(call), "error": str(found)})
        entry.outdated.add(call)
        return True

    async def _read(self, call: Call, entry: SessionCacheEntry, read: Callable[[], Awaitable[None]]) -> None:
        """Read something that no watch reports; what was known of it holds if that fails."""
        if entry.calls.own.wait(call):
            return
        try:
            await read()
        except KubeError as error:
            entry.calls.own.failed(call, error)
        else:
            entry.calls.own.succeeded(call)

    async def _read_claim(self, session: WhatsAppSession, entry: SessionCacheEntry) -> set[Call]:
        """Read the existing claim again, if that is due; return the calls that this takes."""
        name = session.spec.profile.existing_claim if not session.problems else None
        if name is None or not entry.existing_claim.is_due(session):
            await entry.existing_claim.refresh(session)
            return set()
        call = call_of(ReadClaim(name=name))
        await self._read(call, entry, lambda: entry.existing_claim.refresh(session))
        return {call}

    async def _with_events(self, observation: Observation, entry: SessionCacheEntry, reads: set[Call]) -> Observation:
        """Add what only an event of the kubelet tells; it is read for a pod that has waited too long, or was ended by it."""
        for pod in observation.pods:
            if pod.owner_uid == entry.uid and may_be_probe_kill(pod, now=observation.now):
                namespace = observation.session.metadata.namespace
                end = await entry.probe_kills.read(pod, namespace=namespace)
                if isinstance(end, Eviction):
                    evicted = replace(pod, pod_reason=EVICTED, pod_message=end.note)
                    pods = tuple(evicted if each is pod else each for each in observation.pods)
                    return replace(observation, pods=pods)
                return replace(observation, probe_kill=end)
            if pod.owner_uid == entry.uid and may_be_refused_namespace(pod, now=observation.now):
                namespace, call = observation.session.metadata.namespace, Call(Verb.LIST, "Event", pod.name)
                refusals = entry.namespace_refusals
                await self._read(call, entry, lambda: refusals.read(pod, namespace=namespace))  # noqa: B023 -- awaited
                reads.add(call)
                return replace(observation, namespace_refused=refusals.of(pod.uid))
        return observation

    async def _write(
        self, observed: Json, session: WhatsAppSession, decision: Decision, entry: SessionCacheEntry
    ) -> bool:
        """Write the status; return whether to decide again at once."""
        call, records, pending = _status_call(session.key), entry.calls.own, entry.pending_write
        if records.wait(call):
            return False
        try:
            wrote = await self._deps.writer.write(observed, session.status, decision, pending)
        except Requeue as found:
            if self._outdated(call, found, entry):
                return True
            self._report_status(observed, entry)
            return False
        except KubeError as error:
            records.failed(call, error)
            self._report_status(observed, entry)
            return False
        if wrote or pending.due is None:
            records.succeeded(call)
            entry.status_reported = False
        if not wrote:
            return False
        entry.current = version_of(self._deps.store.get(SESSIONS, session.key) or observed)
        if pending.gaps:
            records.note(call, CallReason.FIELDS_DROPPED, fields_dropped(field_names(pending.gaps)))
        else:
            records.settled(call, CallReason.FIELDS_DROPPED)
        for cause in decision.causes:
            self._deps.causes.labels(cause).inc()
        log_change(session.key, session.status, decision.status, now=self._deps.clock.now())
        for event in decision.events:  # the status that they describe is written
            self._deps.event_recorder.record(observed, event)
        return True

    def _decline(self, key: ObjectKey, observed: Json, decision: Decision, entry: SessionCacheEntry) -> None:
        """Give back what was assumed for a session that cannot use it, or cannot store it."""
        stored = "admission" in (observed.get("status") or {})
        if decision.declines_admission or (not stored and self._cannot_store(key, entry)):
            self._deps.admission.decline(entry.uid, holds=stored)

    @staticmethod
    def _cannot_store(session: ObjectKey, entry: SessionCacheEntry) -> bool:
        """Whether the API server refuses the session's status, so that a reservation would be in no LIST."""
        failed = entry.calls.own.find(_status_call(session))
        return failed is not None and failed.refused and failed.reason != CallReason.FIELDS_DROPPED

    def _report_status(self, observed: Json, entry: SessionCacheEntry) -> None:
        """Record an event about a status that cannot be written, once: the status itself cannot say it."""
        failed = entry.calls.own.find(_status_call(key_of(observed)))
        if failed is not None and failed.is_shown and not entry.status_reported:
            self._deps.event_recorder.record(observed, status_event(failed))
            entry.status_reported = True

    def call_ended(self, session: ObjectKey, call: Call, error: KubeError | None) -> None:
        """Take note of how a call about a session went that something else than its reconciliation made."""
        if (entry := self._cache.get(session)) is None:
            return
        if error is None:
            entry.calls.own.succeeded(call)
        else:
            entry.calls.own.failed(call, error)

    def _update_admission(self, observation: Observation, decision: Decision, entry: SessionCacheEntry) -> None:
        assumed, reservation = observation.assumed, stored_reservation(observation.session)
        is_kept = all(path[0] != "admission" for path in entry.pending_write.gaps)
        if assumed is not None and reservation is not None and covers(reservation, assumed) and is_kept:
            # The reservation is stored: from now on it counts by the status, and the assumed one is dropped. If the
            # stored one is smaller, it is outdated: a round must count the assumed one until that is stored. One that
            # the API server does not keep is in no round's LIST.
            self._deps.admission.confirm(entry.uid)
        can_store = not self._cannot_store(observation.session.key, entry)
        if not decision.declines_admission and can_store:
            self._deps.admission.wants(entry.uid)
        if not decision.wants_admission:
            self._deps.admission.clear_refusal(entry.uid)
        elif can_store and observation.assumed is None and observation.refusal is None:
            self._deps.admission.ask(entry.uid)

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
            settings=None
            if observation.session.problems
            else live_settings(observation.session, self._deps.defaults()),
        )
        return self._deps.runners.start(target)

    def _requeue_after(self, key: ObjectKey, decision: Decision, entry: SessionCacheEntry) -> float | None:
        clock, waits = self._deps.clock, entry.calls.own.wait(_status_call(key))
        delays = [until(decision.requeue_at, clock=clock)] if decision.requeue_at is not None else []
        if waits:
            delays.append(waits)
        elif entry.pending_write.due is not None:
            delays.append(until(entry.pending_write.due, clock=clock))
        reads = (self._deps.foreign_objects.next_read(names_of(key)), entry.existing_claim.next_read(key))
        return min([*delays, *(read for read in reads if read is not None)], default=None)


def _status_call(session: ObjectKey) -> Call:
    return Call(Verb.UPDATE_STATUS, SESSION_KIND, session.name)


def event_call(session: ObjectKey) -> Call:
    """Return the call that records an event about a session."""
    return Call(Verb.CREATE, "Event", f"about {session.name}")


def with_secret(made: frozenset[str], name: str) -> frozenset[str]:
    """Return the Secrets that were made, with one more; of many the older ones are forgotten, and made again."""
    return made | {name} if len(made) < MAX_SECRETS else frozenset({name})


def _not_made(actions: Iterable[Action], entry: SessionCacheEntry) -> tuple[Action, ...]:
    """Leave out Secrets that were made a moment ago: they are in no store, so each decision proposes them again."""
    return tuple(each for each in actions if not isinstance(each, CreateSecret) or call_of(each) not in entry.made_now)


async def _ended(*calls: Awaitable[_T]) -> list[_T]:
    """Return the results of calls of which none waits for another, or raise an error of one.

    Both when all have ended, so that none goes on behind a worker's back.
    """
    results: list[_T] = []
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def _pod(observation: Observation, uid: PodUID | None) -> PodFacts | None:
    return next((pod for pod in observation.pods if pod.uid == uid), None)
