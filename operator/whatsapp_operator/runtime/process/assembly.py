"""Builds the parts of one `Operator`, each by a function of its own: here it is written who knows whom.

Nothing is started here. What a part calls when something has changed is the operator's own and handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import ForeignObjects
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.namespace_refusals import NamespaceRefusals
from whatsapp_operator.runtime.kube.owners import Owners, session_index_keys
from whatsapp_operator.runtime.kube.probe_kills import ProbeKills
from whatsapp_operator.runtime.kube.resources import NETWORK_POLICIES, PODS, PVCS, QUOTAS, SERVICES, SESSIONS
from whatsapp_operator.runtime.kube.store import OnChange, Store
from whatsapp_operator.runtime.process.config import MANAGED_SELECTOR, Config, Dependencies
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.seals import Seals
from whatsapp_operator.runtime.reconcile.circuit_breaker import CircuitBreakerMonitor, OnPauseChanged
from whatsapp_operator.runtime.reconcile.claim_seals import ClaimSeals
from whatsapp_operator.runtime.reconcile.event_recorder import EventRecorder
from whatsapp_operator.runtime.reconcile.executor import Executor
from whatsapp_operator.runtime.reconcile.failed_calls import CallRegistry
from whatsapp_operator.runtime.reconcile.namespace_cleanup import NamespaceCleanup
from whatsapp_operator.runtime.reconcile.observer import Observer, no_index_keys, pod_index_keys
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory
from whatsapp_operator.runtime.reconcile.pod_times import PodTimes
from whatsapp_operator.runtime.reconcile.reconciliation import ReconcilerDeps
from whatsapp_operator.runtime.reconcile.status_writer import StatusWriter
from whatsapp_operator.runtime.reconcile.workqueue import WorkQueue
from whatsapp_operator.runtime.runners.client import HttpRunnerClient, RunnerClient
from whatsapp_operator.runtime.runners.poller import RunnerPoller

EVENTS_GIVE_WAY: Final = 0.1
""" Seconds until a lone event is written: the pod that it tells of is asked for first. """
INDEXES: Final = {
    SESSIONS: session_index_keys,
    QUOTAS: no_index_keys,
    PODS: pod_index_keys,
    PVCS: no_index_keys,
    SERVICES: no_index_keys,
    NETWORK_POLICIES: no_index_keys,
}


@dataclass(frozen=True, kw_only=True)
class Base:
    """What all other parts are built on: what was seen of the cluster, and whose it is."""

    config: Config
    dependencies: Dependencies
    queue: WorkQueue
    store: Store
    instance: Instance
    keys: KeyRing
    seals: Seals
    owners: Owners
    calls: CallRegistry


def base_of(
    config: Config, dependencies: Dependencies, *, on_change: OnChange, on_keys_lost: Callable[[str, bool], None]
) -> Base:
    """Build what all other parts need."""
    kube, clock = dependencies.kube, dependencies.clock
    store = Store(INDEXES, on_change=on_change, versions=kube.versions)
    keys = KeyRing(kube=kube, clock=clock, namespace=config.namespace, name=config.key_secret, on_lost=on_keys_lost)
    seals = Seals(keys)
    return Base(
        config=config,
        dependencies=dependencies,
        queue=WorkQueue(clock, dependencies.jitter, dependencies.metrics),
        store=store,
        instance=Instance(kube=kube, name=config.instance, namespaces=config.namespaces),
        keys=keys,
        seals=seals,
        owners=Owners(store, seals.read),
        calls=CallRegistry(clock=clock, jitter=dependencies.jitter, metrics=dependencies.metrics),
    )


def http_client_of(base: Base) -> HttpRunnerClient:
    """Build the client of the runners."""
    rejected = base.dependencies.metrics.answers_rejected
    return HttpRunnerClient(key=base.keys.key, rejected=lambda reason: rejected.labels(reason).inc())


def runners_of(base: Base, client: RunnerClient) -> RunnerPoller:
    """Build what polls the runners."""
    return RunnerPoller(
        client=client,
        clock=base.dependencies.clock,
        on_changed=base.queue.add,
        jitter=base.dependencies.jitter,
        current_key=lambda: base.keys.current,
    )


def admission_of(base: Base) -> Admission:
    """Build what admits sessions."""
    dependencies = base.dependencies
    return Admission(
        kube=dependencies.kube,
        clock=dependencies.clock,
        instance=base.instance,
        pods_selector=MANAGED_SELECTOR,
        read_seal=base.seals.read,
        pod_start_timeout=base.config.defaults.pod_start_timeout,
        claims=lambda: list(base.store.all(PVCS)),
        on_changed=base.queue.add,
        metrics=dependencies.metrics,
        jitter=dependencies.jitter,
        offload=dependencies.offload,
        garbage=dependencies.garbage,
    )


def circuit_breaker_of(base: Base, on_changed: OnPauseChanged) -> CircuitBreakerMonitor:
    """Build what pauses recovery after many failures."""
    return CircuitBreakerMonitor(
        sessions=lambda: base.store.all(SESSIONS),
        clock=base.dependencies.clock,
        metrics=base.dependencies.metrics,
        runner_image=base.config.defaults.runner_image,
        is_ours=base.instance.known,
        on_changed=on_changed,
    )


def cleanup_of(base: Base) -> NamespaceCleanup:
    """Build what deletes a namespace's objects that no session needs."""
    return NamespaceCleanup(
        kube=base.dependencies.kube,
        store=base.store,
        instance=base.instance,
        records=base.calls.apart("what no session needs"),
        network_policies=base.config.defaults.network is not None,
    )


