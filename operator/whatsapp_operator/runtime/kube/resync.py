"""The full LIST of everything, at most a minute apart: with it a missed watch event is a delay and not an error.

Each resync lists all kinds that the operator watches, corrects the store and queues every session. It also reads what
is not watched (namespaces' labels, the keys) and deletes what is not needed any more (keys and Services).

client-go calls this a reflector's relist. What client-go calls resync, reporting the known objects again without a
request to the API server, would not find what a watch has missed.

A call of it that fails is shown in the conditions of the sessions that rely on it (`calls`): all of them, or with
WATCH_NAMESPACES those of its namespace.

The resync also shows whether the process works. If none succeeds for three intervals, the process is not healthy and
ends. A watch that does not report what a resync found is dead although its connection looks alive, and versions that go
back (`versions`) make all that is known worthless: then everything begins anew, in the same process (`app.process`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import Call, Verb
from whatsapp_operator.runtime.kube.client import Kube, Listing
from whatsapp_operator.runtime.kube.errors import KubeError, Refused
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.resources import Json, Resource, version_of
from whatsapp_operator.runtime.kube.store import Change, Store
from whatsapp_operator.runtime.process.clock import Clock, Jitter, spread
from whatsapp_operator.runtime.process.garbage import Garbage
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.slices import drained, in_slices
from whatsapp_operator.runtime.reconcile.failed_calls import CallRecords, CallRegistry

logger = logging.getLogger(__name__)

STALE_AFTER: Final = 3
""" Intervals without success after which the process is not healthy. """
DEAD_AFTER: Final = 5
""" Intervals without success after which the process ends itself, if the kubelet has not ended it. """
RETRY: Final = timedelta(seconds=5)
""" After a failure the retry comes sooner than the next interval: every so often while nobody answers or the server has a
fault, which may be over any moment; after twice the wait each time when it is a refusal. """
WATCH_DEAD_AFTER: Final = timedelta(seconds=30)
""" A watch is dead if for so long, and for two resyncs, it has not reported what a resync found. """


class Worthless(StrEnum):
    """Why everything begins anew; a metric's label values."""

    VERSIONS_WENT_BACK = "versions_went_back"
    WATCH_STOPPED = "watch_stopped"


class Stream(NamedTuple):
    """One watch: a kind, in one namespace or in all."""

    resource: Resource
    namespace: str | None


@dataclass
class WatchProgress:
    """The newest version that each watch has reported, compared with what the LISTs found."""

    clock: Clock
    _observed: dict[Stream, int] = field(default_factory=dict)
    _expected: dict[Stream, int] = field(default_factory=dict)
    _behind_since: dict[Stream, float] = field(default_factory=dict)

    def observe(self, stream: Stream, obj: Json) -> None:
        """Record the version of an object that a watch reported."""
        self._observed[stream] = max(version_of(obj), self._observed.get(stream, 0))

    def listed(self, stream: Stream, objects: Iterable[Json]) -> None:
        """Record the objects of a LIST, and check whether the watch has reported what the LIST before it found."""
        now = self.clock.monotonic()
        if self._observed.get(stream, 0) >= self._expected.get(stream, 0):
            self._behind_since.pop(stream, None)
        else:
            self._behind_since.setdefault(stream, now)
        self._expected[stream] = max((version_of(obj) for obj in objects), default=0)

    def dead(self, *, after: float) -> list[Stream]:
        """Return the watches that have been behind for at least so many seconds."""
        now = self.clock.monotonic()
        return [stream for stream, since in self._behind_since.items() if now - since >= after]


OnChanged = Callable[[Resource, Change], None]
""" Called with each correction of the store. """


