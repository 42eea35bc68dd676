"""The metrics that operators have in common: of the work queue, the workers, the Lease, the requests to the API server.

Their names, labels and values are client-go's and controller-runtime's (`families`); `Metrics` has them besides its own.
"""

from typing import Final

from prometheus_client import CollectorRegistry

from whatsapp_operator.runtime.metrics import families

_WORK: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120)
""" Seconds, for what takes milliseconds when all is well. """
_RESULTS: Final = ("success", "requeue_after", "error")


class StandardMetrics:
    """The standard metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        queue, controller = {"name": families.QUEUE}, {"controller": families.QUEUE}
        self.queue_depth = families.QUEUE_DEPTH.gauge(registry).labels(**queue)
        self.queue_adds = families.QUEUE_ADDS.counter(registry).labels(**queue)
        self.queue_retries = families.QUEUE_RETRIES.counter(registry).labels(**queue)
        self.queue_seconds = families.QUEUE_SECONDS.histogram(registry, buckets=_WORK).labels(**queue)
        self.work_seconds = families.WORK_SECONDS.histogram(registry, buckets=_WORK).labels(**queue)
        self.unfinished_seconds = families.UNFINISHED_SECONDS.gauge(registry).labels(**queue)
        self.longest_seconds = families.LONGEST_SECONDS.gauge(registry).labels(**queue)
        reconciles = families.RECONCILES.counter(registry)
        self.reconciles = {result: reconciles.labels(**controller, result=result) for result in _RESULTS}
        self.reconcile_errors = families.RECONCILE_ERRORS.counter(registry).labels(**controller)
        self.reconcile_panics = families.RECONCILE_PANICS.counter(registry).labels(**controller)
        self.reconcile_seconds = families.RECONCILE_SECONDS.histogram(registry, buckets=_WORK).labels(**controller)
        self.active_workers = families.ACTIVE_WORKERS.gauge(registry).labels(**controller)
        self.max_workers = families.MAX_WORKERS.gauge(registry).labels(**controller)
        self.leader = families.LEADER.gauge(registry)
        self.requests = families.REQUESTS.counter(registry)
