"""One reconciliation of one session, from its first decision to its last: made anew each time, it remembers nothing longer.

A step observes, decides, and carries the decision out in an order that survives a crash at any point:

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
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import Counter

from whatsapp_operator.api.requests import requested
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.calls import Call, CallReason
from whatsapp_operator.core.decision import Action, CreatePod, CreateSecret, Decision, DeletePod, batches
from whatsapp_operator.core.model import Defaults, Observation, PodUID, SessionUID
from whatsapp_operator.core.objects.live_settings import live_settings
from whatsapp_operator.core.quota.reservations import covers, stored_reservation
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
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills
from whatsapp_operator.runtime.kube.resources import SESSIONS, Json, version_of
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.clock import Clock, until
from whatsapp_operator.runtime.reconcile.change_log import log_change
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder
from whatsapp_operator.runtime.reconcile.executor import ActionContext, Executor, Requeue
from whatsapp_operator.runtime.reconcile.failed_calls import CallRegistry
from whatsapp_operator.runtime.reconcile.observer import Observer, names_of
from whatsapp_operator.runtime.reconcile.session_cache import SessionCacheEntry, event_call
from whatsapp_operator.runtime.reconcile.status_writer import StatusWriter
from whatsapp_operator.runtime.reconcile.unwatched import refresh_claim, with_events
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller

logger = logging.getLogger(__name__)
_T = TypeVar("_T")


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


class Reconciliation:
    """Decides about one session until nothing is left to be done at once."""

    def __init__(self, deps: ReconcilerDeps, entry: SessionCacheEntry) -> None:
        self._deps = deps
        self.entry = entry
        self._context = ActionContext(
            key=entry.key,
            uid=entry.uid,
            foreign_objects=deps.foreign_objects,
            existing_claim=entry.existing_claim,
        )
        self._outdated: set[Call] = set()
        """ The calls that showed that the cluster had changed. """
        self._made: set[Call] = set()
        """ The calls that have succeeded. """
        self._answered_version = 0
        """ The session's version that the API server has answered with; 0: none. """

    async def step(self, observed: Json) -> tuple[Decision, bool]:
        """Decide once and carry the decision out; return it, and whether to decide again at once.

        :raises KubeError: it is not known whether the session is still as it was decided on.
        """
        entry = self.entry
        self._deps.writer.refresh(entry.pending_write)
        session = WhatsAppSession.parse(entry.pending_write.laid_over(observed))
        entry.calls.ask((session.metadata.generation, requested(session.metadata.annotations)))
        observation, reads = await self._observe(session)
        defaults = self._deps.defaults()
        decision = decide(observation, defaults)
        logger.debug(
            "Decided",
            extra={**entry.key.log_fields, "step": decision.details["step"], "state": decision.details.get("state")},
        )
        entry.calls.own.retain({*decision.wanted_calls, *reads, entry.status_call, event_call(entry.key)})
        self._update_admission(observation, decision)
        poll_began = self._poll_runner(observation, decision, defaults)
        if decision.commit or not decision.actions:
            wrote = await self._while_making(decision.alongside, self._write(observed, session, decision))
            return decision, wrote or poll_began
        return decision, await self._act(observed, observation, decision)

    def decline(self, observed: Json, decision: Decision) -> None:
        """Give back what was assumed for a session that cannot use it, or cannot store it."""
        stored = "admission" in (observed.get("status") or {})
        if decision.declines_admission or (not stored and self.entry.cannot_store):
            self._deps.admission.decline(self.entry.uid, holds=stored)

    def requeue_after(self, decision: Decision) -> float | None:
        """Return the seconds until the session is to be decided again; None: not before something happens."""
        entry, clock = self.entry, self._deps.clock
        delays = [until(decision.requeue_at, clock=clock)] if decision.requeue_at is not None else []
        if waits := entry.calls.own.wait(entry.status_call):
            delays.append(waits)
        elif entry.pending_write.due is not None:
            delays.append(until(entry.pending_write.due, clock=clock))
        reads = (
            self._deps.foreign_objects.next_read(names_of(entry.key)),
            entry.existing_claim.next_read(entry.key),
        )
        return min([*delays, *(read for read in reads if read is not None)], default=None)

    async def _observe(self, session: WhatsAppSession) -> tuple[Observation, frozenset[Call]]:
        """Return what is known of the session, and the calls that were made to know it."""
        entry = self.entry
        claim_reads = await refresh_claim(session, entry)
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
        observation, event_reads = await with_events(observation, entry)
        return observation, claim_reads | event_reads

    def _update_admission(self, observation: Observation, decision: Decision) -> None:
        entry, admission = self.entry, self._deps.admission
        assumed, reservation = observation.assumed, stored_reservation(observation.session)
        is_kept = all(path[0] != "admission" for path in entry.pending_write.gaps)
        if assumed is not None and reservation is not None and covers(reservation, assumed) and is_kept:
            # The reservation is stored: from now on it counts by the status, and the assumed one is dropped. If the
            # stored one is smaller, it is outdated: a round must count the assumed one until that is stored. One that
            # the API server does not keep is in no round's LIST.
            admission.confirm(entry.uid)
        can_store = not entry.cannot_store
        if not decision.declines_admission and can_store:
            admission.wants(entry.uid)
        if not decision.wants_admission:
            admission.clear_refusal(entry.uid)
        elif can_store and observation.assumed is None and observation.refusal is None:
            admission.ask(entry.uid)

    def _poll_runner(self, observation: Observation, decision: Decision, defaults: Defaults) -> bool:
        """Poll the runner that the decision names, and no other; return whether that is a new poll."""
        pod = next((pod for pod in observation.pods if pod.uid == decision.poll), None)
        if pod is None or pod.ip is None or pod.key_id is None:
            self._deps.runners.stop(self.entry.key)
            return False
        session = observation.session
        target = Target(
            key=self.entry.key,
            session_uid=self.entry.uid,
            pod_uid=pod.uid,
            ip=pod.ip,
            key_id=pod.key_id,
            renewal=pod.renewal,
            renew=decision.renew_tokens,
            settings=None if session.problems else live_settings(session, defaults),
        )
        return self._deps.runners.start(target)

    async def _while_making(self, actions: Sequence[Action], writing: Awaitable[bool]) -> bool:
        """Make objects while the status is being written; return what comes of the writing.

        Where it could not be written before it may be refused for good, and the session gets nothing.
        """
        makes = self._not_made(actions)
        if not makes or self.entry.calls.own.has_failed(self.entry.status_call):
            return await writing
        wrote, _ = await _ended(writing, self._execute_together(makes))
        return wrote

    async def _write(self, observed: Json, session: WhatsAppSession, decision: Decision) -> bool:
        """Write the status; return whether to decide again at once."""
        entry, call = self.entry, self.entry.status_call
        records, pending = entry.calls.own, entry.pending_write
        if records.wait(call):
            return False
        try:
            wrote = await self._deps.writer.write(observed, session.status, decision, pending)
        except Requeue as found:
            if self._look_again(call, found):
                return True
            self._report_status(observed)
            return False
        except KubeError as error:
            records.failed(call, error)
            self._report_status(observed)
            return False
        if wrote or pending.due is None:
            records.succeeded(call)
            entry.status_reported = False
        if not wrote:
            return False
        self._answered_version = version_of(self._deps.store.get(SESSIONS, session.key) or observed)
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

    def _report_status(self, observed: Json) -> None:
        """Record an event about a status that cannot be written, once: the status itself cannot say it."""
        failed = self.entry.failed_status
        if failed is not None and failed.is_shown and not self.entry.status_reported:
            self._deps.event_recorder.record(observed, status_event(failed))
            self.entry.status_reported = True

    async def _act(self, observed: Json, observation: Observation, decision: Decision) -> bool:
        """Carry out a decision's actions, batch by batch; return whether to decide again at once."""
        entry = self.entry
        for batch in batches(self._not_made(decision.actions)):
            if not await self._may_act(batch, observed):
                return self._deps.store.get(SESSIONS, entry.key) is not observed
            if not await self._execute_together(batch):
                return True
            for action in batch:
                if isinstance(action, DeletePod) and not action.clears_loss:
                    self._deps.ended_by_us(entry.uid, action.uid)
        if decision.makes_tokens is not None:
            entry.tokens_made = decision.makes_tokens.together(entry.tokens_made)
        if any(isinstance(action, CreateSecret) and action.purpose is None for action in decision.actions):
            entry.secrets_checked = next((pod.uid for pod in observation.pods if pod.owner_uid == entry.uid), None)
        return True

    async def _may_act(self, batch: Sequence[Action], observed: Json) -> bool:
        """Return whether the session is still as it was decided on, if a pod is to be made for it.

        :raises KubeError: that is not known.
        """
        version = version_of(observed)
        if version == self._answered_version or not any(isinstance(action, CreatePod) for action in batch):
            return True
        is_current = await self._deps.writer.read_again(observed)
        if is_current:
            self._answered_version = version
        return is_current

    async def _execute_together(self, batch: Sequence[Action]) -> bool:
        """Carry out actions of which none waits for another; return whether the next ones may follow."""
        with ExitStack() as trying:  # before anybody else has a turn, who would try the same for another session
            for call in map(call_of, batch):
                trying.enter_context(self.entry.calls.records(call).trying(call))
            return all(await _ended(*(self._execute(action) for action in batch)))

    async def _execute(self, action: Action) -> bool:
        """Carry out an action and record how that went; return whether the next one may follow."""
        call = call_of(action)
        records = self.entry.calls.records(call)
        try:
            await self._deps.executor.execute(action, self._context)
        except Requeue as found:
            self._look_again(call, found)
            return False
        except KubeError as error:
            records.failed(call, error)
            return False
        records.succeeded(call, target=action.uid if isinstance(action, DeletePod) else "")
        self._made.add(call)
        if isinstance(action, CreateSecret):
            self.entry.remember_secret(call.name)
        return True

    def _look_again(self, call: Call, found: Requeue) -> bool:
        """Return whether to decide again at once; a call that was outdated twice in a row, or failed before, failed."""
        records = self.entry.calls.records(call)
        if call in self._outdated or records.has_failed(call):
            records.failed(call, found.error)
            return False
        logger.debug("Looking again", extra={"call": str(call), "error": str(found)})
        self._outdated.add(call)
        return True

    def _not_made(self, actions: Iterable[Action]) -> tuple[Action, ...]:
        """Leave out Secrets that were made a moment ago: they are in no store, so each decision proposes them again."""
        return tuple(each for each in actions if not isinstance(each, CreateSecret) or call_of(each) not in self._made)


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
