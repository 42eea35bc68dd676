"""The series about sessions and quotas: made of what the store has at the moment, whenever somebody scrapes.

    Operator.measure (event loop) ── show(Fleet) ──> FleetSeries ── collect (in a thread) ──> session_protocol.scrapes

Only the process that acts shows a fleet: a standby knows nothing, and two that told of the same sessions would be counted
twice. What is in the store is shared and never changed, so a thread may read it. Nothing is remembered between two
scrapes: a deleted session's series are gone with it.

A session costs one series of each row of `SESSION_FAMILIES` at most, whatever it does. How many sessions have them is
limited (METRICS_SESSIONS_LIMIT); beyond that each namespace keeps an equal share, its oldest sessions, so that one that
makes sessions without end takes no other's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from prometheus_client import Metric
from prometheus_client.registry import Collector
from session_protocol.metric_family import MetricFamily
from session_protocol.states import OperatorState

from whatsapp_operator.core.objects.reading import Json, amount, number, part, text
from whatsapp_operator.runtime.metrics import session_families as rows
from whatsapp_operator.runtime.metrics.labels import name_label
from whatsapp_operator.runtime.metrics.session_facts import SessionFacts, session_facts

Labels = Mapping[str, str]

_VALUES: Final[tuple[tuple[MetricFamily, Callable[[SessionFacts], float | None]], ...]] = (
    (rows.STATE_SINCE, attrgetter("state_since")),
    (rows.READY, attrgetter("ready")),
    (rows.READY_SINCE, attrgetter("ready_since")),
    (rows.LINKED, attrgetter("linked")),
    (rows.STALLED, attrgetter("stalled")),
    (rows.STALLED_SINCE, attrgetter("stalled_since")),
    (rows.RESTARTS, attrgetter("restarts")),
    (rows.CONSECUTIVE_FAILURES, attrgetter("consecutive_failures")),
    (rows.LAST_FAILURE_TIME, attrgetter("failure_time")),
    (rows.GENERATION, attrgetter("generation")),
    (rows.OBSERVED_GENERATION, attrgetter("observed_generation")),
    (rows.CREATED, attrgetter("created")),
)
_TEXTS: Final[tuple[tuple[MetricFamily, str, Callable[[SessionFacts], str | None]], ...]] = (
    (rows.STATE, "state", attrgetter("state")),
    (rows.STALLED_REASON, "reason", attrgetter("stalled_reason")),
    (rows.LAST_FAILURE, "class", attrgetter("failure")),
)
""" Rows with one more label; None: no series. """


class Fleet(NamedTuple):
    """What one operator knows at one moment: objects of the store, which nobody changes."""

    sessions: Sequence[Json]
    quotas: Sequence[Json]


class FleetSeries(Collector):
    """Turns a fleet into series."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        """ How many sessions have series of their own. """
        self._fleet: Fleet | None = None

    def show(self, fleet: Fleet | None) -> None:
        """Set what the next scrape tells; None: this process does not act."""
        self._fleet = fleet

    def describe(self) -> Iterator[Metric]:
        """Return the families without a sample."""
        for family in FLEET_FAMILIES:
            yield family.empty()

    def collect(self) -> Iterator[Metric]:
        """Return all series."""
        if self._fleet is None:
            return self.describe()
        return _series(self._fleet, self._limit)


FLEET_FAMILIES: Final = (rows.SESSIONS, rows.WITHOUT_METRICS, *rows.SESSION_FAMILIES, *rows.QUOTA_FAMILIES)


def _series(fleet: Fleet, limit: int) -> Iterator[Metric]:
    known = [session_facts(session) for session in fleet.sessions]
    quotas = {name: name_label(name, text(part(quota, "metadata"), "uid")) for name, quota in _named(fleet.quotas)}
    shown = with_series(known, limit=limit)
    counts = Counter((facts.namespace, facts.state) for facts in known)
    yield rows.SESSIONS.metric(
        ({rows.NAMESPACE: namespace, "state": state}, count) for (namespace, state), count in counts.items()
    )
    yield rows.WITHOUT_METRICS.metric([({}, len(known) - len(shown))])
    yield from _session_series(
        [
            ({rows.NAMESPACE: facts.namespace, rows.SESSION: name_label(facts.name, facts.uid)}, facts)
            for facts in shown
        ],
        quotas,
    )
    yield from _quota_series(fleet.quotas, quotas, known)


def with_series(sessions: Sequence[SessionFacts], *, limit: int) -> Sequence[SessionFacts]:
    """Return the sessions that have series: all, or an equal share of each namespace, the oldest first."""
    if len(sessions) <= limit:
        return sessions
    by_age = sorted(sessions, key=lambda facts: (facts.created or float("inf"), facts.uid))
    rank: Counter[str] = Counter()
    ranked = []
    for facts in by_age:
        ranked.append((rank[facts.namespace], facts))
        rank[facts.namespace] += 1
    ranked.sort(key=lambda pair: pair[0])  # stable: those of the same rank by age
    return [facts for _, facts in ranked[:limit]]


def _session_series(sessions: Sequence[tuple[Labels, SessionFacts]], quotas: Labels) -> Iterator[Metric]:
    yield rows.SESSION_INFO.metric(
        ({**labels, rows.QUOTA: quotas.get(facts.quota, ""), "operating_mode": facts.operating_mode}, 1)
        for labels, facts in sessions
    )
    for family, label, text_of in _TEXTS:
        yield family.metric(
            ({**labels, label: value}, 1) for labels, facts in sessions if (value := text_of(facts)) is not None
        )
    for family, value_of in _VALUES:
        yield family.metric((labels, value_of(facts)) for labels, facts in sessions)


def _quota_series(quotas: Iterable[Json], shown: Labels, sessions: Iterable[SessionFacts]) -> Iterator[Metric]:
    oldest: dict[str, float] = {}
    for facts in sessions:
        if facts.state == OperatorState.QUEUED and facts.state_since is not None:
            oldest[facts.quota] = min(facts.state_since, oldest.get(facts.quota, facts.state_since))
    values = [
        ({rows.QUOTA: shown[name]}, _quota_values(quota) | {rows.QUOTA_OLDEST_PENDING.name: oldest.get(name)})
        for name, quota in _named(quotas)
    ]
    for family in rows.QUOTA_FAMILIES:
        yield family.metric((labels, of[family.name]) for labels, of in values)


def _quota_values(quota: Json) -> dict[str, float | None]:
    """Return what a quota's limits are and what is taken of them, by the names of the metrics."""
    spec, status = part(quota, "spec"), part(quota, "status")
    return {
        rows.QUOTA_SESSIONS.name: number(status, "admitted"),
        rows.QUOTA_SESSIONS_LIMIT.name: number(spec, "sessions"),
        rows.QUOTA_MEMORY.name: amount(status, "memoryReserved"),
        rows.QUOTA_MEMORY_LIMIT.name: amount(spec, "memory"),
        rows.QUOTA_STORAGE.name: amount(status, "storageReserved"),
        rows.QUOTA_STORAGE_LIMIT.name: amount(spec, "storage"),
        rows.QUOTA_PENDING.name: number(status, "waiting"),
        rows.QUOTA_NOT_RUNNING.name: number({"notRunning": 0, **status}, "notRunning") if status else None,
    }


def _named(objects: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    return ((text(part(obj, "metadata"), "name"), obj) for obj in objects)
