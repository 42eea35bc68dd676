"""Which events are the same, which are alike, and which are too many: client-go's EventCorrelator.

Every event goes through here before it is queued. One that occurs again is counted in its series, also when there is no
budget to write it: whoever writes the series next writes the right count. If more than MOST_SIMILAR events about one
object differ in nothing but their notes, the further ones are one series as well, whose note says so. And about one
object only so many are written a minute.

Deliberately different from client-go's recorder for `events.k8s.io`: two events are the same only if their notes are,
because ours say what is different. What the older recorder combines it shows with the newest note; a note cannot be
changed in `events.k8s.io`, so it is the first combined one's here.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeVar

from whatsapp_operator.core.decision import Event

SERIES_WINDOW: Final = 3000.0
""" Seconds for which a repetition raises the count. Shorter than the API server keeps events by default (an hour). """
MOST_SIMILAR: Final = 10
""" Events about one object with one reason and different notes, within … """
SIMILAR_WINDOW: Final = 600.0
""" … so many seconds after the one before; both are client-go's. """
COMBINED: Final = "(combined from similar events): "
CACHE_SIZE: Final = 4096
""" Events kept in memory at most; the least recently used is dropped first. """
BURST: Final = 10
""" Events about one object that may be written at once … """
PER_SECOND: Final = 1 / 30
""" … and how many more per second. """


Key = TypeVar("Key")
Value = TypeVar("Value")


class EventKey(NamedTuple):
    """What makes two events the same: the object's UID, and what is said of it."""

    uid: str
    type: str
    reason: str
    note: str


@dataclass
class Series:
    """How often an event occurred, and how it is stored."""

    touched: float
    """ When it was first recorded, or last written; monotonic seconds. """
    count: int = 0
    written: int = 0
    """ The count that is stored; 0: it is not yet. """
    name: str = ""
    namespace: str = ""


@dataclass
class _Similar:
    at: float
    seen: set[str] = field(default_factory=set)
    combined: str = ""
    """ The note of all further ones; empty: there were none. """


@dataclass
class _Bucket:
    left: float
    at: float


class EventCorrelator:
    """Counts and combines events; knows nothing of how they are written."""

    def __init__(self) -> None:
        self._series: OrderedDict[EventKey, Series] = OrderedDict()
        self._similar: OrderedDict[tuple[str, str, str], _Similar] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def observe(self, uid: str, event: Event, *, now: float) -> tuple[Event, bool]:
        """Count an event; return it as it is to be written, and whether it may be by now."""
        event = self._combined(uid, event, now)
        series = self.series(uid, event, now=now)
        series.count += 1
        return event, self._allowed(uid, now)

    def series(self, uid: str, event: Event, *, now: float) -> Series:
        """Return the series that an event belongs to; a new one, if the last one is too old or forgotten."""
        key = EventKey(uid, event.type, event.reason, event.message)
        known = self._series.get(key)
        if known is None or now - known.touched >= SERIES_WINDOW:
            known = Series(touched=now)
        _keep(self._series, key, known)
        return known

    def _combined(self, uid: str, event: Event, now: float) -> Event:
        key = (uid, event.type, event.reason)
        similar = self._similar.get(key)
        if similar is None or now - similar.at > SIMILAR_WINDOW:
            similar = _Similar(now)
        similar.at = now
        _keep(self._similar, key, similar)
        if event.message in similar.seen or len(similar.seen) < MOST_SIMILAR:
            similar.seen.add(event.message)
            return event
        similar.combined = similar.combined or COMBINED + event.message
        return replace(event, message=similar.combined)

    def _allowed(self, uid: str, now: float) -> bool:
        bucket = self._buckets.get(uid) or _Bucket(BURST, now)
        _keep(self._buckets, uid, bucket)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


def _keep(cache: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Store a value as the one used last."""
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > CACHE_SIZE:
        cache.popitem(last=False)
