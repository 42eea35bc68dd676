"""The Prometheus metrics of the operator, in a registry of its own: what each part of the runtime counts.

`app.probes` serves them under /metrics. The rows are in `runtime.metrics.families`, and docs/reference/metrics.md is made
from them. Sessions and quotas are told by name, from what the store has when somebody scrapes (`runtime.metrics.fleet`);
`runtime.metrics.labels` holds what may stand in a label. Names and units follow Prometheus' conventions: a time is
exported as a timestamp, and the query computes its age.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Info
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from session_protocol.connections import Closing

from whatsapp_operator.core.model import Rejection
from whatsapp_operator.core.recovery.causes import CAUSES
from whatsapp_operator.core.recovery.failure_class import FAILURE_CLASSES
from whatsapp_operator.runtime.metrics import SESSIONS_LIMIT, families
from whatsapp_operator.runtime.metrics.fleet import FleetSeries
from whatsapp_operator.runtime.metrics.standard import StandardMetrics

_WAITS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)
""" Seconds, for what people wait for. """


class Metrics(StandardMetrics):
    """All metrics of one process."""

    def __init__(self, *, sessions_limit: int = SESSIONS_LIMIT) -> None:
        registry = self.registry = CollectorRegistry(auto_describe=True)
        super().__init__(registry)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        build = families.BUILD
        self.build = Info(build.family, build.meaning, registry=registry)
        self.fleet = FleetSeries(limit=sessions_limit)
        registry.register(self.fleet)

        self.reconcile_failures = families.RECONCILE_FAILURES.counter(registry)
        for reason in ("api_error", "throttled", "unsettled", "fault"):
            self.reconcile_failures.labels(reason)
        self.recovery_paused = families.RECOVERY_PAUSED.gauge(registry)
        self.paused_namespaces = families.PAUSED_NAMESPACES.gauge(registry)
        self.namespace_paused = families.NAMESPACE_PAUSED.gauge(registry)
        self.causes = families.CAUSES.counter(registry)
        for cause in CAUSES:
            self.causes.labels(cause.name)
        self.failures = families.FAILURES.counter(registry)
        for name in FAILURE_CLASSES:
            self.failures.labels(name)
        self.pods_created = families.PODS_CREATED.counter(registry)
        self.admission_wait = families.ADMISSION_WAIT.histogram(registry, buckets=_WAITS)
        self.session_start = families.SESSION_START.histogram(registry, buckets=_WAITS)
        self.session_recovery = families.SESSION_RECOVERY.histogram(registry, buckets=_WAITS)
        self.status_writes = families.STATUS_WRITES.counter(registry)
        self.events = families.EVENTS.counter(registry)
        self.failed_calls = families.FAILED_CALLS.counter(registry)
        self.status_fields_dropped = families.STATUS_FIELDS_DROPPED.gauge(registry)
        self.admission_rounds = families.ADMISSION_ROUNDS.counter(registry)
        self.loop_lag = families.LOOP_LAG.histogram(registry, buckets=(0.005, 0.02, 0.05, 0.1, 0.5, 2, 10, 30))
        self.clock_offset = families.CLOCK_OFFSET.gauge(registry)
        self.resyncs = families.RESYNCS.counter(registry)
        self.resync_seconds = families.RESYNC_SECONDS.histogram(registry, buckets=(0.05, 0.2, 1, 5, 20, 60))
        # Absent at first: if it was 0, an alert on its age would fire at every start, and for ever in a standby.
        self.resync_succeeded = families.RESYNC_SUCCEEDED.optional(registry)
        self.resync_missed = families.RESYNC_MISSED.counter(registry)
        self.cache_resets = families.CACHE_RESETS.counter(registry)
        self.keys_restored = families.KEYS_RESTORED.counter(registry)
        self.key_expiration = families.KEY_EXPIRATION.optional(registry)
        self.bad_requests = families.BAD_REQUESTS.counter(registry)
        self.closed = families.CLOSED.counter(registry)
        for closing in Closing:
            self.closed.labels(closing)
        self.answers_rejected = families.ANSWERS_REJECTED.counter(registry)
        for rejection in Rejection:
            self.answers_rejected.labels(rejection)
        self.runners = families.RUNNERS.gauge(registry)
