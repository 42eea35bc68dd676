"""What a metric is called, what it means, and when it has no series: one row per metric.

Both programs make their metrics from these rows, and `make generate` writes docs/reference/metrics.md from the same. A
row names its samples as people write them in queries: a counter's with `_total`, an info's with `_info`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.registry import Collector


class MetricType(StrEnum):
    """The types of OpenMetrics that are in use here. The text format shows an info as a gauge."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


_SUFFIXES = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricFamily:
    """One metric."""

    name: str
    type: MetricType
    meaning: str
    """ The text that a scraper gets as HELP. """
    labels: Mapping[str, str] = field(default_factory=dict)
    """ Each label, with its values in words; empty: the name of an object. """
    absent: str = ""
    """ When it has no series, in words; empty: never. """

    def __post_init__(self) -> None:
        if not self.name.endswith(_SUFFIXES.get(self.type, "")):
            raise ValueError(f"the name of the {self.type} {self.name} should end with {_SUFFIXES[self.type]}")

    @property
    def family(self) -> str:
        """The name of the family, as OpenMetrics has it."""
        return self.name.removesuffix(_SUFFIXES.get(self.type, ""))

    def counter(self, registry: CollectorRegistry) -> Counter:
        """Return a counter in the registry."""
        return Counter(self.name, self.meaning, tuple(self.labels), registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """Return a gauge in the registry."""
        return Gauge(self.name, self.meaning, tuple(self.labels), registry=registry)

    def histogram(self, registry: CollectorRegistry, *, buckets: Iterable[float]) -> Histogram:
        """Return a histogram in the registry."""
        return Histogram(self.name, self.meaning, tuple(self.labels), registry=registry, buckets=tuple(buckets))

    def optional(self, registry: CollectorRegistry) -> "OptionalGauge":
        """Return a gauge in the registry that has no series until it has a value."""
        gauge = OptionalGauge(self)
        registry.register(gauge)
        return gauge

    def empty(self) -> Metric:
        """Return the family without a sample, for a collector of its own."""
        return Metric(self.family, self.meaning, self.type)

    def metric(self, samples: Iterable[tuple[Mapping[str, str], float | None]]) -> Metric:
        """Return the family with a sample for each value that there is; the labels are kept and never changed."""
        metric = self.empty()
        for labels, value in samples:
            if value is not None:
                metric.add_sample(self.name, labels, value)  # type: ignore[arg-type]  # it reads them alone
        return metric


class OptionalGauge(Collector):
    """A gauge without labels whose value may not be known: then it has no series."""

    def __init__(self, family: MetricFamily) -> None:
        self._family = family
        self.value: float | None = None

    def describe(self) -> Iterator[Metric]:
        """Return the family without a value."""
        yield self._family.empty()

    def collect(self) -> Iterator[Metric]:
        """Return the value, if there is one."""
        yield self._family.metric([({}, self.value)])
