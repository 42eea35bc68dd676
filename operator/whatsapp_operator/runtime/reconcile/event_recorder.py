"""Records Kubernetes events, for people who run `kubectl describe`.

Nothing waits for events and nothing reads them back. `record` puts one into a queue, and a task of its own writes it,
so an API server that is slow with events delays no status and no pod. One that cannot be written is tried again
(`held_events`); one for which the queue has no room is counted, logged and dropped.

If the same event occurs again within SERIES_WINDOW, the first one becomes a series with a count and no other object is
created: a crash-looping session leaves one line, not hundreds. Only a few per minute are written about one object.

They are written as `events.k8s.io/v1`; `kubectl describe` and `kubectl get events` show them as they show all others.
client-go's recorders are the model (EventBroadcaster: a queue that drops, a correlator that counts, a token bucket per
object); `kopf.event` has neither counts nor a limit, and no series. Deliberately different: two events are the same
only if their notes are, because ours say what is different.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from whatsapp_operator.core.model import Event
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import EVENTS, Json, uid_of
from whatsapp_operator.runtime.process.clock import Clock, Jitter, micro_time, spread
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.held_events import HeldEvents, Outcome, QueuedEvent

logger = logging.getLogger(__name__)

SERIES_WINDOW: Final = 3000.0
""" Seconds for which a repetition raises the count. Shorter than the API server keeps events by default (an hour). """
CACHE_SIZE: Final = 4096
""" Events kept in memory at most; the least recently used is dropped first. """
QUEUE_SIZE: Final = 4096
""" Events that may wait to be written: a thousand sessions that start at once have three or four each. """
BURST: Final = 10
""" Events about one object that may be recorded at once … """
PER_SECOND: Final = 1 / 30
""" … and how many more per second. """
NOTE_BYTES: Final = 1024
""" Of a note; the API server rejects an event with a longer one. """
IDENTIFIER_BYTES: Final = 128
""" Of an action, a reason, and the reporting instance; likewise. """


@dataclass
class _Written:
    name: str
    namespace: str
    count: int
    touched: float


@dataclass
class _Bucket:
    left: float
    at: float


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
        jitter: Jitter = spread,
        on_outcome: Outcome = lambda _session, _error: None,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._metrics = metrics
        self._queue: asyncio.Queue[QueuedEvent] = asyncio.Queue(queue_size)
        self._held = HeldEvents(clock=clock, jitter=jitter, again=self._put, on_outcome=on_outcome)
        self._overflows = False
        self._component = component
        self._instance = instance
        """ Who reports: the pod's name. """
        self._written: OrderedDict[tuple[str, ...], _Written] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def record(self, regarding: Json, event: Event) -> None:
        """Queue an event about an object, or count it as dropped; never waits and never fails."""
        if not self._allowed(uid_of(regarding)):
            self._metrics.events.labels("throttled").inc()
            logger.debug("Event dropped, too many about this object", extra={"reason": event.reason})
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
            try:
                if self._held.takes(queued):
                    continue
                await self._write(queued)
            except KubeError as error:
                self._metrics.events.labels("error").inc()
                if self._held.failed(queued, error):
                    extra = {"namespace": queued.namespace, "reason": queued.event.reason, "error": str(error)}
                    logger.warning("Event could not be written, it is tried again", extra=extra)
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
        key = (uid_of(regarding), event.type, event.reason, event.message)
        now, written = self._clock.now(), self._written.get(key)
        if written is not None and self._clock.monotonic() - written.touched < SERIES_WINDOW:
            written = await self._repeat(written, regarding, event, now)
        else:
            written = await self._create(regarding, event, now)
        self._written[key] = written
        self._written.move_to_end(key)
        while len(self._written) > CACHE_SIZE:
            self._written.popitem(last=False)

    async def _create(self, regarding: Json, event: Event, now: datetime) -> _Written:
        metadata = regarding["metadata"]
        # Events about cluster-scoped objects live in the namespace "default"; kubectl looks for them there.
        namespace = metadata.get("namespace") or "default"
        stored = await self._kube.create(EVENTS, self._event(regarding, event, namespace=namespace, now=now))
        return _Written(stored["metadata"]["name"], namespace, 1, self._clock.monotonic())

    async def _repeat(self, written: _Written, regarding: Json, event: Event, now: datetime) -> _Written:
        count = written.count + 1
        patch = {"series": {"count": count, "lastObservedTime": micro_time(now)}}
        try:
            await self._kube.patch(EVENTS, namespace=written.namespace, name=written.name, patch=patch)
        except NotFound:  # the API server keeps events only for a while
            return await self._create(regarding, event, now)
        return _Written(written.name, written.namespace, count, self._clock.monotonic())

    def _event(self, regarding: Json, event: Event, *, namespace: str, now: datetime) -> dict[str, Any]:
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
            **({"related": _pod(event.pod, namespace)} if event.pod is not None else {}),
        }

    def _allowed(self, uid: str) -> bool:
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > CACHE_SIZE:
            self._buckets.popitem(last=False)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


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
