"""The work queue: the keys of sessions to reconcile, each at most once, each with one worker at a time.

Whatever may matter to a session adds its key; workers take keys. Adding a key that already waits changes nothing;
adding one that is being processed queues it again afterwards, so no event is lost and no two workers ever process the
same session. A key can also be added with a delay; it has one timer, and the earliest time counts. After a failure the
key is added again with an exponential back-off and jitter.

It is client-go's `workqueue`, with its names: `add`, `get`, `done`, `add_after`, `add_rate_limited`, `forget`; its metrics,
too, are client-go's. Written here because no library has one for asyncio: neither the client library, nor kr8s, lightkube or kopf's public API.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.process.clock import Clock, Jitter, Timer, spread
from whatsapp_operator.runtime.process.metrics import Metrics

FIRST_RETRY: Final = 0.5
""" Seconds until the retry after the first failure of a key; doubled with each further one. """
LAST_RETRY: Final = 120.0
""" The longest back-off, in seconds. A resync looks at the session before that. """


@dataclass
class _Delayed:
    at: float
    timer: Timer


@dataclass
class WorkQueue:
    """The queue. Must be used within one event loop."""

    clock: Clock
    jitter: Jitter = spread
    metrics: Metrics = field(default_factory=Metrics)
    _ready: deque[ObjectKey] = field(default_factory=deque)
    _queued: set[ObjectKey] = field(default_factory=set)
    """ The same keys as in `_ready`. """
    _processing: dict[ObjectKey, float] = field(default_factory=dict)
    """ Since when each is being processed, monotonic seconds. """
    _dirty: set[ObjectKey] = field(default_factory=set)
    """ Keys that were added while being processed. """
    _delayed: dict[ObjectKey, _Delayed] = field(default_factory=dict)
    _failures: dict[ObjectKey, int] = field(default_factory=dict)
    _since: dict[ObjectKey, float] = field(default_factory=dict)
    """ When a key that waits was added, monotonic seconds. """
    _available: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: ObjectKey) -> None:
        """Queue the session, to be reconciled as soon as a worker is free."""
        if key in self._queued or key in self._dirty:
            return
        self.metrics.queue_adds.inc()
        self._since[key] = self.clock.monotonic()
        if key in self._processing:
            self._dirty.add(key)
        else:
            self._make_ready(key)

    def add_after(self, key: ObjectKey, delay: float) -> None:
        """Queue the session after so many seconds, or earlier if an earlier time was set."""
        if delay <= 0:
            self.add(key)
            return
        at = self.clock.monotonic() + delay
        delayed = self._delayed.get(key)
        if delayed is not None:
            if delayed.at <= at:
                return
            delayed.timer.cancel()
        self._delayed[key] = _Delayed(at, self.clock.call_later(delay, lambda: self._add_delayed(key)))

    def add_rate_limited(self, key: ObjectKey, *, at_least: float = 0.0) -> float:
        """Queue the session after its back-off, which grows with each call until `forget`; return the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.metrics.queue_retries.inc()
        delay = max(at_least, self.jitter(min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures, 16))))
        self.add_after(key, delay)
        return delay

    def forget(self, key: ObjectKey) -> None:
        """Reset the back-off of a session that was reconciled."""
        self._failures.pop(key, None)

    def drop(self, key: ObjectKey) -> None:
        """Cancel the timer of a deleted session and reset its back-off."""
        self._failures.pop(key, None)
        delayed = self._delayed.pop(key, None)
        if delayed is not None:
            delayed.timer.cancel()

    async def get(self) -> ObjectKey:
        """Wait for a key and return it; no other worker gets it until `done`."""
        while not self._ready:
            self._available.clear()
            await self._available.wait()
        key = self._ready.popleft()
        self._queued.discard(key)
        now = self._processing[key] = self.clock.monotonic()
        self.metrics.queue_seconds.observe(now - self._since.pop(key))
        return key

    def done(self, key: ObjectKey) -> None:
        """End the processing of a key; queue it again if it was added meanwhile."""
        self.metrics.work_seconds.observe(self.clock.monotonic() - self._processing.pop(key))
        if key in self._dirty:
            self._dirty.discard(key)
            self._make_ready(key)

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._ready)

    def measure(self) -> None:
        """Set the gauges."""
        now = self.clock.monotonic()
        taken = [now - since for since in self._processing.values()]
        self.metrics.queue_depth.set(self.depth)
        self.metrics.unfinished_seconds.set(sum(taken))
        self.metrics.longest_seconds.set(max(taken, default=0))

    def _make_ready(self, key: ObjectKey) -> None:
        self._queued.add(key)
        self._ready.append(key)
        self._available.set()

    def _add_delayed(self, key: ObjectKey) -> None:
        self._delayed.pop(key, None)
        self.add(key)
