"""The rows of the metrics about sessions and quotas, which `fleet` makes from what is in the store.

Namespace and session are the labels `session_namespace` and `session`: Prometheus sets `namespace`, `pod`, `instance`
and `job` itself, to those of the process that it scrapes, and renames ours.
"""

from collections.abc import Mapping
from typing import Final

from session_protocol.metric_family import MetricFamily, MetricType

NAMESPACE: Final = "session_namespace"
SESSION: Final = "session"
QUOTA: Final = "quota"

_NOT_ACTING: Final = "in a process that does not act"
_NO_STATUS: Final = "without a status"
_SESSION: Final = {NAMESPACE: "", SESSION: ""}
_STATE: Final = (
    "a [state](runner-api.md#states) of a runner, or of the operator (`Queued`, `Pending`, `Unreachable`, `Recovering`, "
    "`Suspended`, `Stalled`); `Unknown` before there is one, `Other` for a word that this version does not know"
)
_QUOTA: Final = {QUOTA: ""}


def _gauge(name: str, meaning: str, *, absent: str = "", labels: Mapping[str, str] | None = None) -> MetricFamily:
    return MetricFamily(
        name=f"whatsapp_session_{name}",
        type=MetricType.GAUGE,
        meaning=meaning,
        labels={**_SESSION, **(labels or {})},
        absent=absent,
    )


SESSION_INFO: Final = MetricFamily(
    name="whatsapp_session_info",
    type=MetricType.INFO,
    meaning="A session that there is",
    labels=_SESSION
    | {
        QUOTA: "the quota that it counts against; empty where there is none of that name",
        "operating_mode": "`Running`, `Suspended`",
    },
)
STATE: Final = _gauge(
    "state",
    "1 for the state in the session's status",
    labels={"state": _STATE},
    absent="for every other state: a session has one series, which another follows when its state changes",
)
STATE_SINCE: Final = _gauge(
    "state_since_timestamp_seconds", "Since when the session has been in its state", absent=_NO_STATUS
)
READY: Final = _gauge("ready", "Whether the session is linked and connected", absent=_NO_STATUS)
READY_SINCE: Final = _gauge(
    "ready_since_timestamp_seconds", "When the condition Ready became what it is", absent=_NO_STATUS
)
LINKED: Final = _gauge("linked", "Whether a phone is linked", absent="while nobody knows")
STALLED: Final = _gauge("stalled", "Whether the session waits for a person", absent=_NO_STATUS)
STALLED_REASON: Final = _gauge(
    "stalled_reason",
    "1 for what a session waits for a person for",
    labels={
        "reason": "the reason of its condition Stalled, such as `Conflict`; `Other` for one that this version does not know"
    },
    absent="while it is not stalled",
)
STALLED_SINCE: Final = _gauge(
    "stalled_since_timestamp_seconds", "Since when the session waits for a person", absent="while it is not stalled"
)
RESTARTS: Final = MetricFamily(
    name="whatsapp_session_pod_restarts_total",
    type=MetricType.COUNTER,
    meaning="Pods of the session created after its first, for whatever reason",
    labels=_SESSION,
    absent=_NO_STATUS,
)
CONSECUTIVE_FAILURES: Final = _gauge(
    "consecutive_failures", "Failures in a row, as they count for spec.recovery.maxAttempts", absent=_NO_STATUS
)
LAST_FAILURE: Final = MetricFamily(
    name="whatsapp_session_last_failure_info",
    type=MetricType.INFO,
    meaning="How the session failed last; kept after a recovery",
    labels=_SESSION | {"class": "a [cause](../causes.md) inside of the session; `Unknown` for what none of them is"},
    absent="while it never failed",
)
LAST_FAILURE_TIME: Final = _gauge(
    "last_failure_timestamp_seconds", "When the session failed last", absent="while it never failed"
)
GENERATION: Final = _gauge("generation", "The session's metadata.generation, which grows with each edit of its spec")
OBSERVED_GENERATION: Final = _gauge(
    "observed_generation", "The generation that the session's status answers", absent=_NO_STATUS
)
CREATED: Final = _gauge("created_timestamp_seconds", "When the session was created")

SESSION_FAMILIES: Final = (
    SESSION_INFO, STATE, STATE_SINCE, READY, READY_SINCE, LINKED, STALLED, STALLED_REASON, STALLED_SINCE, RESTARTS,
    CONSECUTIVE_FAILURES, LAST_FAILURE, LAST_FAILURE_TIME, GENERATION, OBSERVED_GENERATION, CREATED,
)  # fmt: skip
""" With a series for each session, or none. """

SESSIONS: Final = MetricFamily(
    name="whatsapp_operator_sessions",
    type=MetricType.GAUGE,
    meaning="Sessions by the state in their status",
    labels={NAMESPACE: "", "state": _STATE},
    absent=f"for a state that no session of the namespace is in; {_NOT_ACTING}",
)
WITHOUT_METRICS: Final = MetricFamily(
    name="whatsapp_operator_sessions_without_metrics",
    type=MetricType.GAUGE,
    meaning="Sessions beyond METRICS_SESSIONS_LIMIT, which have no series of their own",
    absent=_NOT_ACTING,
)


def _quota(name: str, meaning: str, *, absent: str = "before the quota has a status") -> MetricFamily:
    return MetricFamily(
        name=f"whatsapp_quota_{name}", type=MetricType.GAUGE, meaning=meaning, labels=_QUOTA, absent=absent
    )


QUOTA_SESSIONS: Final = _quota("sessions", "Sessions that the quota has admitted")
QUOTA_SESSIONS_LIMIT: Final = _quota("sessions_limit", "How many it may admit", absent="where that is unlimited")
QUOTA_MEMORY: Final = _quota("memory_bytes", "The memory that the admitted sessions reserve")
QUOTA_MEMORY_LIMIT: Final = _quota("memory_limit_bytes", "How much they may reserve", absent="where that is unlimited")
QUOTA_STORAGE: Final = _quota(
    "storage_bytes", "The volume claims that count against the quota", absent="where the quota does not limit storage"
)
QUOTA_STORAGE_LIMIT: Final = _quota("storage_limit_bytes", "How large they may be", absent="where that is unlimited")
QUOTA_PENDING: Final = _quota("pending_sessions", "Sessions that wait to be admitted")
QUOTA_NOT_RUNNING: Final = _quota(
    "not_running_sessions", "Admitted sessions that have had no running pod for more than a minute"
)
QUOTA_OLDEST_PENDING: Final = _quota(
    "oldest_pending_timestamp_seconds",
    "Since when the session that has been Queued for longest waits",
    absent="while none is Queued",
)
QUOTA_FAMILIES: Final = (
    QUOTA_SESSIONS, QUOTA_SESSIONS_LIMIT, QUOTA_MEMORY, QUOTA_MEMORY_LIMIT, QUOTA_STORAGE, QUOTA_STORAGE_LIMIT,
    QUOTA_PENDING, QUOTA_NOT_RUNNING, QUOTA_OLDEST_PENDING,
)  # fmt: skip
