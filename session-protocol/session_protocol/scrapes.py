"""How both programs answer a scrape of `/metrics`: measured seldom, and outside of the event loop.

Measuring takes time: the operator has a series for each namespace and state, the runner reads the memory of all browser
processes. Whoever reaches the port may ask as often as he likes. So all scrapes share one measurement, which is renewed
when it is `MAX_AGE` old, and one text of it for each format and each choice of names. Both are made in a thread, one at a
time. Choices can be made up without end, so only the first few of each measurement get a text of their own; who comes
later gets all metrics, which is a text that is there.
"""

import asyncio
import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from multidict import MultiMapping
from prometheus_client import CollectorRegistry, Metric

from session_protocol.exposition import Exposed, Form, expose, form_of

MAX_AGE: Final = 5.0
""" Seconds; scrapers usually ask every 15 to 60 s. """
MOST_TEXTS: Final = 16
""" Texts that are made of one measurement for choices of names. """


class Measurement:
    """What a registry has told at one moment, in a form that is as good as a registry for whoever only reads it."""

    def __init__(self, metrics: Iterable[Metric], *, names: frozenset[str] | None = None) -> None:
        self._metrics = list(metrics)
        self._names = names
        self.known = frozenset(sample.name for metric in self._metrics for sample in metric.samples)
        """ The names of its samples. """

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        if self._names is None:
            yield from self._metrics
            return
        for metric in self._metrics:
            samples = [sample for sample in metric.samples if sample.name in self._names]
            if samples:
                kept = Metric(metric.name, metric.documentation, metric.type, metric.unit)
                kept.samples = samples
                yield kept

    def clear(self) -> None:
        """Drop the samples, one by one: to free a hundred thousand at once would hold up all threads."""
        for metric in self._metrics:
            while metric.samples:
                metric.samples.pop()

    def only(self, names: Iterable[str]) -> "Measurement":
        """Return a measurement with the samples of these names alone."""
        return Measurement(self._metrics, names=frozenset(names))


class Scrapes:
    """The answers to all scrapes of one process."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        measure: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._registry = registry
        self._measure = measure
        """ Brings the gauges up to date; called in the event loop, so it must be quick. """
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._lock = asyncio.Lock()
        self._measurement = Measurement(())
        self._measured: float | None = None
        self._texts: dict[tuple[Form, frozenset[str] | None], Exposed] = {}

    def forget(self) -> None:
        """Drop the measurement: what it told is not so any more."""
        self._measured = None

    async def answer(self, *, headers: MultiMapping[str], query: MultiMapping[str]) -> Exposed:
        """Return the body and the headers for a request; with `name[]` in its query only series of these names."""
        names, form = frozenset(query.getall("name[]", [])), form_of(headers)
        async with self._lock:
            now = self._monotonic()
            if self._measured is None or now - self._measured >= MAX_AGE:
                self._measure()
                self._measured, self._texts = now, {}
                try:
                    self._measurement = await asyncio.to_thread(self._collect)
                except BaseException:  # also where the scraper has hung up
                    self.forget()
                    raise
            # Names that nothing has make no further text.
            chosen = names & self._measurement.known if names else None
            if (form, chosen) not in self._texts and chosen is not None:
                chosen = chosen if sum(key[1] is not None for key in self._texts) < MOST_TEXTS else None
            if (form, chosen) not in self._texts:
                source = self._measurement if chosen is None else self._measurement.only(chosen)
                self._texts[form, chosen] = await asyncio.to_thread(expose, source, form)
            return self._texts[form, chosen]

    def _collect(self) -> Measurement:
        """Measure; in a thread, which also frees the measurement before."""
        self._measurement.clear()
        return Measurement(self._registry.collect())


def shows(authorization: str | None, token: str) -> bool:
    """Whether an Authorization header has this bearer token; never with an empty one."""
    kind, _, given = (authorization or "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(errors="surrogateescape"), token.encode())
    return bool(token) and kind.lower() == "bearer" and same
