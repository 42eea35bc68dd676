"""The whole runtime, from the parts that `assembly` builds: what starts when, which change queues which session, and how it ends.

    events (app) ─┐                       ┌─ workers ── reconciler ── executor, status writer, events
    resync ───────┼─> store ─> key queue ─┤
    runner poller ┘                       └─ admission

The app creates one `Operator`, starts it when the process has the Lease, passes watch events to it and checks its
health. Nothing acts before the first full LIST: a decision on incomplete data would create what exists already.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.core.decision import Event
from whatsapp_operator.core.model import PodUID, SealedKind, SessionUID
from whatsapp_operator.core.recovery.pauses import PauseChange
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.owners import in_namespace
from whatsapp_operator.runtime.kube.resources import (
    NAMESPACES,
    PODS,
    PVCS,
    QUOTAS,
    SESSIONS,
    Json,
    Resource,
    key_of,
    uid_of,
)
from whatsapp_operator.runtime.kube.resync import Resync, Stream, WatchProgress
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.metrics.changes import SessionChanges
from whatsapp_operator.runtime.metrics.fleet import Fleet
from whatsapp_operator.runtime.process.assembly import (
    admission_of,
    base_of,
    circuit_breaker_of,
    claim_seals_of,
    cleanup_of,
    event_recorder_of,
    http_client_of,
    reconciler_deps_of,
    runners_of,
)
from whatsapp_operator.runtime.process.config import SELECTORS, Config, Dependencies
from whatsapp_operator.runtime.process.keys import keys_lost_event
from whatsapp_operator.runtime.process.slices import in_slices
from whatsapp_operator.runtime.reconcile.change_log import HealthLog
from whatsapp_operator.runtime.reconcile.circuit_breaker import pause_event
from whatsapp_operator.runtime.reconcile.observer import names_of
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory
from whatsapp_operator.runtime.reconcile.pod_times import PodTimes
from whatsapp_operator.runtime.reconcile.reconciler import Reconciler
from whatsapp_operator.runtime.reconcile.session_cache import event_call
from whatsapp_operator.runtime.reconcile.triggers import affected_sessions, affects_admission, newcomer
from whatsapp_operator.runtime.reconcile.workers import Workers
from whatsapp_operator.runtime.runners.client import HttpRunnerClient

logger = logging.getLogger(__name__)

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
        base = base_of(config, dependencies, on_change=self._on_store_change, on_keys_lost=self._on_keys_lost)
        self.queue, self.store, self.instance, self.calls = base.queue, base.store, base.instance, base.calls
        self.keys, self.seals, self.owners = base.keys, base.seals, base.owners
        self.progress = WatchProgress(clock)
        self.changes = SessionChanges(metrics=metrics, monotonic=clock.monotonic, is_ours=self.instance.known)
        self.pod_history = PodHistory(own_pods_session=self.owners.own_pods_session, now=clock.now)
        self.pod_times = PodTimes()
        self._own_runner_client: HttpRunnerClient | None = None
        if (runner_client := dependencies.runner_client) is None:
            runner_client = self._own_runner_client = http_client_of(base)
        self.runners = runners_of(base, runner_client)
        self.admission = admission_of(base)
        self.circuit_breaker = circuit_breaker_of(base, self._on_pause_changed)
        self.foreign_objects = ForeignObjects(kube, self.store, clock, self._on_foreign_gone)
        self.event_recorder = event_recorder_of(base, self._on_event_outcome)
        self._reconciler = Reconciler(
            reconciler_deps_of(
                base,
                pod_history=self.pod_history,
                pod_times=self.pod_times,
                runners=self.runners,
                admission=self.admission,
                circuit_breaker=self.circuit_breaker,
                foreign_objects=self.foreign_objects,
                event_recorder=self.event_recorder,
            )
        )
        self.workers = Workers(
            queue=self.queue, reconcile=self._reconcile, clock=clock, metrics=metrics, count=config.workers
        )
        self.cleanup = cleanup_of(base)
        self.claim_seals = claim_seals_of(base)
        self._health_log = HealthLog(sessions=self._own_sessions, clock=clock)
        self.resync = self._resync()
        self._tasks: list[asyncio.Task[None]] = []

    def _resync(self) -> Resync:
        """Build the full LISTs: what is read before each, and what goes through all sessions after it."""
        config, dependencies = self._config, self._dependencies
        return Resync(
            kube=dependencies.kube,
            store=self.store,
            clock=dependencies.clock,
            instance=self.instance,
            selectors=SELECTORS,
            interval=config.resync_interval,
            metrics=dependencies.metrics,
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
                self._health_log.report,
            ],
            jitter=dependencies.jitter,
            garbage=dependencies.garbage,
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
        self._record_regarding(keys_lost_event(secret, what, put_back=put_back))

    def _on_pause_changed(self, change: PauseChange, affected: Iterable[ObjectKey]) -> None:
        for key in affected:
            self.queue.add(key)
        if (event := pause_event(change)) is not None:
            self._record_regarding(event)

    def _record_regarding(self, event: Event) -> None:
        """Record an event about the operator as a whole."""
        if (regarding := self._regarding()) is not None:
            self.event_recorder.record(regarding, event)
