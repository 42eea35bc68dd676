"""Kubernetes events: what happened, for people who run `kubectl describe`.

Events are told, not relied upon: nothing waits for them and nothing reads them back. Who has something to tell puts it
into a queue, and a task of its own writes it; so an API server that is slow with events delays no status and no pod.
One that cannot be written, or that the queue has no room for, is counted, logged and dropped.

The same event again within an hour makes the first one a series and counts in it instead of making another object, so
that a crash-looping session leaves one line, not hundreds. No more than a few per minute are written about one object.

They are written as `events.k8s.io/v1`; `kubectl describe` and `kubectl get events` show them as they show all others.
client-go's recorders are the model (EventBroadcaster: a queue that drops, a correlator that counts, a token bucket per
object); `kopf.event` has neither counts nor a limit, and no series. One thing differs on purpose: the note is part of
what makes two events the same, for ours say what is different.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from whatsapp_operator.core.model import EventNote
from whatsapp_operator.runtime.client import Kube
from whatsapp_operator.runtime.clock import Clock, micro_time
from whatsapp_operator.runtime.errors import KubeError, NotFound
from whatsapp_operator.runtime.metrics import Metrics
from whatsapp_operator.runtime.resources import EVENTS, Json, uid_of

logger = logging.getLogger(__name__)

REMEMBER: Final = 3000.0
""" Seconds for which a repetition raises the count. Shorter than the API server keeps events by default (an hour). """
REMEMBERED: Final = 4096
""" Events remembered at most; the longest untouched is forgotten first. """
WAITING: Final = 4096
""" Events that may wait to be written: a thousand sessions that start at once have three or four each. """
BURST: Final = 10
""" Events about one object that may come at once … """
PER_SECOND: Final = 1 / 30
""" … and how many it regains. """
NOTE_BYTES: Final = 1024
""" Of a note; the API server refuses an event with a longer one. """
WORD_BYTES: Final = 128
""" Of an action, a reason, and the name of who tells; likewise. """


@dataclass
class _Told:
    name: str
    namespace: str
    count: int
    touched: float


@dataclass
class _Bucket:
    left: float
    at: float


class _Story(NamedTuple):
    """What is to be told of what; of the object only what names it."""

    about: Json
    note: EventNote


class Events:
    """Writes events about the operator's objects."""

    def __init__(
        self, *, kube: Kube, clock: Clock, metrics: Metrics, component: str, instance: str, waiting: int = WAITING
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._metrics = metrics
        self._queue: asyncio.Queue[_Story] = asyncio.Queue(waiting)
        self._overflows = False
        self._component = component
        self._instance = instance
        """ Who tells: the pod's name. """
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def tell(self, about: Json, note: EventNote) -> None:
        """Have an event written about an object, or counted; never waits and never fails."""
        if not self._allowed(uid_of(about)):
            self._metrics.events.labels("throttled").inc()
            logger.debug("Event dropped, too many about this object", extra={"reason": note.reason})
            return
        try:
            self._queue.put_nowait(_Story(_named(about), note))
        except asyncio.QueueFull:
            self._metrics.events.labels("dropped").inc()
            if not self._overflows:
                logger.warning("Events are dropped: the API server does not take them as fast as they come")
            self._overflows = True
        else:
            self._overflows = False

    async def run(self) -> None:
        """Write what is told, one after the other, until cancelled."""
        while True:
            story = await self._queue.get()
            try:
                await self._write(story)
            except KubeError as error:
                self._metrics.events.labels("error").inc()
                logger.warning("Event could not be written", extra={"reason": story.note.reason, "error": str(error)})
            else:
                self._metrics.events.labels("written").inc()
            finally:
                self._queue.task_done()

    async def drain(self, *, within: float) -> None:
        """Wait until all is written that was told, for so many seconds at most; `run` must be running."""
        try:
            async with asyncio.timeout(within):
                await self._queue.join()
        except TimeoutError:
            left = self._queue.qsize() + 1
            self._metrics.events.labels("dropped").inc(left)
            logger.warning("Events are dropped: the process ends", extra={"events": left})

    async def _write(self, story: _Story) -> None:
        about, note = story
        key = (uid_of(about), note.type, note.reason, note.message)
        now, told = self._clock.now(), self._told.get(key)
        if told is not None and self._clock.monotonic() - told.touched < REMEMBER:
            told = await self._again(told, about, note, now)
        else:
            told = await self._first(about, note, now)
        self._told[key] = told
        self._told.move_to_end(key)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _first(self, about: Json, note: EventNote, now: datetime) -> _Told:
        metadata = about["metadata"]
        # Events about cluster-scoped objects live in the namespace "default"; kubectl looks for them there.
        namespace = metadata.get("namespace") or "default"
        stored = await self._kube.create(EVENTS, self._event(about, note, namespace=namespace, now=now))
        return _Told(stored["metadata"]["name"], namespace, 1, self._clock.monotonic())

    async def _again(self, told: _Told, about: Json, note: EventNote, now: datetime) -> _Told:
        count = told.count + 1
        patch = {"series": {"count": count, "lastObservedTime": micro_time(now)}}
        try:
            await self._kube.patch(EVENTS, namespace=told.namespace, name=told.name, patch=patch)
        except NotFound:  # the API server keeps events for a while only
            return await self._first(about, note, now)
        return _Told(told.name, told.namespace, count, self._clock.monotonic())

    def _event(self, about: Json, note: EventNote, *, namespace: str, now: datetime) -> dict[str, Any]:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": _name(about, note, now), "namespace": namespace},
            "eventTime": micro_time(now),
            "reportingController": self._component,
            "reportingInstance": cut(self._instance, WORD_BYTES),
            "action": cut(note.action, WORD_BYTES),
            "reason": cut(note.reason, WORD_BYTES),
            "note": cut(note.message, NOTE_BYTES),
            "type": note.type,
            "regarding": _reference(about),
            **({"related": _pod(note.pod, namespace)} if note.pod is not None else {}),
        }

    def _allowed(self, uid: str) -> bool:
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


def cut(text: str, size: int) -> str:
    """Return the beginning of a text that has at most so many bytes; no character is cut in two."""
    return text[:size].encode(errors="replace")[:size].decode(errors="ignore")


def _name(about: Json, note: EventNote, now: datetime) -> str:
    """Return a name of the event's own: its object's beginning, and a hash of what is told, of whom, and when."""
    told = (uid_of(about), note.type, note.action, note.reason, note.message, micro_time(now))
    digest = hashlib.sha256("\n".join(told).encode(errors="replace")).hexdigest()
    return f"{about['metadata']['name'][:200].rstrip('-.')}.{digest[:16]}"


def _reference(about: Json) -> Json:
    return {"apiVersion": about["apiVersion"], "kind": about["kind"], **about["metadata"]}


def _pod(name: str, namespace: str) -> Json:
    """Return a reference without a UID: a series goes on over several pods of one name."""
    return {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name}


def _named(about: Json) -> Json:
    """Return what an event says of its object: the whole one would be kept alive by a queue that does not move."""
    metadata = about["metadata"]
    named = {name: metadata[name] for name in ("namespace", "name", "uid") if name in metadata}
    return {"apiVersion": about["apiVersion"], "kind": about["kind"], "metadata": named}