class Resync:
    """Lists everything at every interval."""

    def __init__(
        self,
        *,
        kube: Kube,
        store: Store,
        clock: Clock,
        instance: Instance,
        selectors: dict[Resource, str],
        interval: timedelta,
        metrics: Metrics,
        progress: WatchProgress,
        on_changed: OnChanged,
        on_calls_shown: Callable[[], Awaitable[None]],
        calls: CallRegistry,
        before: Mapping[Call, Callable[[], Awaitable[None]]],
        after: Sequence[Callable[[], Awaitable[None]]],
        jitter: Jitter = spread,
        garbage: Garbage | None = None,
    ) -> None:
        self._kube = kube
        self._store = store
        self._clock = clock
        self._instance = instance
        self._selectors = selectors
        """ The kinds to list, each with its label selector. """
        self._interval = interval
        self._metrics = metrics
        self._progress = progress
        self._on_changed = on_changed
        self._on_calls_shown = on_calls_shown
        """ Called when other failed calls are to be shown than before. """
        self._calls = calls
        self._refusals = 0
        """ In a row. """
        self._shown: set[tuple[str | None, Call]] = set()
        """ The failed calls that sessions show since they were queued last, with the namespace they are about. """
        self._before = before
        """ What else to read first; its failure fails the resync. """
        self._after = after
        """ What to do once everything is listed; its failure fails nothing else. """
        self._jitter = jitter
        self._garbage = garbage
        self.succeeded_at: float | None = None
        """ When the last successful resync began, monotonic seconds; None: there was none. """

    async def run(self) -> None:
        """Resync at every interval, counted from start to start, until cancelled.

        The first one comes soon: no watch reports what was deleted between the first LIST and the start of the watch.
        """
        await self._clock.sleep(min(self._interval.total_seconds(), RETRY.total_seconds()))
        while True:
            started = self._clock.monotonic()
            interval = self._interval.total_seconds()
            retry = RETRY.total_seconds() * 2 ** min(self._refusals, 16)
            pause = interval if await self.attempt() else min(interval, self._jitter(retry))
            await self._clock.sleep(pause - (self._clock.monotonic() - started))

    async def attempt(self) -> bool:
        """Resync once; return whether it succeeded."""
        started, began = self._clock.monotonic(), self._clock.now()
        try:
            with self._garbage.paused() if self._garbage is not None else contextlib.nullcontext():
                await self._once()
                if self._garbage is not None:
                    self._garbage.settle()
        except KubeError as error:
            self._metrics.resyncs.labels("error").inc()
            logger.warning("Resync failed", extra={"error": str(error)})
            self._refusals = self._refusals + 1 if isinstance(error, Refused) else 0
            if self.succeeded_at is not None:
                await self._show_failed_calls()
            return False
        self._refusals = 0
        self.succeeded_at = started
        self._shown = set()
        self._metrics.resyncs.labels("success").inc()
        self._metrics.resync_succeeded.value = began.timestamp()
        self._metrics.resync_seconds.observe(self._clock.monotonic() - started)
        return True

    async def _once(self) -> None:
        for call, read in self._before.items():
            with _recorded(self._calls.shared(None), call):
                await read()
        for resource, labels in self._selectors.items():
            await self._list(resource, labels)
            if self._kube.versions.went_back is not None:
                return  # what is known is partly of another past: nothing is done for it
        for act in self._after:
            try:
                await act()
            except KubeError as error:  # all is listed: what cannot be written for it makes the view no older
                logger.warning("What follows a resync failed", extra={"error": str(error)})
            await asyncio.sleep(0)  # each takes some milliseconds at once

    async def _list(self, resource: Resource, labels: str) -> None:
        scopes = self._instance.scopes if resource.namespaced else (None,)
        oldest: int | None = None
        first = self.succeeded_at is None
        for namespace in scopes:
            with _recorded(self._calls.shared(namespace), Call(Verb.LIST, str(resource), "")):
                listing = await self._kube.list(resource, namespace=namespace, labels=labels)
            oldest = listing.version if oldest is None else min(oldest, listing.version)
            self._progress.listed(Stream(resource, namespace), listing.objects)
            await asyncio.sleep(0)
            async for change in in_slices(self._replace(resource, namespace, listing)):
                if not change:
                    continue
                if not first:
                    self._metrics.resync_missed.labels(str(resource)).inc()
                self._on_changed(resource, change)
        self._store.complete_list(resource, version=oldest or 0)

    async def _show_failed_calls(self) -> None:
        """Have the sessions looked at, when another call failed for long enough or was refused."""
        scopes = {None, *self._instance.scopes}
        shown = {(scope, each.call) for scope in scopes for each in self._calls.shared(scope).known() if each.is_shown}
        if shown - self._shown:
            await self._on_calls_shown()
        self._shown = shown

    def _replace(self, resource: Resource, namespace: str | None, listing: Listing) -> Iterator[Change]:
        def in_scope(key: ObjectKey) -> bool:
            return namespace is None or key.namespace == namespace

        return self._store.replace(resource, drained(listing.objects), version=listing.version, in_scope=in_scope)

    @property
    def age(self) -> float:
        """Seconds since the last successful resync began; infinite before the first."""
        return float("inf") if self.succeeded_at is None else self._clock.monotonic() - self.succeeded_at

    def verdict(self) -> str | None:
        """Return why the process should end itself, or None."""
        if self.succeeded_at is not None and self.age > DEAD_AFTER * self._interval.total_seconds():
            return f"no full list has succeeded for {self.age:.0f} s"
        worthless = self.worthless()
        return worthless[1] if worthless is not None else None

    def worthless(self) -> tuple[Worthless, str] | None:
        """Return why everything that is known should be read anew, watches included; None: it is good."""
        if (why := self._kube.versions.went_back) is not None:
            return Worthless.VERSIONS_WENT_BACK, why
        interval = self._interval.total_seconds()
        dead = self._progress.dead(after=max(2 * interval, WATCH_DEAD_AFTER.total_seconds()))
        if dead:
            return Worthless.WATCH_STOPPED, f"the watch of {dead[0].resource} has stopped reporting changes"
        return None


@contextlib.contextmanager
def _recorded(records: CallRecords, call: Call) -> Iterator[None]:
    try:
        yield
    except KubeError as error:
        records.failed(call, error)
        raise
    records.succeeded(call)
