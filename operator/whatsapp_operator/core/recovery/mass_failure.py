"""When failures are so many that they have one cause: the rule, and the record of failures that it is applied to.

Three numbers are compared: how many sessions failed within a minute, how many could have failed, and how many usually
do. A namespace is judged by its own sessions. The cluster is judged by the sessions of all namespaces, and must fail in
several of them: neither one namespace, however large, nor many small ones that are few among all, speak for it.
`circuit_breaker` asks after each failure, so each answer costs little: a record keeps its failures in order.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from whatsapp_operator.core.model import SessionUID

WINDOW: Final = timedelta(minutes=1)
""" Failures within this time count together. """
MIN_FAILURES: Final = 3
""" Fewer failing sessions are no mass failure, however few sessions there are: two of three is bad luck. """
SHARE: Final = 3
""" More than one in this many fail. """
TIMES_USUAL: Final = 5
""" More than this many times what is usual: sessions that fail all day need no pause, they have their back-off. """
USUAL_MINUTES: Final = 60
""" What is usual is measured over this time before the window. """
MIN_NAMESPACES: Final = 2
""" Failures of a single namespace are its own affair. """
_MINUTE: Final = 60


class Tally(NamedTuple):
    """How many sessions of a namespace failed, of how many that had a pod."""

    failed: int
    of: int

    @property
    def exceeds_share(self) -> bool:
        """Whether more than a third failed; exactly a third is not enough."""
        return self.failed * SHARE > self.of


def is_mass_failure(tally: Tally, *, usual: float) -> bool:
    """Whether one namespace's failures within WINDOW are a mass failure.

    :param usual: how many sessions fail in a minute otherwise.
    """
    return tally.failed >= MIN_FAILURES and tally.exceeds_share and tally.failed > TIMES_USUAL * usual


def is_cluster_failure(tallies: Mapping[str, Tally], *, usual: float) -> bool:
    """Whether failures within WINDOW are a mass failure of the whole cluster.

    It is one if all sessions together fail as those of a single namespace would have to, also without the namespace that
    has most failures, and if more than a third of the namespaces, at least two, have more than a third of theirs fail.
    """
    total = _sum(tallies.values())
    if not is_mass_failure(total, usual=usual):
        return False
    largest = max(tallies.values())
    others = Tally(total.failed - largest.failed, total.of - largest.of)
    namespaces = Tally(sum(tally.failed > 0 and tally.exceeds_share for tally in tallies.values()), len(tallies))
    return is_mass_failure(others, usual=usual) and namespaces.failed >= MIN_NAMESPACES and namespaces.exceeds_share


def _sum(tallies: Iterable[Tally]) -> Tally:
    failed = of = 0
    for tally in tallies:
        failed, of = failed + tally.failed, of + tally.of
    return Tally(failed, of)


@dataclass(frozen=True, kw_only=True)
class Window:
    """The sessions that failed within WINDOW, up to a moment."""

    end: datetime
    entries: Sequence[tuple[datetime, SessionUID]]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def sessions(self) -> Iterator[SessionUID]:
        """The sessions, in the order of their failures."""
        return (session for _, session in self.entries)


class FailureRecord:
    """When each session last failed, in the order of time, and how many fail in a minute otherwise."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, SessionUID]] = []
        self._times: dict[SessionUID, datetime] = {}
        self._by_minute: Counter[int] = Counter()

    def add(self, session: SessionUID, time: datetime) -> None:
        """Record a failure; a session's earlier one does not count twice within a window."""
        self.forget(session)
        self._times[session] = time
        insort(self._entries, (time, session))
        self._by_minute[_minute(time)] += 1
        self._expire()

    def forget(self, session: SessionUID) -> None:
        """Drop a session that is gone; what is usual stays as it was."""
        time = self._times.pop(session, None)
        if time is not None:
            del self._entries[bisect_left(self._entries, (time, session))]

    def fullest(self, time: datetime) -> Window:
        """Return the window with the most failures of those that contain this moment.

        Failures are not reported in the order of their times, so a window may be completed in its middle.
        """
        stop = bisect_left(self._entries, time + WINDOW, key=_time)
        index, best = bisect_left(self._entries, time, key=_time), (0, 0, 0)
        while index < stop:
            end = self._entries[index][0]
            index = bisect_right(self._entries, end, lo=index, key=_time)  # those of one second end one window
            first = bisect_right(self._entries, end - WINDOW, hi=index, key=_time)
            best = max(best, (index - first, index, first))
        _, stop, first = best
        entries = self._entries[first:stop]
        return Window(end=entries[-1][0] if entries else time, entries=entries)

    def usual(self, end: datetime) -> float:
        """Return how many failures a minute had on average, in the hour before the window that ends at this moment."""
        first = _minute(end) - 1 - USUAL_MINUTES
        return sum(self._by_minute[minute] for minute in range(first, first + USUAL_MINUTES)) / USUAL_MINUTES

    def drop(self, window: Window) -> None:
        """Forget a mass failure: it is not usual, and no later failure joins it."""
        for minute in (_minute(window.end) - 1, _minute(window.end)):
            self._by_minute.pop(minute, None)
        self._entries.clear()
        self._times.clear()

    def _expire(self) -> None:
        newest = self._entries[-1][0]
        keep = bisect_left(self._entries, newest - 2 * WINDOW, key=_time)
        for _, session in self._entries[:keep]:
            del self._times[session]
        del self._entries[:keep]
        if len(self._by_minute) > 2 * USUAL_MINUTES:
            oldest = _minute(newest) - USUAL_MINUTES - 1
            self._by_minute = Counter({minute: count for minute, count in self._by_minute.items() if minute >= oldest})


def _time(entry: tuple[datetime, SessionUID]) -> datetime:
    return entry[0]


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // _MINUTE
