"""The page docs/reference/metrics.md, from the rows that both programs make their metrics from: `make generate` writes it."""

from collections.abc import Iterable, Sequence

from session_protocol.metric_family import MetricFamily
from session_protocol.states import OperatorState

from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.runtime.metrics import SESSIONS_LIMIT
from whatsapp_operator.runtime.metrics.families import FAMILIES
from whatsapp_operator.runtime.metrics.fleet import Fleet
from whatsapp_operator.runtime.metrics.labels import OTHER, STATE_VOCABULARY
from whatsapp_operator.runtime.metrics.session_families import QUOTA_FAMILIES, SESSION_FAMILIES
from whatsapp_operator.runtime.process.metrics import Metrics

_NAMESPACES = 10
_HEAD = f"""\
# Metrics

The metrics that operator and runners have at `/metrics`, and when each is absent.
`make generate` writes this page from `whatsapp_operator/runtime/metrics/` and `session_runner/metrics/families.py`; do not edit it.

Times are timestamps in seconds since 1970: a query computes the age, as in `time() - whatsapp_session_state_since_timestamp_seconds`.
What cannot be read is absent, never 0.
A histogram has `_bucket`, `_sum` and `_count` behind its name; counters and histograms have a `_created` beside them, the time of their first series.
Both programs have `process_…` of the Python client, the runner as `whatsapp_runner_process_…`; the operator has `python_gc_…`, too.

| Format | Asked for by `Accept` |
|---|---|
| Prometheus text 0.0.4 | anything that names no format below, or no header |
| Prometheus text 1.0.0 | `text/plain;version=1.0.0` |
| OpenMetrics 1.0.0 | `application/openmetrics-text`, also with `version=1.0.0` |

The best offer wins, by quality; `Accept-Encoding: gzip` compresses.
`/metrics?name[]=NAME` gives the named series alone; `name[]` may be repeated.
Measured is at most every 5 s, whoever asks.

## Series about sessions

The operator that holds the Lease has them, from what is in the cluster: metadata, spec and status of the sessions in its namespaces.
So these series outlive pods and the operator's own process: a new one has the same after its first full list, with the same times.
A standby has none, nor has a process that has given up the Lease, so no series is there twice.
Two operators side by side ([INSTANCE](settings.md)) each have those of the sessions in their own namespaces.
The series of a deleted session end with the next scrape.

The labels are `session_namespace` and `session`.
`namespace`, `pod`, `instance` and `job` are Prometheus' own, for the process that it scrapes, and no metric here has them.

## Names and hashes

A name with seven digits or more may be somebody's telephone number.
Where it is a session's or a quota's (`session`, `quota`), the label has a hash instead, as `hash:lkpbjdhmaoec`,
and whoever makes a session of such a name is warned at once ([admission policies](../operations/security.md#what-the-admission-policies-hold)).
The hash is of the object's UID: it stays as long as the object, and the name cannot be found by trying all numbers.
It is the first twelve hexadecimal digits of the UID's SHA-256, with the letters g to p for 0 to 9.
Whoever may list sessions finds the one of a hash:

```console
$ kubectl get was -A --no-headers -o custom-columns=:.metadata.uid,:.metadata.namespace,:.metadata.name |
    while read -r uid name; do echo "hash:$(printf %s "$uid" | sha256sum | cut -c-12 | tr 0-9 g-p) $name"; done | grep hash:lkpbjdhmaoec
```

For a quota it is the same with `kubectl get wasq`, without `-A`.

A namespace stands in `session_namespace` as it is called. By its name a tenant's alerts are routed and dashboards are filtered,
a scrape of the runners has it anyway, and many are named by a UUID, which is nobody's number: call none by a telephone number.

## How many series

A session has {len(SESSION_FAMILIES)} series at most, whatever it does: one of each row below; a healthy one has 12.
Words in labels (`state`, `reason`, `class`) are of vocabularies; one that no vocabulary has is `Other`.
`quota` is the name of a quota that there is, else empty.
So a tenant can make series by making sessions alone, and `METRICS_SESSIONS_LIMIT` ({SESSIONS_LIMIT} by default) bounds how many sessions have
series of their own: of more, each namespace keeps an equal share, its oldest.
`whatsapp_operator_sessions_without_metrics` says how many sessions have none.
A state that changes ends one series and begins another, of the {len(STATE_VOCABULARY) + 2} states that there are.

Sums are of all sessions, and no setting bounds them:

| Series | At most |
|---|---|
| `whatsapp_operator_sessions` | one for each state that a namespace has a session in: {len(STATE_VOCABULARY) + 2} a namespace, and no more than there are sessions |
| `whatsapp_operator_namespace_recovery_paused` | one for each namespace with sessions, while its recovery is paused |
| `whatsapp_quota_…` | {len(QUOTA_FAMILIES)} for each quota, which only whoever may make cluster-wide objects can make |

So they grow with the namespaces and quotas that a cluster's administrator gives away, and by the sessions of a namespace up to its number of states.
In all, with the limit of {SESSIONS_LIMIT} sessions and with the limit raised to all:

| Sessions | In {_NAMESPACES} namespaces, a quota each | Raised | Each in a namespace with a quota of its own | Raised |
|---|---|---|---|---|
{{cardinality}}

Counted with all sessions in their worst case and every namespace paused, before any call has failed, without `process_…` and `python_gc_…`.
A runner has fewer than 120 series, of its own session alone.
"""


