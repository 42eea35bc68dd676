"""What is counted and measured of messages. No label names a recipient: only kinds and the Cloud API's codes are in one."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from session_runner.metrics import families
from session_runner.outbox.ages import Ages


class MessageMetrics:
    """The counters of one session's messages, and the ages of those that have not come further."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = families.MESSAGES_ACCEPTED.counter(registry)
        self.refused = families.MESSAGES_REFUSED.counter(registry)
        self.sent = families.MESSAGES_SENT.counter(registry)
        self.failed = families.MESSAGES_FAILED.counter(registry)
        self.oldest = OldestMessages()
        registry.register(self.oldest)


class OldestMessages(Collector):
    """Since when the oldest messages wait, as of the last look at the outbox."""

    def __init__(self) -> None:
        self.latest = Ages()

    def describe(self) -> Iterator[Metric]:
        """Return the family without values."""
        yield families.MESSAGES_OLDEST.empty()
        yield families.MESSAGES_PACED.empty()

    def collect(self) -> Iterator[Metric]:
        """Return what there is."""
        yield families.MESSAGES_OLDEST.metric(
            [
                ({"progress": "accepted"}, self.latest.accepted),
                ({"progress": "paced"}, self.latest.paced),
                ({"progress": "handed_over"}, self.latest.handed_over),
            ]
        )
        yield families.MESSAGES_PACED.metric([({}, self.latest.paced_count)])
