"""The workers: they take keys from the work queue, reconcile each session, and queue it again after a failure.

A worker never ends by itself. A failure of one session is logged, counted and retried after that session's back-off;
the others go on. An unexpected exception is handled the same way, with its traceback in the log: one odd session must
not stop the operator, and must not be dropped either.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.kube.errors import KubeError, TooManyRequests
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.reconciler import NotConverged
from whatsapp_operator.runtime.reconcile.workqueue import WorkQueue

logger = logging.getLogger(__name__)

Reconcile = Callable[[ObjectKey], Awaitable[float | None]]
""" Reconciles a session; returns the seconds until the next time, or None. """
SLOW: Final = 10.0
""" A reconciliation that takes more seconds is logged. """


class Workers:
    """A fixed number of workers over one queue."""

    def __init__(self, *, queue: WorkQueue, reconcile: Reconcile, clock: Clock, metrics: Metrics, count: int) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._clock = clock
        self._metrics = metrics
        self._count = count
        self._tasks: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    def start(self) -> None:
        """Start the workers' tasks."""
        self._tasks = [
            asyncio.get_running_loop().create_task(self._run(), name=f"worker {number}")
            for number in range(self._count)
        ]

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The workers' tasks; one that has ended is a fault of the process."""
        return tuple(self._tasks)

    async def stop(self, *, within: float) -> None:
        """Stop: each worker finishes its present session, within so many seconds, and takes no other."""
        self._stopping = True
        for task in self._tasks:
            if task not in self._busy:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def measure(self) -> None:
        """Set the gauges."""
        self._metrics.active_workers.set(len(self._busy))
        self._metrics.max_workers.set(len(self._tasks))

    async def _run(self) -> None:
        me = asyncio.current_task()
        while me is not None and not self._stopping:
            key = await self._queue.get()
            self._busy.add(me)
            try:
                await self._process(key)
            finally:
                self._busy.discard(me)
                self._queue.done(key)

    async def _process(self, key: ObjectKey) -> None:
        started = self._clock.monotonic()
        try:
            delay = await self._reconcile(key)
        except TooManyRequests as error:
            self._failed(key, "throttled", at_least=error.retry_after, error=error)
        except KubeError as error:
            self._failed(key, "api_error", error=error)
        except NotConverged as error:
            self._failed(key, "unsettled", error=error)
        except Exception:
            # Deliberately broad, see the module's docstring. The traceback is the only record of the fault.
            logger.exception("Reconciliation failed: a fault of the operator", extra=key.log_fields)
            self._metrics.reconcile_panics.inc()
            self._count_failure("fault")
            self._queue.add_rate_limited(key)
        else:
            self._metrics.reconciles["success" if delay is None else "requeue_after"].inc()
            self._queue.forget(key)
            if delay is not None:
                self._queue.add_after(key, delay)
        took = self._clock.monotonic() - started
        self._metrics.reconcile_seconds.observe(took)
        if took > SLOW:
            logger.warning("Reconciliation took long", extra={**key.log_fields, "duration_seconds": round(took, 1)})

    def _failed(self, key: ObjectKey, reason: str, *, error: Exception, at_least: float = 0.0) -> None:
        delay = self._queue.add_rate_limited(key, at_least=at_least)
        self._count_failure(reason)
        logger.warning(
            "Reconciliation failed, it is retried",
            extra={**key.log_fields, "error": str(error), "retry_seconds": round(delay, 1)},
        )

    def _count_failure(self, reason: str) -> None:
        self._metrics.reconciles["error"].inc()
        self._metrics.reconcile_errors.inc()
        self._metrics.reconcile_failures.labels(reason).inc()
