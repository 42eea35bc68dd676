"""The Prometheus metrics of the runner, in a registry of its own; what each means is said in `families`.

Names have base units and begin with `whatsapp_runner_`. CPU time, memory and open files of the Python process are read
from /proc at each scrape.
"""

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector
from session_protocol.connections import Closing
from session_protocol.states import STATES, Phase, traits_of
from session_protocol.vocabulary import RunnerState

from session_runner.metrics import families
from session_runner.metrics.collectors import ContainerMemory, MemoryByPart, VolumeRoom, WebhookBacklog
from session_runner.metrics.messages import MessageMetrics

_LOST = frozenset({RunnerState.RECONNECTING, RunnerState.OFFLINE})


class Metrics:
    """All metrics of one runner."""

    def __init__(self, *, registry: CollectorRegistry | None = None) -> None:
        registry = self.registry = registry or CollectorRegistry(auto_describe=True)
        # Not the library's Enum: that names the label after the metric, and `state` is what people's queries say.
        self._state = families.STATE.gauge(registry)
        self._state_since = families.STATE_SINCE.gauge(registry)
        self._shown: str = RunnerState.STARTING
        self.changes = families.CHANGES.counter(registry)
        self.reconnects = families.RECONNECTS.counter(registry)
        self.probe_seconds = families.PROBE_SECONDS.histogram(registry, buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 30))
        self.probe_time = families.PROBE_TIME.optional(registry)
        self.rounds = families.ROUNDS.counter(registry)
        self.blocked = families.BLOCKED.counter(registry)
        self.fetch_failures = families.FETCH_FAILURES.counter(registry)
        self.loads = families.LOADS.counter(registry)
        self.bad_requests = families.BAD_REQUESTS.counter(registry)
        self.closed = families.CLOSED.counter(registry)
        for reason in Closing:
            self.closed.labels(reason)
        self.events = families.EVENTS.counter(registry)
        self.reading_stopped = families.READING_STOPPED.gauge(registry)
        self.unreadable = families.UNREADABLE.counter(registry)
        self.streams = families.STREAMS.gauge(registry)
        self.browser_starts = families.BROWSER_STARTS.counter(registry)
        self._browser = families.BROWSER.gauge(registry)
        self._deliveries = families.WEBHOOK_DELIVERIES.counter(registry)
        self.webhooks = WebhookBacklog()
        registry.register(self.webhooks)
        self.messages = MessageMetrics(registry)
        self.volume = VolumeRoom()
        registry.register(self.volume)
        registry.register(MemoryByPart())
        registry.register(ContainerMemory())
        ProcessCollector(namespace="whatsapp_runner", registry=registry)
        self._state_since.set_to_current_time()
        self.show_state(RunnerState.STARTING)

    def show_state(self, state: RunnerState) -> None:
        """Set the gauge of this state to 1 and the others to 0; count a change, and a page that was up and lost its connection."""
        if state in _LOST and self._shown not in _LOST and traits_of(self._shown).phase is not Phase.STARTING:
            self.reconnects.inc()
        if state != self._shown:  # the same state with other words, or of another round, is as old as it was
            self._state_since.set_to_current_time()
            self.changes.inc()
        self._shown = state
        for known in STATES:
            self._state.labels(known).set(1 if known == state else 0)

    def show_browser(self, version: str) -> None:
        """Tell the browser's version; it is the same for as long as the process lives."""
        self._browser.labels(version).set(1)

    def count_delivery(self, webhook: str, code: str) -> None:
        """Count a try to deliver, by the class of its answer."""
        self._deliveries.labels(webhook, code).inc()
