"""The whole runtime, put together: what starts when, which change queues which session, and how it ends.

    events (app) ─┐                       ┌─ workers ── reconciler ── executor, status writer, events
    resync ───────┼─> store ─> key queue ─┤
    runner poller ┘                       └─ admission

The app creates one `Operator`, starts it when the process has the Lease, passes watch events to it and checks its
health. Nothing acts before the first full LIST: a decision on incomplete data would create what exists already.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.core.decision import Event
from whatsapp_operator.core.model import PodUID, SealedKind, SessionUID
from whatsapp_operator.core.recovery.pauses import PauseChange
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.namespace_refusals import NamespaceRefusals
from whatsapp_operator.runtime.kube.owners import Owners, in_namespace, session_index_keys
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills
from whatsapp_operator.runtime.kube.resources import (
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    PVCS,
    QUOTAS,
    SERVICES,
    SESSIONS,
    Json,
    Resource,
    key_of,
    uid_of,
)
from whatsapp_operator.runtime.kube.resync import Resync, Stream, WatchProgress
from whatsapp_operator.runtime.kube.store import Change, Store
from whatsapp_operator.runtime.metrics.changes import SessionChanges
from whatsapp_operator.runtime.metrics.fleet import Fleet
from whatsapp_operator.runtime.process.config import MANAGED_SELECTOR, SELECTORS, Config, Dependencies
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.seals import Seals
from whatsapp_operator.runtime.process.slices import in_slices
from whatsapp_operator.runtime.reconcile.change_log import HealthLog
from whatsapp_operator.runtime.reconcile.circuit_breaker import CircuitBreakerMonitor, pause_event
from whatsapp_operator.runtime.reconcile.claim_seals import ClaimSeals
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder
from whatsapp_operator.runtime.reconcile.executor import Executor
from whatsapp_operator.runtime.reconcile.failed_calls import CallRegistry
from whatsapp_operator.runtime.reconcile.namespace_cleanup import NamespaceCleanup
from whatsapp_operator.runtime.reconcile.observer import Observer, names_of, no_index_keys, pod_index_keys
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory
from whatsapp_operator.runtime.reconcile.pod_times import PodTimes
from whatsapp_operator.runtime.reconcile.reconciler import Reconciler
from whatsapp_operator.runtime.reconcile.reconciliation import ReconcilerDeps
from whatsapp_operator.runtime.reconcile.session_cache import event_call
from whatsapp_operator.runtime.reconcile.status_writer import StatusWriter
from whatsapp_operator.runtime.reconcile.triggers import affected_sessions, affects_admission, newcomer
from whatsapp_operator.runtime.reconcile.workers import Workers
from whatsapp_operator.runtime.reconcile.workqueue import WorkQueue
from whatsapp_operator.runtime.runners.client import HttpRunnerClient
from whatsapp_operator.runtime.runners.poller import RunnerPoller

logger = logging.getLogger(__name__)

EVENTS_GIVE_WAY: Final = 0.1
""" Seconds until a lone event is written: the pod that it tells of is asked for first. """
EVENT_DRAIN_TIMEOUT: Final = 1.0
""" Seconds to write queued events at the end. The next operator waits for this: the Lease is released afterwards. """
KEYS_TIMEOUT: Final = 2.0
""" Seconds to put lost keys back at the end. """
WORTHLESS_DELAY: Final = 1.0
""" Seconds until a session is looked at again, after versions went back and before everything begins anew. """


class Operator:
    """The runtime of one process."""

    def __init__(
        self, config: Config, dependencies: Dependencies, *, regarding: Callable[[], Json | None] = lambda: None
    ) -> None:
        self._config = config
        self._dependencies = dependencies
        self._regarding = regarding
        """ Returns the object for events about the operator as a whole: its Lease. """
        kube, clock, metrics = dependencies.kube, dependencies.clock, dependencies.metrics
        self.queue = WorkQueue(clock, dependencies.jitter, metrics)
        self.store = Store(
            {
                SESSIONS: session_index_keys,
                QUOTAS: no_index_keys,
                PODS: pod_index_keys,
                PVCS: no_index_keys,
                SERVICES: no_index_keys,
                NETWORK_POLICIES: no_index_keys,
            },
            on_change=self._on_store_change,
            versions=kube.versions,
        )
        self.progress = WatchProgress(clock)
        self.instance = Instance(kube=kube, name=config.instance, namespaces=config.namespaces)
        self.changes = SessionChanges(metrics=metrics, monotonic=clock.monotonic, is_ours=self.instance.known)
        self.keys = KeyRing(
            kube=kube, clock=clock, namespace=config.namespace, name=config.key_secret, on_lost=self._on_keys_lost
        )
        self.seals = Seals(self.keys)
        self.owners = Owners(self.store, self.seals.read)
        self._own_runner_client = (
            HttpRunnerClient(key=self.keys.key, rejected=lambda reason: metrics.answers_rejected.labels(reason).inc())
            if dependencies.runner_client is None
            else None
        )
        runner_client = dependencies.runner_client or self._own_runner_client
        if runner_client is None:
            raise RuntimeError("there is no runner client")
        self.pod_history = PodHistory(own_pods_session=self.owners.own_pods_session, now=dependencies.clock.now)
        self.pod_times = PodTimes()
        self.runners = RunnerPoller(
            client=runner_client,
            clock=clock,
            on_changed=self.queue.add,
            jitter=dependencies.jitter,
            current_key=lambda: self.keys.current,
        )
        self.admission = Admission(
            kube=kube,
            clock=clock,
            instance=self.instance,
            pods_selector=MANAGED_SELECTOR,
            read_seal=self.seals.read,
            pod_start_timeout=config.defaults.pod_start_timeout,
            claims=lambda: list(self.store.all(PVCS)),
            on_changed=self.queue.add,
            metrics=metrics,
            jitter=dependencies.jitter,
            offload=dependencies.offload,
            garbage=dependencies.garbage,
        )
        self.circuit_breaker = CircuitBreakerMonitor(
            sessions=lambda: self.store.all(SESSIONS),
            clock=clock,
            metrics=metrics,
            runner_image=config.defaults.runner_image,
            is_ours=self.instance.known,
            on_changed=self._on_pause_changed,
        )
        self.calls = CallRegistry(clock=clock, jitter=dependencies.jitter, metrics=metrics)
        self.cleanup = NamespaceCleanup(
            kube=kube,
            store=self.store,
            instance=self.instance,
            records=self.calls.apart("what no session needs"),
            network_policies=config.defaults.network is not None,
        )
        self.claim_seals = ClaimSeals(
            kube=kube,
            store=self.store,
            instance=self.instance,
            keys=self.keys,
            seals=self.seals,
            owners=self.owners,
            records=self.calls.apart("seals of claims"),
        )
        self.foreign_objects = ForeignObjects(kube, self.store, clock, self._on_foreign_gone)
        self.event_recorder = EventRecorder(
            kube=kube,
            clock=clock,
            metrics=metrics,
            component=config.component,
            instance=config.identity,
            give_way=EVENTS_GIVE_WAY,
            jitter=dependencies.jitter,
            on_outcome=self._on_event_outcome,
        )
        health_log = HealthLog(sessions=self._own_sessions, clock=clock)
        self._reconciler = Reconciler(self._reconciler_deps())
        self.workers = Workers(
            queue=self.queue, reconcile=self._reconcile, clock=clock, metrics=metrics, count=config.workers
        )
        self.resync = Resync(
            kube=kube,
            store=self.store,
            clock=clock,
            instance=self.instance,
            selectors=SELECTORS,
            interval=config.resync_interval,
            metrics=metrics,
            progress=self.progress,
            on_changed=self._on_object_changed,
            on_calls_shown=self._enqueue_sessions,
            calls=self.calls,
            before={
                Call(Verb.LIST, str(NAMESPACES), ""): self.instance.refresh,
                Call(Verb.GET, "Secret", config.key_secret): self.keys.load,
            },
            after=[
                self._enqueue_all,
                self.claim_seals.renew,
                self._prune_keys,
                self.cleanup.delete_all_unneeded,
                health_log.report,
            ],
            jitter=dependencies.jitter,
            garbage=dependencies.garbage,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def _reconciler_deps(self) -> ReconcilerDeps:
        kube, clock = self._dependencies.kube, self._dependencies.clock
        return ReconcilerDeps(
            store=self.store,
            clock=clock,
            observer=Observer(
                store=self.store,
                owners=self.owners,
                keys=self.keys,
                clock=clock,
                runners=self.runners,
                pod_history=self.pod_history,
                pod_times=self.pod_times,
                admission=self.admission,
                foreign_objects=self.foreign_objects,
                recovery_paused=self.circuit_breaker.message,
                pod_security=self.instance.enforces_pod_security,
            ),
            executor=Executor(
                kube=kube,
                store=self.store,
                key=self.keys.key,
                seals=self.seals,
                creating=self.admission.under_way.creating,
                extra_ca=self._config.defaults.extra_ca,
            ),
            writer=StatusWriter(kube=kube, store=self.store, clock=clock, metrics=self._dependencies.metrics),
            event_recorder=self.event_recorder,
            runners=self.runners,
            admission=self.admission,
            instance=self.instance,
            defaults=lambda: replace(self._config.defaults, key_id=self.keys.current),
            foreign_objects=self.foreign_objects,
            calls=self.calls,
            existing_claim=lambda: ExistingClaimReader(kube, clock),
            namespace_refusals=lambda: NamespaceRefusals(kube, clock),
            probe_kills=lambda: ProbeKills(kube),
            ended_by_us=self.pod_history.ended_by_us,
            causes=self._dependencies.metrics.causes,
        )

    async def start(self) -> None:
        """List everything once, retrying until that succeeds, then start the workers and the other tasks."""
        # What an operator before this one knew is compared with nothing: it may be why this one begins.
        self._dependencies.kube.versions.forget()
        while not await self.resync.attempt():
            await self._dependencies.clock.sleep(self._dependencies.jitter(1.0))
        self.pod_times.first_listed({PodUID(uid_of(pod)) for pod in self.store.all(PODS)})
        logger.info("First full list done", extra={"sessions": len(self.store.keys(SESSIONS))})
        loop = asyncio.get_running_loop()
        self.workers.start()
        self._tasks = [
            loop.create_task(self.admission.run(), name="admission"),
            loop.create_task(self.resync.run(), name="resync"),
            loop.create_task(self.event_recorder.run(), name="events"),
        ]

    async def stop(self, *, within: float) -> None:
        """Stop: let the workers finish their present session within so many seconds, then cancel the rest."""
        await self.workers.stop(within=within)
        if self._tasks:
            await self._keep_keys()
            await self.event_recorder.drain(within=EVENT_DRAIN_TIMEOUT)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.runners.close()
        if self._own_runner_client is not None:
            await self._own_runner_client.close()

    def on_watch_event(self, stream: Stream, kind: str | None, obj: Json) -> None:
        """Handle a watch event: kind ADDED, MODIFIED, DELETED; None: the object existed when the watch began."""
        self.progress.observe(stream, obj)
        resource = stream.resource
        change = self.store.remove(resource, obj) if kind == "DELETED" else self.store.put(resource, obj)
        if change:
            self._on_object_changed(resource, change)

    def faults(self) -> list[str]:
        """Return the faults of the process itself: tasks that have ended."""
        tasks = [*self._tasks, *self.workers.tasks]
        return [f"the task {task.get_name()} has ended" for task in tasks if task.done()]

    def measure(self) -> None:
        """Set the gauges, and show what is known of sessions and quotas; called when the metrics are scraped."""
        metrics = self._dependencies.metrics
        self.queue.measure()
        self.workers.measure()
        metrics.runners.set(self.runners.active)
        metrics.key_expiration.value = min((end.timestamp() for end in self.keys.retired.values()), default=None)
        metrics.fleet.show(
            Fleet(
                sessions=list(self._own_sessions()),
                quotas=[obj for obj in self.store.all(QUOTAS) if self.instance.owns(obj)],
            )
        )

    # --- which change queues which session -----------------------------------------------------------------------

    def _on_object_changed(self, resource: Resource, change: Change) -> None:
        for key in affected_sessions(self.store, resource, change):
            self.queue.add(key)

    def _on_event_outcome(self, session: ObjectKey, error: KubeError | None) -> None:
        self._reconciler.call_ended(session, event_call(session), error)
        self.queue.add(session)

    def _on_foreign_gone(self, resource: Resource, key: ObjectKey) -> None:
        for session in self.store.keys_by_index(SESSIONS, in_namespace(key.namespace)):
            if (resource, key) in names_of(session):
                self.queue.add(session)

    def _on_store_change(self, resource: Resource, change: Change) -> None:
        """Handle a change in the store, also one by an own write, whose watch event brings nothing new later."""
        if resource is PODS:
            self.pod_history.record(change)
        if resource is SESSIONS:
            self.changes.on_session_changed(change)
            self.circuit_breaker.on_session_changed(change)
        if affects_admission(resource, change):
            self.admission.request()
        if (session := newcomer(resource, change)) is not None and self.instance.known(key_of(session).namespace):
            self.admission.ask(SessionUID(uid_of(session)))

    async def _reconcile(self, key: ObjectKey) -> float | None:
        if self._dependencies.kube.versions.went_back is not None:
            return WORTHLESS_DELAY  # nobody acts on what is partly of another past; another operator begins in a moment
        delay = await self._reconciler.reconcile(key)
        if self.store.get(SESSIONS, key) is None:
            self.queue.drop(key)
            if not self.store.keys_by_index(SESSIONS, in_namespace(key.namespace)):
                self.calls.forget(key.namespace)
                self.foreign_objects.forget(key.namespace)
            await self.cleanup.delete_unneeded(key.namespace)
        return delay

    async def _enqueue_sessions(self) -> None:
        async for key in in_slices(self.store.keys(SESSIONS)):
            self.queue.add(key)

    async def _enqueue_all(self) -> None:
        await self._enqueue_sessions()
        # In one piece, so that no session that comes meanwhile counts as gone; some milliseconds for ten thousand.
        self.pod_history.retain({SessionUID(uid_of(session)) for session in self._own_sessions()})
        self.pod_times.retain({PodUID(uid_of(pod)) for pod in self.store.all(PODS)})
        await self.circuit_breaker.resync()
        self.admission.request()

    def _own_sessions(self) -> Iterator[Json]:
        known = self.instance.known
        return (session for session in self.store.all(SESSIONS) if known(session["metadata"]["namespace"]))

    async def _keep_keys(self) -> None:
        try:
            async with asyncio.timeout(KEYS_TIMEOUT):
                await self.keys.keep()
        except TimeoutError:
            logger.warning(
                "Keys could not be read", extra={"secret": self._config.key_secret, "error": "no answer in time"}
            )

    async def _prune_keys(self) -> None:
        if not self.keys.retired:
            return
        used = {key_id for pod in self.store.all(PODS) if (key_id := self.owners.key_id(pod)) is not None}
        claims = (self.seals.read(claim, SealedKind.PVC) for claim in self.store.all(PVCS))
        await self.keys.prune(used=used | {seal.key_id for seal in claims if seal is not None})

    def _on_keys_lost(self, what: str, put_back: bool) -> None:  # noqa: FBT001 -- a callback's argument
        self._dependencies.metrics.keys_restored.labels("success" if put_back else "error").inc()
        secret = f"{self._config.namespace}/{self._config.key_secret}"
        event = Event(
            type="Warning",
            action="PuttingKeysBack",
            reason="KeysPutBack" if put_back else "KeysNotPutBack",
            message=f"The keys that the sessions' tokens come from were lost from the Secret {secret}: {what}. "
            + (
                "They were put back from the operator's memory. Find out who deletes or changes the Secret: what is lost "
                "when the operator starts anew cannot be brought back."
                if put_back
                else "They are in the operator's memory still, and could not be put back; its log says why. They are lost "
                "when it starts anew."
            ),
        )
        if (regarding := self._regarding()) is not None:
            self.event_recorder.record(regarding, event)

    def _on_pause_changed(self, change: PauseChange, affected: Iterable[ObjectKey]) -> None:
        for key in affected:
            self.queue.add(key)
        regarding = self._regarding()
        if regarding is not None and (event := pause_event(change)) is not None:
            self.event_recorder.record(regarding, event)