def page(runner: Sequence[MetricFamily]) -> str:
    """Return the page as Markdown, with the runner's rows."""
    counted = "".join(map(_counted, (10, 1000, 10_000)))
    tables = "".join(_section(f"Operator: {title[0].lower()}{title[1:]}", rows) for title, rows in FAMILIES)
    return _HEAD.replace("{cardinality}\n", counted) + tables + _section("Runner", runner)


def _counted(sessions: int) -> str:
    counts = (
        series(sessions, namespaces=namespaces, limit=limit)
        for namespaces in (_NAMESPACES, sessions)
        for limit in (SESSIONS_LIMIT, sessions)
    )
    return f"| {' | '.join(map(str, (sessions, *counts)))} |\n"


def series(sessions: int, *, namespaces: int = _NAMESPACES, limit: int = SESSIONS_LIMIT) -> int:
    """Return how many series an operator with so many sessions in so many namespaces has, all in their worst case."""
    metrics, fleet = Metrics(sessions_limit=limit), worst_case(sessions, namespaces=namespaces)
    metrics.fleet.show(fleet)
    for quota in fleet.quotas:  # one for each namespace, of the same name
        metrics.namespace_paused.labels(quota["metadata"]["name"]).set(1)
    samples = (sample.name for metric in metrics.registry.collect() for sample in metric.samples)
    return sum(not name.startswith(("process_", "python_gc_")) for name in samples)


def worst_case(sessions: int, *, namespaces: int = _NAMESPACES) -> Fleet:
    """Return a fleet whose sessions have all the series that a session can have, in as many states as there can be.

    Each namespace has a quota of its name, for which one of its sessions at least is Queued.
    """
    time = "2026-11-22T18:00:00Z"
    conditions = [
        {"type": kind, "status": "True", "reason": "Conflict", "lastTransitionTime": time}
        for kind in (ConditionType.READY, ConditionType.LINKED, ConditionType.STALLED)
    ]
    states = [OperatorState.QUEUED, OTHER, *sorted(STATE_VOCABULARY - {OperatorState.QUEUED})]
    status = {
        "stateTransitionTime": time,
        "observedGeneration": 1,
        "conditions": conditions,
        "recovery": {"restarts": 1, "consecutiveFailures": 1, "lastFailure": {"reason": "OOMKilled", "time": time}},
    }
    names = [f"team-{number}" for number in range(namespaces)]
    figures = {"sessions": 1000, "memory": "1Ti", "storage": "1Ti"}
    quota_status = {"admitted": 1, "waiting": 1, "notRunning": 1, "memoryReserved": "1Gi", "storageReserved": "1Gi"}
    return Fleet(
        sessions=[
            {
                "metadata": {
                    "namespace": names[number % namespaces],
                    "name": f"session-{number}",
                    "uid": f"uid-{number}",
                    "generation": 1,
                    "creationTimestamp": time,
                },
                "spec": {"quotaName": names[number % namespaces]},
                "status": status | {"state": states[number // namespaces % len(states)]},
            }
            for number in range(sessions)
        ],
        quotas=[
            {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": figures, "status": quota_status}
            for name in names
        ],
    )


def _section(title: str, rows: Iterable[MetricFamily]) -> str:
    head = f"\n## {title}\n\n| Metric | Type | Labels | Meaning | Absent |\n|---|---|---|---|---|\n"
    return head + "".join(map(_row, rows))


def _row(family: MetricFamily) -> str:
    labels = "; ".join(f"`{name}`: {values}" if values else f"`{name}`" for name, values in family.labels.items())
    cells = (f"`{family.name}`", family.type, labels, family.meaning, family.absent or "never")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
