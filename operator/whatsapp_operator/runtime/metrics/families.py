"""The rows of the operator's metrics about itself: what runs, what it does, what it was refused.

Where client-go and controller-runtime have a metric of the same meaning, it is theirs by name, label and value, so that
the dashboards and rules that people have for operators show this one, too.
"""

from collections.abc import Mapping
from typing import Final

from session_protocol.metric_family import MetricFamily, MetricType

from whatsapp_operator.runtime.metrics.fleet import FLEET_FAMILIES
from whatsapp_operator.runtime.metrics.session_families import NAMESPACE

QUEUE: Final = "whatsappsession"
""" The name of the work queue and of the controller. """

_PREFIX: Final = "whatsapp_operator_"
_QUEUE: Final = {"name": f"`{QUEUE}`"}
_CONTROLLER: Final = {"controller": f"`{QUEUE}`"}
_CLASS: Final = {"class": "a [cause](../causes.md) inside of the session; `Unknown` for what none of them is"}
_NOT_ACTING: Final = "in a process that does not act"


def _row(kind: MetricType, name: str, meaning: str, labels: Mapping[str, str] | None, absent: str) -> MetricFamily:
    return MetricFamily(name=name, type=kind, meaning=meaning, labels=labels or {}, absent=absent)


def _counter(name: str, meaning: str, labels: Mapping[str, str] | None = None, *, absent: str = "") -> MetricFamily:
    return _row(MetricType.COUNTER, name, meaning, labels, absent)


def _gauge(name: str, meaning: str, labels: Mapping[str, str] | None = None, *, absent: str = "") -> MetricFamily:
    return _row(MetricType.GAUGE, name, meaning, labels, absent)


def _histogram(name: str, meaning: str, labels: Mapping[str, str] | None = None) -> MetricFamily:
    return _row(MetricType.HISTOGRAM, name, meaning, labels, "")


# --- as client-go and controller-runtime have them ----------------------------------------------------------------------

QUEUE_DEPTH: Final = _gauge("workqueue_depth", "Sessions that wait for a worker", _QUEUE)
QUEUE_ADDS: Final = _counter("workqueue_adds_total", "Sessions that were queued", _QUEUE)
QUEUE_RETRIES: Final = _counter("workqueue_retries_total", "Sessions that were queued again after a failure", _QUEUE)
QUEUE_SECONDS: Final = _histogram("workqueue_queue_duration_seconds", "How long a session waited for a worker", _QUEUE)
WORK_SECONDS: Final = _histogram("workqueue_work_duration_seconds", "How long a worker took for a session", _QUEUE)
UNFINISHED_SECONDS: Final = _gauge(
    "workqueue_unfinished_work_seconds", "How long all present reconciliations have taken so far, together", _QUEUE
)
LONGEST_SECONDS: Final = _gauge(
    "workqueue_longest_running_processor_seconds",
    "How long the longest present reconciliation has taken so far",
    _QUEUE,
)
RECONCILES: Final = _counter(
    "controller_runtime_reconcile_total",
    "Reconciliations of a session, by result",
    _CONTROLLER | {"result": "`success`, `requeue_after` (a success, with a time for the next one), `error`"},
)
RECONCILE_ERRORS: Final = _counter(
    "controller_runtime_reconcile_errors_total", "Reconciliations that failed", _CONTROLLER
)
RECONCILE_PANICS: Final = _counter(
    "controller_runtime_reconcile_panics_total", "Reconciliations that failed by a fault of the operator", _CONTROLLER
)
RECONCILE_SECONDS: Final = _histogram(
    "controller_runtime_reconcile_time_seconds",
    "How long a reconciliation takes, requests to the API server included",
    _CONTROLLER,
)
ACTIVE_WORKERS: Final = _gauge("controller_runtime_active_workers", "Workers that reconcile a session now", _CONTROLLER)
MAX_WORKERS: Final = _gauge(
    "controller_runtime_max_concurrent_reconciles",
    "Workers that there are; 0 in a process that does not act",
    _CONTROLLER,
)
LEADER: Final = _gauge(
    "leader_election_master_status", "1 while this process holds the Lease", {"name": "the Lease's name"}
)
REQUESTS: Final = _counter(
    "rest_client_requests_total",
    "Requests to the API server, but for those of the watches and about the Lease",
    {
        "code": "the HTTP status, `other` for one that HTTP does not know, `<error>` where no answer came",
        "method": "`GET`, `POST`, `PUT`, `PATCH`, `DELETE`",
        "host": "the API server, with its port",
    },
    absent="for labels with which there was no request yet",
)

