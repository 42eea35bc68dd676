"""The metrics of operator and runner, with a series of everything that they can tell."""

from collections.abc import Mapping
from typing import Final

from multidict import CIMultiDict
from prometheus_client import CollectorRegistry
from session_protocol.exposition import Exposed, expose, form_of
from session_protocol.scrapes import Measurement
from session_runner.metrics.metrics import Metrics as RunnerMetrics
from session_runner.profile.volume import Volume
from whatsapp_operator.app.metrics_page import worst_case
from whatsapp_operator.runtime.process.metrics import Metrics as OperatorMetrics

THEN: Final = 1795370400.0


def operator() -> CollectorRegistry:
    """The operator's metrics, each labelled one with a sample."""
    metrics = OperatorMetrics()
    metrics.build.info({"version": "1.2.3"})
    metrics.fleet.show(worst_case(20))
    metrics.leader.labels("whatsapp-operator").set(1)
    metrics.resync_succeeded.value = metrics.key_expiration.value = THEN
    for counter in (metrics.pods_created, metrics.events, metrics.admission_rounds, metrics.resyncs):
        counter.labels("x").inc()
    for counter in (metrics.resync_missed, metrics.cache_resets, metrics.keys_restored):
        counter.labels("x").inc()
    for counter in (metrics.status_writes, metrics.failed_calls):
        counter.labels("x", "y").inc()
    metrics.requests.labels(code="<error>", method="GET", host="[fd00::1]:443").inc()
    return metrics.registry


def runner() -> CollectorRegistry:
    """The runner's metrics, each with a sample where this machine can be measured."""
    metrics = RunnerMetrics()
    metrics.show_browser("145.0.1")
    metrics.probe_time.value = THEN
    metrics.fetch_failures.labels("HTTPError").inc()
    metrics.volume.show(Volume(capacity=1000, available=10, inodes_free=7))
    return metrics.registry


REGISTRIES: Final[Mapping[str, CollectorRegistry]] = {"operator": operator(), "runner": runner()}


def ask(
    registry: CollectorRegistry, *accept: str, encodings: str | None = None, names: tuple[str, ...] = ()
) -> Exposed:
    """Scrape with these headers."""
    headers = CIMultiDict([("Accept", one) for one in accept])
    if encodings is not None:
        headers.add("Accept-Encoding", encodings)
    measurement = Measurement(registry.collect())
    return expose(measurement.only(frozenset(names)) if names else measurement, form_of(headers))
