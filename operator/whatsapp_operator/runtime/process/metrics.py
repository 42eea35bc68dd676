"""The Prometheus metrics of the operator, in a registry of its own.

`app.probes` serves them under /metrics. No label names a session: their number is unbounded, and a name may be a phone
number. Nor does any label hold a word from outside: a state that no vocabulary has is `Other`. `docs/design/runtime.md`
has the table; a test compares the names. Names and units follow Prometheus' conventions: a time is exported as a
timestamp, and the query computes its age.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from session_protocol.connections import Closing
from session_protocol.states import STATES, OperatorState

from whatsapp_operator.core.model import Rejection
from whatsapp_operator.core.recovery.causes import CAUSES

_PREFIX = "whatsapp_operator"
_STATES = frozenset(STATES) | frozenset(OperatorState)


class SessionCounts(Collector):
    """Sessions by namespace and state. Set as a whole, and turned into series by whoever collects them, in a thread."""

    _labelnames = ("namespace", "state")  # where the library's own collectors have them

    def __init__(self) -> None:
        self.counts: Mapping[tuple[str, str], int] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return one series for each namespace and state."""
        family = GaugeMetricFamily(
            f"{_PREFIX}_sessions", "Sessions by the state in their status", labels=self._labelnames
        )
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.build = Info(f"{_PREFIX}_build", "The version that runs", registry=self.registry)
        self.reconciles = Counter(
            f"{_PREFIX}_reconcile", "Reconciliations of a session, by result", ["result"], registry=self.registry
        )
        self.reconcile_seconds = Histogram(
            f"{_PREFIX}_reconcile_duration_seconds",
            "How long one reconciliation takes, requests to the API server included",
            buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            f"{_PREFIX}_workqueue_depth", "Sessions that wait for a worker", registry=self.registry
        )
        self.queue_oldest = Gauge(
            f"{_PREFIX}_workqueue_oldest_seconds", "How long the first of them has been waiting", registry=self.registry
        )
        self.sessions = SessionCounts()
        self.registry.register(self.sessions)
        self.recovery_paused = Gauge(
            f"{_PREFIX}_recovery_paused",
            "1 while recovery is paused in all namespaces that have sessions, after many failures at once",
            registry=self.registry,
        )
        self.paused_namespaces = Gauge(
            f"{_PREFIX}_recovery_paused_namespaces",
            "Namespaces whose recovery is paused after many failures at once, or tried again after that",
            registry=self.registry,
        )
        self.causes = Counter(
            f"{_PREFIX}_pod_causes",
            "Why pods ended or do not run, by the causes of docs/causes.md",
            ["cause"],
            registry=self.registry,
        )
        for cause in CAUSES:
            self.causes.labels(cause.name)
        self.status_writes = Counter(
            f"{_PREFIX}_status_writes",
            "Writes of a status, by kind and result",
            ["kind", "result"],
            registry=self.registry,
        )
        self.events = Counter(
            f"{_PREFIX}_events",
            "Kubernetes events, by result",
            ["result"],
            registry=self.registry,
        )
        self.failed_calls = Counter(
            f"{_PREFIX}_failed_calls",
            "Calls to the API server for a session that it refused or failed, or that were undone",
            ["verb", "kind"],
            registry=self.registry,
        )
        self.status_fields_dropped = Gauge(
            f"{_PREFIX}_status_fields_dropped",
            "Fields of statuses that the API server does not keep: its CRDs are not of this release",
            registry=self.registry,
        )
        self.admission_rounds = Counter(
            f"{_PREFIX}_admission_rounds",
            "Admission rounds",
            ["result"],
            registry=self.registry,
        )
        self.admission_waiting = Gauge(
            f"{_PREFIX}_admission_waiting_sessions", "Sessions that the last round refused", registry=self.registry
        )
        self.admission_not_running = Gauge(
            f"{_PREFIX}_admission_not_running_sessions",
            "Admitted sessions that have had no running pod for more than a minute, by the last round",
            registry=self.registry,
        )
        self.requests = Counter(
            f"{_PREFIX}_kube_requests",
            "Requests to the API server, by method and status",
            ["method", "status"],
            registry=self.registry,
        )
        self.loop_lag = Histogram(
            f"{_PREFIX}_event_loop_lag_seconds",
            "How late the event loop was, looked at ten times a second: the longest piece of work that was in it",
            buckets=(0.005, 0.02, 0.05, 0.1, 0.5, 2, 10, 30),
            registry=self.registry,
        )
        self.clock_offset = Gauge(
            f"{_PREFIX}_clock_offset_seconds",
            "How far the machine's wall clock was set ahead of the time that this process goes by; negative: back",
            registry=self.registry,
        )
        self.leader = Gauge(f"{_PREFIX}_lease_holder", "1 while this process holds the Lease", registry=self.registry)
        self.resyncs = Counter(
            f"{_PREFIX}_resync", "Full lists of everything, by result", ["result"], registry=self.registry
        )
        self.resync_seconds = Histogram(
            f"{_PREFIX}_resync_duration_seconds",
            "How long a full list takes",
            buckets=(0.05, 0.2, 1, 5, 20, 60),
            registry=self.registry,
        )
        self._resync_succeeded = Gauge(
            f"{_PREFIX}_resync_last_success_timestamp_seconds",
            "When the last full list that succeeded began, in seconds since 1970; absent until there is one",
            registry=None,
        )
        self._resynced = False
        self.resync_missed = Counter(
            f"{_PREFIX}_resync_missed_changes",
            "Changes that a full list found and no watch had reported",
            ["resource"],
            registry=self.registry,
        )
        self.cache_resets = Counter(
            f"{_PREFIX}_cache_resets",
            "How often everything was dropped and read anew, watches included, in the same process",
            ["reason"],
            registry=self.registry,
        )
        self.keys_restored = Counter(
            f"{_PREFIX}_keys_restored",
            "How often keys that were lost from their Secret were put back from memory",
            ["result"],
            registry=self.registry,
        )
        self.bad_requests = Counter(
            f"{_PREFIX}_http_bad_requests",
            "Requests to the probes' port that could not be read",
            registry=self.registry,
        )
        self.closed = Counter(
            f"{_PREFIX}_http_connections_closed",
            "Connections to the probes' port that were closed for going beyond a limit",
            ["reason"],
            registry=self.registry,
        )
        for reason in Closing:
            self.closed.labels(reason)
        self.answers_rejected = Counter(
            f"{_PREFIX}_runner_answers_rejected",
            "Answers of runners that did not count: too large, no HTTP, no state, another pod's",
            ["reason"],
            registry=self.registry,
        )
        for rejection in Rejection:
            self.answers_rejected.labels(rejection)
        self.runners = Gauge(f"{_PREFIX}_runners_listened_to", "Runners that are polled", registry=self.registry)

    def resynced(self, began: datetime) -> None:
        """Record a resync that succeeded.

        The gauge is registered with the first one: if it was 0 before, an alert on its age would fire at every start.
        """
        if not self._resynced:
            self.registry.register(self._resync_succeeded)
            self._resynced = True
        self._resync_succeeded.set(began.timestamp())


def state_label(state: object) -> str:
    """Return the label for a state in a status: that of a newer runner, or of one that makes up a new word each time, is `Other`."""
    if not state:
        return "Unknown"
    return str(state) if isinstance(state, str) and state in _STATES else "Other"
