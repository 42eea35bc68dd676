"""The pauses of recovery: one circuit breaker for each namespace, and one for the cluster.

The runtime tells of each change of a session (`update`) and of time that has passed (`advance`); both return what
began, is tried or ended, in words for an event. A namespace's pause counts all of its sessions: it concerns nobody
else. The cluster's counts only sessions that say something about the cluster: they have been up in a pod, and run the
operator's image. Sums are kept up to date, so that no call goes through all sessions, but when a pause begins or ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import LONGEST, CircuitBreaker, Phase
from whatsapp_operator.core.recovery.health import Failure, SessionHealth
from whatsapp_operator.core.recovery.mass_failure import (
    USUAL_MINUTES,
    WINDOW,
    Tally,
    Window,
    is_cluster_failure,
    is_mass_failure,
)

NAMES: Final = 10
""" Namespaces that a message names at most. """
HISTORY: Final = timedelta(minutes=USUAL_MINUTES) + LONGEST + 2 * WINDOW
""" Older failures say nothing any more. """
CLOCK_TOLERANCE: Final = timedelta(minutes=1)
""" What the clock of the process that stored a failure may have been ahead. """
SLICE: Final = 1000
""" Failures that are taken in one go when all sessions are read; a hundred thousand a second are. """
_GOES_ON: Final = (
    "It goes on by itself after five minutes without a failure, or is tried after 15 minutes, first with one session; "
    "find what they have in common: image, node, network, the page."
)
NAMESPACE_MESSAGE: Final = f"Recovery is paused in this namespace, because more than a third of its sessions failed within a minute. {_GOES_ON}"
CLUSTER_MESSAGE: Final = (
    "Recovery is paused for all sessions, because more than a third of them, in several namespaces, failed within a "
    f"minute. {_GOES_ON}"
)


@dataclass(frozen=True, kw_only=True)
class PauseChange:
    """A pause that has begun, is tried, or has ended."""

    namespace: str | None
    """ None: the cluster's. """
    phase: Phase
    message: str | None
    """ For people; None: a further step of a trial, which has been told. """


@dataclass(kw_only=True)
class _Namespace:
    sessions: set[SessionUID] = field(default_factory=set)
    with_pod: int = 0
    proven: int = 0
    """ Those of `with_pod` that count for the cluster. """
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