# --- our own --------------------------------------------------------------------------------------------------------------

BUILD: Final = MetricFamily(
    name=f"{_PREFIX}build_info",
    type=MetricType.INFO,
    meaning="The version that runs",
    labels={"version": "the release"},
)
RECONCILE_FAILURES: Final = _counter(
    f"{_PREFIX}reconcile_failures_total",
    "Why reconciliations failed",
    {
        "reason": "`api_error`, `throttled`, `unsettled` (somebody undoes what the operator does), `fault` (a bug; the log "
        "has the traceback)"
    },
)
RECOVERY_PAUSED: Final = _gauge(
    f"{_PREFIX}recovery_paused",
    "1 while recovery is paused in all namespaces that have sessions, after many failures at once",
)
PAUSED_NAMESPACES: Final = _gauge(
    f"{_PREFIX}recovery_paused_namespaces",
    "Namespaces whose recovery is paused after many failures at once, or tried again after that",
)
NAMESPACE_PAUSED: Final = _gauge(
    f"{_PREFIX}namespace_recovery_paused",
    "1 while recovery is paused or tried in this namespace, by its own failures",
    {NAMESPACE: ""},
    absent="for every other namespace",
)
CAUSES: Final = _counter(
    f"{_PREFIX}pod_causes_total",
    "Why pods ended or do not run, once each",
    {"cause": "the [causes](../causes.md), `Unknown` and `UnknownWait` what none of them is"},
)
FAILURES: Final = _counter(
    f"{_PREFIX}session_failures_total", "Failures that count against a session, by their class", _CLASS
)
PODS_CREATED: Final = _counter(
    f"{_PREFIX}pods_created_total",
    "Pods of sessions that were created, by what for",
    {
        "reason": "`First`: the session's first; `Again`: it was suspended, or waited for its turn; else why it was "
        "replaced: the reason of the condition Recovering, such as `BackingOff` after a failure, `RestartRequested`, or a "
        "[cause](../causes.md)"
    },
    absent="for a reason that there was not yet",
)
ADMISSION_WAIT: Final = _histogram(
    f"{_PREFIX}admission_wait_seconds",
    "How long sessions waited for their place in the quota: from Queued, or from their creation",
)
SESSION_START: Final = _histogram(
    f"{_PREFIX}session_start_seconds",
    "How long sessions took from their admission to Connected, a QR code, or another state that a person has to end",
)
SESSION_RECOVERY: Final = _histogram(
    f"{_PREFIX}session_recovery_seconds",
    "How long linked sessions were not ready; not counted where a person had to do something",
)
STATUS_WRITES: Final = _counter(
    f"{_PREFIX}status_writes_total",
    "Writes of a status, by kind and result",
    {"kind": "`whatsappsessions`, `whatsappsessionquotas`", "result": "`written`, `conflict`, `error`"},
    absent="for labels with which there was no write yet",
)
STATUS_FIELDS_DROPPED: Final = _gauge(
    f"{_PREFIX}status_fields_dropped",
    "Fields of statuses that the API server does not keep: its CRDs are not of this release",
)
EVENTS: Final = _counter(
    f"{_PREFIX}events_total",
    "Kubernetes events, by result",
    {
        "result": "`written`, `error`, `throttled` (too many about one object), `dropped` (more waited than the queue holds, "
        "or the process ended)"
    },
    absent="for a result that there was not yet",
)
FAILED_CALLS: Final = _counter(
    f"{_PREFIX}failed_calls_total",
    "Calls to the API server for a session that it refused or failed, or that were undone",
    {"verb": "`create`, `patch`, `delete` and others", "kind": "the object's kind"},
    absent="for labels with which no call failed yet",
)
ADMISSION_ROUNDS: Final = _counter(
    f"{_PREFIX}admission_rounds_total",
    "Rounds in which waiting sessions were considered",
    {"result": "`success`, `error`"},
    absent="for a result that there was not yet",
)
LOOP_LAG: Final = _histogram(
    f"{_PREFIX}event_loop_lag_seconds",
    "How late the event loop was, looked at ten times a second: the longest piece of work that was in it",
)
CLOCK_OFFSET: Final = _gauge(
    f"{_PREFIX}clock_offset_seconds",
    "How far the machine's wall clock was set ahead of the time that this process goes by, which catches up by 5 %; "
    "negative: back",
)
RESYNCS: Final = _counter(
    f"{_PREFIX}resync_total",
    "Full lists of everything, by result",
    {"result": "`success`, `error`"},
    absent="for a result that there was not yet",
)
RESYNC_SECONDS: Final = _histogram(f"{_PREFIX}resync_duration_seconds", "How long a full list takes")
RESYNC_SUCCEEDED: Final = _gauge(
    f"{_PREFIX}resync_last_success_timestamp_seconds",
    "When the last full list that succeeded began",
    absent="until there is one; a process that does not act any more keeps the last",
)
RESYNC_MISSED: Final = _counter(
    f"{_PREFIX}resync_missed_changes_total",
    "Changes that a full list found and no watch had reported: a few are races, a steady growth is a sick watch",
    {"resource": "the kind of object"},
    absent="for a resource of which nothing was missed yet",
)
CACHE_RESETS: Final = _counter(
    f"{_PREFIX}cache_resets_total",
    "How often everything was dropped and read anew, watches included, in the same process",
    {"reason": "`versions_went_back`, `watch_stopped`"},
    absent="for a reason that there was not yet",
)
KEYS_RESTORED: Final = _counter(
    f"{_PREFIX}keys_restored_total",
    "How often keys that were lost from their Secret were put back from memory: somebody deletes or changes it",
    {"result": "`success`, `error`"},
    absent="for a result that there was not yet",
)
KEY_EXPIRATION: Final = _gauge(
    f"{_PREFIX}key_expiration_timestamp_seconds",
    "The last day of the oldest retired key that is kept: sessions that still use it get new pods before",
    absent=f"with no retired key; {_NOT_ACTING}",
)
BAD_REQUESTS: Final = _counter(
    f"{_PREFIX}http_bad_requests_total",
    "Requests to the probes' port that could not be read; nothing of them is logged",
)
CLOSED: Final = _counter(
    f"{_PREFIX}http_connections_closed_total",
    "Connections to the probes' port that were closed for going beyond a limit",
    {"reason": "`slow_head`, `slow_body`, `long_head`, `long_body`, `slow_reader`, `peer_limit`, `connection_limit`"},
)
ANSWERS_REJECTED: Final = _counter(
    f"{_PREFIX}runner_answers_rejected_total",
    "Answers of runners that did not count: too large, no HTTP, no state, another pod's",
    {"reason": "`too_large`, `invalid_http`, `status`, `invalid_state`, `unsigned`, `other_pod`"},
)
RUNNERS: Final = _gauge(f"{_PREFIX}runners_listened_to", "Runners that are polled")