def claim_seals_of(base: Base) -> ClaimSeals:
    """Build what renews the seals of claims."""
    return ClaimSeals(
        kube=base.dependencies.kube,
        store=base.store,
        instance=base.instance,
        keys=base.keys,
        seals=base.seals,
        owners=base.owners,
        records=base.calls.apart("seals of claims"),
    )


def event_recorder_of(base: Base, on_outcome: Callable[[ObjectKey, KubeError | None], None]) -> EventRecorder:
    """Build what writes events."""
    return EventRecorder(
        kube=base.dependencies.kube,
        clock=base.dependencies.clock,
        metrics=base.dependencies.metrics,
        component=base.config.component,
        instance=base.config.identity,
        give_way=EVENTS_GIVE_WAY,
        jitter=base.dependencies.jitter,
        on_outcome=on_outcome,
    )


def reconciler_deps_of(
    base: Base,
    *,
    pod_history: PodHistory,
    pod_times: PodTimes,
    runners: RunnerPoller,
    admission: Admission,
    circuit_breaker: CircuitBreakerMonitor,
    foreign_objects: ForeignObjects,
    event_recorder: EventRecorder,
) -> ReconcilerDeps:
    """Gather what a reconciliation uses."""
    kube, clock, metrics = base.dependencies.kube, base.dependencies.clock, base.dependencies.metrics
    config = base.config
    return ReconcilerDeps(
        store=base.store,
        clock=clock,
        observer=Observer(
            store=base.store,
            owners=base.owners,
            keys=base.keys,
            clock=clock,
            runners=runners,
            pod_history=pod_history,
            pod_times=pod_times,
            admission=admission,
            foreign_objects=foreign_objects,
            recovery_paused=circuit_breaker.message,
            pod_security=base.instance.enforces_pod_security,
        ),
        executor=Executor(
            kube=kube,
            store=base.store,
            key=base.keys.key,
            seals=base.seals,
            creating=admission.under_way.creating,
            extra_ca=config.defaults.extra_ca,
        ),
        writer=StatusWriter(kube=kube, store=base.store, clock=clock, metrics=metrics),
        event_recorder=event_recorder,
        runners=runners,
        admission=admission,
        instance=base.instance,
        defaults=lambda: replace(config.defaults, key_id=base.keys.current),
        foreign_objects=foreign_objects,
        calls=base.calls,
        existing_claim=lambda: ExistingClaimReader(kube, clock),
        namespace_refusals=lambda: NamespaceRefusals(kube, clock),
        probe_kills=lambda: ProbeKills(kube),
        ended_by_us=pod_history.ended_by_us,
        causes=metrics.causes,
    )