class RecoveryPauses:
    """All sessions' failures, and which of them wait."""

    def __init__(self) -> None:
        self._namespaces: defaultdict[str, _Namespace] = defaultdict(_Namespace)
        self._sessions: dict[SessionUID, SessionHealth] = {}
        self._cluster = CircuitBreaker()
        self._proven = 0
        self._cause = ""
        """ Which failures opened the cluster's breaker. """
        self._causes: dict[str, str] = {}
        """ The same by namespace; these are also the namespaces whose breakers are not closed. """

    # --- what is paused ------------------------------------------------------------------------------------------

    def message(self, session: SessionUID) -> str | None:
        """Return why a session gets no new pod after a failure; None: it gets one."""
        if self._cluster.pauses(session):
            return CLUSTER_MESSAGE
        health = self._sessions.get(session)
        if health is None or health.namespace not in self._causes:
            return None
        return NAMESPACE_MESSAGE if self._namespaces[health.namespace].breaker.pauses(session) else None

    @property
    def paused_namespaces(self) -> int:
        """How many namespaces have their recovery paused or tried, by their own failures or the cluster's."""
        return len(self._causes) if self._cluster.phase is Phase.CLOSED else len(self._namespaces)

    @property
    def paused_by_own_failures(self) -> frozenset[str]:
        """The namespaces whose recovery is paused or tried, whatever the cluster's is."""
        return frozenset(self._causes)

    @property
    def everywhere(self) -> bool:
        """Whether recovery is paused or tried in all namespaces that have sessions."""
        return 0 < len(self._namespaces) == self.paused_namespaces

    @property
    def due(self) -> datetime | None:
        """When to call `advance` although nothing happens; None: nothing is paused."""
        breakers = [self._cluster, *(self._namespaces[name].breaker for name in self._causes)]
        return min((due for breaker in breakers if (due := breaker.due) is not None), default=None)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that have sessions or are paused."""
        return tuple(self._namespaces)

    def sessions(self, namespace: str | None) -> Iterator[SessionUID]:
        """Iterate over the sessions of a namespace, or of all."""
        if namespace is None:
            yield from self._sessions
        elif namespace in self._namespaces:
            yield from self._namespaces[namespace].sessions

    # --- what happens --------------------------------------------------------------------------------------------

    def restore(
        self, sessions: Mapping[SessionUID, SessionHealth], *, now: datetime
    ) -> Iterator[tuple[PauseChange, ...]]:
        """Take all sessions as they are stored, and find the pauses that began before this process did.

        In slices, between which others may run; the last one has the changes. Call nothing else meanwhile.
        """
        failures = []
        for uid, health in sessions.items():
            self._place(uid, health)
            # One that is yet to come is of a clock that was wrong, and says nothing of when it was.
            if health.failure is not None and now - HISTORY <= health.failure.time <= now + CLOCK_TOLERANCE:
                failures.append((min(health.failure.time, now), uid, health))
        failures.sort(key=lambda failed: failed[:2])
        for first in range(0, len(failures), SLICE):
            yield ()
            for time, uid, health in failures[first : first + SLICE]:
                self._advance(time, (health.namespace, None))
                self._failed(uid, health, time)
        self._advance(now, self._paused())
        yield self._changes({}, self._phases(self._paused()))

    def update(self, session: SessionUID, health: SessionHealth | None, *, now: datetime) -> tuple[PauseChange, ...]:
        """Take a session as it is now; None: it is gone, and counts no more. A pause that it helped to begin stays."""
        before = self._sessions.get(session)
        if health is None:
            self._remove(session)
            return ()
        self._place(session, health)
        failure: Failure | None = health.failure
        if failure is None or (before is not None and before.failure == failure):
            return ()
        scopes = (health.namespace, None)
        phases = self._phases(scopes)
        self._failed(session, health, min(failure.time, now))
        self._advance(now, scopes)
        return self._changes(phases, self._phases(scopes))

    def advance(self, now: datetime) -> tuple[PauseChange, ...]:
        """Let pauses end, and trials take their steps; sessions that a step lets go on are a change, too."""
        scopes = [name for name in self._paused() if (due := self._breaker(name).due) is not None and due <= now]
        phases = self._phases(scopes)
        self._advance(now, scopes)
        return self._changes(phases, self._phases(scopes))

    def _failed(self, session: SessionUID, health: SessionHealth, time: datetime) -> None:
        namespace = self._namespaces[health.namespace]

        def in_namespace(window: Window, usual: float) -> bool:
            without_pod = sum(uid in self._sessions and not self._sessions[uid].has_pod for uid in window.sessions)
            return is_mass_failure(Tally(len(window), namespace.with_pod + without_pod), usual=usual)

        def in_cluster(window: Window, usual: float) -> bool:
            # Cheap, and false for nearly all failures: those without a pod would only add to the sessions.
            if not is_mass_failure(Tally(len(window), self._proven), usual=usual):
                return False
            return is_cluster_failure(self._tallies(window), usual=usual)

        window = namespace.breaker.failed(session, time, created=health.created, is_mass_failure=in_namespace)
        if window is not None:
            self._causes[health.namespace] = f"{len(window)} of its sessions failed within a minute"
        if not health.proven:
            return
        window = self._cluster.failed(session, time, created=health.created, is_mass_failure=in_cluster)
        if window is not None:
            places = {self._sessions[uid].namespace for uid in window.sessions if uid in self._sessions}
            self._cause = f"{len(window)} sessions failed within a minute in the namespaces {_listed(places)}"

    def _tallies(self, window: Window) -> dict[str, Tally]:
        failed: defaultdict[str, int] = defaultdict(int)
        without_pod: defaultdict[str, int] = defaultdict(int)
        for uid in window.sessions:
            if (health := self._sessions.get(uid)) is not None:
                failed[health.namespace] += 1
                without_pod[health.namespace] += not health.has_pod
        return {
            name: Tally(failed[name], namespace.proven + without_pod[name])
            for name, namespace in self._namespaces.items()
            if namespace.proven or failed[name]
        }

    def _advance(self, now: datetime, scopes: Iterable[str | None]) -> None:
        for name in scopes:
            breaker = self._breaker(name)
            breaker.advance(now, partial(self._waiting, name))
            if name is not None and breaker.phase is Phase.CLOSED:
                self._causes.pop(name, None)
                self._forget_if_empty(name)

    def _waiting(self, namespace: str | None) -> Iterator[tuple[datetime, SessionUID]]:
        for uid in self.sessions(namespace):
            health = self._sessions[uid]
            if health.waits and health.failure is not None:
                yield health.failure.time, uid

    # --- what has changed ----------------------------------------------------------------------------------------

    def _paused(self) -> list[str | None]:
        return [*self._causes, *([None] if self._cluster.phase is not Phase.CLOSED else [])]

    def _breaker(self, namespace: str | None) -> CircuitBreaker:
        return self._cluster if namespace is None else self._namespaces[namespace].breaker

    def _phases(self, scopes: Iterable[str | None]) -> dict[str | None, Phase]:
        return {name: self._breaker(name).phase for name in scopes if name is None or name in self._namespaces}

    def _changes(
        self, before: Mapping[str | None, Phase], after: Mapping[str | None, Phase]
    ) -> tuple[PauseChange, ...]:
        changes = []
        for name in {**before, **after}:
            old, new = before.get(name, Phase.CLOSED), after.get(name, Phase.CLOSED)
            if old != new:
                changes.append(PauseChange(namespace=name, phase=new, message=self._message(name, new, before=old)))
            elif new is Phase.TRIAL:
                changes.append(PauseChange(namespace=name, phase=new, message=None))
        return tuple(changes)

    def _message(self, namespace: str | None, phase: Phase, *, before: Phase) -> str:
        where = "for all sessions" if namespace is None else f"in the namespace {namespace}"
        if phase is Phase.OPEN:
            cause = self._cause if namespace is None else self._causes[namespace]
            return f"Recovery is paused {where}: {cause}. {_GOES_ON}"
        if phase is Phase.TRIAL:
            return f"Recovery is tried {where}, with one session first, then with twice as many in each minute."
        why = "nobody waits any more" if before is Phase.TRIAL else "no failure for five minutes"
        return f"Recovery goes on {where}: {why}."

    # --- who is where --------------------------------------------------------------------------------------------

    def _place(self, session: SessionUID, health: SessionHealth) -> None:
        self._count(session, -1)
        self._sessions[session] = health
        self._namespaces[health.namespace].sessions.add(session)
        self._count(session, +1)

    def _remove(self, session: SessionUID) -> None:
        self._count(session, -1)
        health = self._sessions.pop(session, None)
        if health is None:
            return
        namespace = self._namespaces[health.namespace]
        namespace.sessions.discard(session)
        namespace.breaker.record.forget(session)
        self._cluster.record.forget(session)
        self._forget_if_empty(health.namespace)

    def _forget_if_empty(self, name: str) -> None:
        """Drop a namespace without sessions; while it is paused it stays, or making them anew would end the pause."""
        if name in self._namespaces and name not in self._causes and not self._namespaces[name].sessions:
            del self._namespaces[name]

    def _count(self, session: SessionUID, sign: int) -> None:
        health = self._sessions.get(session)
        if health is None or not health.has_pod:
            return
        namespace = self._namespaces[health.namespace]
        namespace.with_pod += sign
        if health.proven:
            namespace.proven += sign
            self._proven += sign


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMES} more" if len(ordered) > NAMES else ""
    return ", ".join(ordered[:NAMES]) + more