FAMILIES: Final[tuple[tuple[str, tuple[MetricFamily, ...]], ...]] = (
    ("Sessions and quotas", FLEET_FAMILIES),
    (
        "What happens to sessions",
        (
            ADMISSION_WAIT, SESSION_START, SESSION_RECOVERY, FAILURES, CAUSES, PODS_CREATED, RECOVERY_PAUSED,
            PAUSED_NAMESPACES, NAMESPACE_PAUSED,
        ),
    ),
    (
        "The operator, by the standard names",
        (
            LEADER, QUEUE_DEPTH, QUEUE_ADDS, QUEUE_RETRIES, QUEUE_SECONDS, WORK_SECONDS, UNFINISHED_SECONDS, LONGEST_SECONDS,
            RECONCILES, RECONCILE_ERRORS, RECONCILE_PANICS, RECONCILE_SECONDS, ACTIVE_WORKERS, MAX_WORKERS, REQUESTS,
        ),
    ),
    (
        "The operator, by names of its own",
        (
            BUILD, RECONCILE_FAILURES, RESYNC_SUCCEEDED, RESYNCS, RESYNC_SECONDS, RESYNC_MISSED, CACHE_RESETS, LOOP_LAG,
            CLOCK_OFFSET, STATUS_WRITES, STATUS_FIELDS_DROPPED, FAILED_CALLS, EVENTS, ADMISSION_ROUNDS, KEYS_RESTORED,
            KEY_EXPIRATION, RUNNERS, ANSWERS_REJECTED, BAD_REQUESTS, CLOSED,
        ),
    ),
)  # fmt: skip
""" All of them, under the headings of the reference. """
