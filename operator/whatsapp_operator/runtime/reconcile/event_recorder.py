"""Records Kubernetes events, for people who run `kubectl describe`.

Nothing waits for events and nothing reads them back. `record` puts one into a queue, and a task of its own writes it,
so an API server that is slow with events delays no status and no pod. One that cannot be written is tried again
(`held_events`); one for which the queue has no room is counted, logged and dropped.

If the same event occurs again, the first one becomes a series with a count and no other object is created: a
crash-looping session leaves one line, not hundreds. `event_correlator` decides that, and how many are written.

They are written as `events.k8s.io/v1`; `kubectl describe` and `kubectl get events` show them as they show all others.
client-go's recorders are the model (EventBroadcaster: a queue that drops, a correlator that counts, a token bucket per
object); `kopf.event` has neither counts nor a limit, and no series.
"""

import asyncio
import hashlib
import logging
from datetime import datetime
from typing import Any, Final

from whatsapp_operator.core.decision import Event
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import EVENTS, Json, uid_of
from whatsapp_operator.runtime.process.clock import Clock, Jitter, micro_time, spread
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.event_correlator import EventCorrelator, Series
from whatsapp_operator.runtime.reconcile.held_events import HeldEvents, Outcome, QueuedEvent

logger = logging.getLogger(__name__)

QUEUE_SIZE: Final = 4096
""" Events that may wait to be written: a thousand sessions that start at once have three or four each. """
NOTE_BYTES: Final = 1024
""" Of a note; the API server rejects an event with a longer one. """
IDENTIFIER_BYTES: Final = 128
""" Of an action, a reason, and the reporting instance; likewise. """


class EventRecorder:
    """Writes events about the operator's objects."""

    def __init__(
        self,
        *,
        kube: Kube,
        clock: Clock,
        metrics: Metrics,
        component: str,
        instance: str,
        queue_size: int = QUEUE_SIZE,
        give_way: float = 0.0,
        jitter: Jitter = spread,
        on_outcome: Outcome = lambda _session, _error: None,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._metrics = metrics
        self._give_way = give_way
        """ Seconds until a lone event is written: the pod that it tells of is asked for first. """
        self._queue: asyncio.Queue[QueuedEvent] = asyncio.Queue(queue_size)
        self._held = HeldEvents(clock=clock, jitter=jitter, again=self._put, on_outcome=on_outcome)
        self._overflows = False
        self._component = component
        self._instance = instance
        """ Who reports: the pod's name. """
        self._correlator = EventCorrelator()

    def record(self, regarding: Json, event: Event) -> None:
        """Queue an event about an object, or count it only; never waits and never fails."""
        event, allowed = self._correlator.observe(uid_of(regarding), event, now=self._clock.monotonic())
        if not allowed:
            self._metrics.events.labels("throttled").inc()
            logger.debug("Event not written, too many about this object", extra={"reason": event.reason})
            return
        self._put(QueuedEvent(_reference_fields(regarding), event))

    def _put(self, queued: QueuedEvent) -> None:
        try:
            self._queue.put_nowait(queued)
        except asyncio.QueueFull:
            self._metrics.events.labels("dropped").inc()
            if not self._overflows:
                logger.warning("Events are dropped: the API server does not take them as fast as they come")
            self._overflows = True
        else:
            self._overflows = False

    async def run(self) -> None:
        """Write the queued events, one after the other, until cancelled."""
        while True:
            queued = await self._queue.get()
            if self._give_way and self._queue.empty():
                await self._clock.sleep(self._give_way)
            try:
                if self._held.takes(queued):
                    continue
                await self._write(queued)
            except KubeError as error:
                self._metrics.events.labels("error").inc()
                if self._held.failed(queued, error):
                    logger.warning(
                        "Event could not be written, it is tried again",
                        extra={"namespace": queued.namespace, "reason": queued.event.reason, "error": str(error)},
                    )
            else:
                self._metrics.events.labels("written").inc()
                self._held.succeeded(queued)
            finally:
                self._queue.task_done()

    async def drain(self, *, within: float) -> None:
        """Wait until the queue is empty, within so many seconds, and drop the rest; `run` must be running."""
        try:
            async with asyncio.timeout(within):
                await self._queue.join()
        except TimeoutError:
            left = self._queue.qsize() + 1
            self._metrics.events.labels("dropped").inc(left)
            logger.warning("Events are dropped: the process is stopping", extra={"events": left})

    async def _write(self, queued: QueuedEvent) -> None:
        regarding, event, _ = queued
        series = self._correlator.series(uid_of(regarding), event, now=self._clock.monotonic())
        count = series.count = max(1, series.count)  # one that was forgotten while it waited has occurred
        if count == series.written:  # it occurred twice while it waited, and the first write told of both
            return
        if not series.name or not await self._repeat(series, count):
            count -= series.written
            stored = await self._kube.create(EVENTS, self._event(regarding, event, count))
            series.name, series.namespace = stored["metadata"]["name"], stored["metadata"]["namespace"]
            series.count -= series.written
        series.written, series.touched = count, self._clock.monotonic()

    async def _repeat(self, series: Series, count: int) -> bool:
        """Write the count of an event that is stored; return False if it is no more: the API server keeps it for a while."""
        patch = {"series": {"count": count, "lastObservedTime": micro_time(self._clock.now())}}
        try:
            await self._kube.patch(EVENTS, namespace=series.namespace, name=series.name, patch=patch)
        except NotFound:
            return False
        return True

    def _event(self, regarding: Json, event: Event, count: int) -> dict[str, Any]:
        now = self._clock.now()
        # Events about cluster-scoped objects live in the namespace "default"; kubectl looks for them there.
        namespace = regarding["metadata"].get("namespace") or "default"
        series = {"series": {"count": count, "lastObservedTime": micro_time(now)}} if count > 1 else {}
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": _name(regarding, event, now), "namespace": namespace},
            "eventTime": micro_time(now),
            "reportingController": self._component,
            "reportingInstance": truncate(self._instance, IDENTIFIER_BYTES),
            "action": truncate(event.action, IDENTIFIER_BYTES),
            "reason": truncate(event.reason, IDENTIFIER_BYTES),
            "note": truncate(event.message, NOTE_BYTES),
            "type": event.type,
            "regarding": _reference(regarding),
            **series,
            **({"related": _pod(event.pod, namespace)} if event.pod is not None else {}),
        }


def truncate(text: str, size: int) -> str:
    """Return the beginning of a text, in at most so many bytes; no character is split."""
    return text[:size].encode(errors="replace")[:size].decode(errors="ignore")


def _name(regarding: Json, event: Event, now: datetime) -> str:
    """Return a unique name: the beginning of the object's name, and a hash of event, object and time."""
    parts = (uid_of(regarding), event.type, event.action, event.reason, event.message, micro_time(now))
    digest = hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
    return f"{regarding['metadata']['name'][:200].rstrip('-.')}.{digest[:16]}"


def _reference(regarding: Json) -> Json:
    return {"apiVersion": regarding["apiVersion"], "kind": regarding["kind"], **regarding["metadata"]}


def _pod(name: str, namespace: str) -> Json:
    """Return a reference to a pod without its UID, because a series goes on over several pods of one name."""
    return {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name}


def _reference_fields(regarding: Json) -> Json:
    """Return the fields that identify an object, so that a blocked queue does not keep whole objects in memory."""
    metadata = regarding["metadata"]
    named = {name: metadata[name] for name in ("namespace", "name", "uid") if name in metadata}
    return {"apiVersion": regarding["apiVersion"], "kind": regarding["kind"], "metadata": named}
