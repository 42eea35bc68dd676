"""The calls that failed, and when each may be tried again: kept per session, per namespace, and for what all rely on.

A namespace's sessions share a Service and a policy, and all sessions rely on the LISTs of a resync.

The reconciler reports each call's outcome; `known` gives what a decision may know of it. After a failure a call waits
1 s, then four times as long each time, two minutes at most, with jitter. An edit of the session or a person's request
ends its waits, because it may have mended the cause; so does a success.

A call that succeeds and has to be made again at once was undone: a webhook changed what was written, or somebody puts
back what was before. It waits like one that failed, and says so, or the two would write against each other for ever.

All durations are monotonic: a clock that is set neither shortens nor lengthens a wait.
"""

import logging
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import LAST_RETRY, Call, CallReason, FailedCall, Verb, is_same_failure, retry_delay
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.runtime.kube.errors import Conflict, Gone, KubeError, Refused, TooManyRequests, Unauthorized
from whatsapp_operator.runtime.process.clock import Clock, Jitter
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)

UNDONE_WITHIN: Final = 10.0
""" Seconds: a call that is made again so soon after it succeeded was undone. """
FORGOTTEN_AFTER: Final = 600.0
""" Seconds after which a failure counts no more whose next attempt nobody needed. """
TRYING: Final = 1.0
""" Seconds that a shared call waits which another session is just trying. """
_SHARED: Final = frozenset({"Service", "NetworkPolicy"})
""" Of these a namespace has one for all its sessions. """
_STAYS: Final = frozenset(
    {
        (Verb.CREATE, "Service"),
        (Verb.CREATE, "NetworkPolicy"),
        (Verb.PATCH, "NetworkPolicy"),
        (Verb.CREATE, "PersistentVolumeClaim"),
        (Verb.PATCH, "PersistentVolumeClaim"),
        (Verb.DELETE, "Pod"),
    }
)
""" Calls that are never needed twice in a row. Pods have a pace of their own, and Secrets are made again with each. """
_UNDONE: Final = "The API server took it, and it did not stay: a webhook or somebody else changes it back."
_PASSING: Final = (Conflict, Gone, TooManyRequests, Unauthorized)
""" Refusals that the next attempt may be spared. """


@dataclass
class _Failure:
    reason: str
    message: str
    refused: bool
    since: float
    due: float | None
    """ When it may be tried again, monotonic seconds; None: what was noted is no reason to wait. """
    failures: int = 1


@dataclass
class _Undone:
    at: float
    target: str = ""
    times: int = 0


@dataclass
class CallRecords:
    """The calls for one session, or for what the sessions of a namespace share."""

    log_fields: Mapping[str, str]
    """ Whose they are. """
    clock: Clock
    jitter: Jitter
    metrics: Metrics
    _failures: dict[Call, _Failure] = field(default_factory=dict)
    _succeeded: dict[Call, _Undone] = field(default_factory=dict)
    _trying: set[Call] = field(default_factory=set)

    def known(self) -> Iterator[FailedCall]:
        """Return the failures, as of now."""
        now = self.clock.monotonic()
        for call, failure in list(self._failures.items()):
            if failure.due is not None and now - failure.due > FORGOTTEN_AFTER:
                del self._failures[call]
                continue
            waits = TRYING if call in self._trying else _seconds(failure, now)
            yield FailedCall(
                call=call,
                reason=failure.reason,
                message=failure.message,
                refused=failure.refused,
                failures=failure.failures,
                lasted=timedelta(seconds=now - failure.since),
                retry_in=timedelta(seconds=waits),
            )

    def wait(self, call: Call) -> float:
        """Return the seconds until a call may be tried; 0: now."""
        failure = self._failures.get(call)
        return _seconds(failure, self.clock.monotonic()) if failure is not None else 0.0

    def has_failed(self, call: Call) -> bool:
        """Whether a call has failed and not succeeded since."""
        failure = self._failures.get(call)
        return failure is not None and failure.due is not None

    def find(self, call: Call) -> FailedCall | None:
        """Return the failure of a call, as of now; None: it has none."""
        return next((failed for failed in self.known() if failed.call == call), None)

    @contextmanager
    def trying(self, call: Call) -> Iterator[None]:
        """Mark a call that is being made."""
        self._trying.add(call)
        try:
            yield
        finally:
            self._trying.discard(call)

    def failed(self, call: Call, error: KubeError) -> None:
        """Record a failure."""
        refused = isinstance(error, Refused) and not isinstance(error, _PASSING)
        message = redacted(str(error), keep="start")
        self._record(call, error.reason, message, refused=refused, at_least=min(error.retry_after, LAST_RETRY))

    def note(self, call: Call, reason: str, message: str) -> None:
        """Record something that people are to know of a call that succeeded, until it is `settled`."""
        known = self._failures.get(call)
        if known is None or (known.reason, known.message) != (reason, message):
            self._failures[call] = _Failure(reason, message, refused=True, since=self.clock.monotonic(), due=None)

    def settled(self, call: Call, reason: str) -> None:
        """Forget what was noted for this reason."""
        known = self._failures.get(call)
        if known is not None and known.reason == reason:
            del self._failures[call]

    def succeeded(self, call: Call, *, target: str = "") -> None:
        """Forget the failure of a call; if it was made a moment before as well, it was undone.

        :param target: the UID of the object that the call was about; another object of that name is another matter.
        """
        failure = self._failures.get(call)
        if (call.verb, call.kind) in _STAYS and (times := self._undone(call, target)):
            known = failure.failures if failure is not None and failure.reason == CallReason.NOT_KEPT else 0
            if failure is not None and not known:
                del self._failures[call]
            self._record(call, CallReason.NOT_KEPT, _UNDONE, refused=False, count=max(times, known))
            return
        if failure is not None and failure.reason != CallReason.FIELDS_DROPPED:
            del self._failures[call]
            logger.info("Call succeeds again", extra={**self.log_fields, "call": str(call)})

    def retain(self, needed: Collection[Call]) -> None:
        """Forget failures of calls that are not needed any more; of one that was undone when its wait is over."""
        now = self.clock.monotonic()
        for call, failure in list(self._failures.items()):
            if call not in needed and (failure.reason != CallReason.NOT_KEPT or not _seconds(failure, now)):
                del self._failures[call]

    def lift(self) -> None:
        """End all waits."""
        now = self.clock.monotonic()
        for failure in self._failures.values():
            failure.due = min(failure.due, now) if failure.due is not None else None

    def _undone(self, call: Call, target: str) -> int:
        """Return how often in a row this success was undone."""
        now = self.clock.monotonic()
        last = self._succeeded.get(call)
        same = last is not None and last.target == target
        recent = last is not None and now - last.at < (2 * LAST_RETRY if last.times else UNDONE_WITHIN)
        times = last.times + 1 if last is not None and same and recent else 0
        self._succeeded[call] = _Undone(now, target, times)
        return times

    def _record(
        self, call: Call, reason: str, message: str, *, refused: bool, at_least: float = 0.0, count: int = 0
    ) -> None:
        now = self.clock.monotonic()
        known = self._failures.get(call)
        failures = count or (known.failures + 1 if known is not None else 1)
        due = now + max(at_least, self.jitter(retry_delay(failures)))
        self.metrics.failed_calls.labels(call.verb.name.lower(), call.kind).inc()
        if known is not None and known.reason == reason and is_same_failure(known.message, message):
            known.failures, known.due = failures, due
            return
        since = known.since if known is not None else now
        self._failures[call] = _Failure(reason, message, refused, since, due, failures)
        logger.warning(
            "Call failed, it is tried again",
            extra={**self.log_fields, "call": str(call), "reason": reason, "error": message},
        )


def _seconds(failure: _Failure, now: float) -> float:
    return max(0.0, failure.due - now) if failure.due is not None else 0.0


class SessionCalls:
    """The calls for one session: its own, those that it shares with its namespace, and those that all share."""

    def __init__(self, own: CallRecords, shared: CallRecords, everywhere: CallRecords) -> None:
        self.own = own
        self._shared = shared
        self._everywhere = everywhere
        self._asked: Hashable = None

    def records(self, call: Call) -> CallRecords:
        """Return where a call is recorded."""
        return self._shared if call.kind in _SHARED else self.own

    def known(self) -> tuple[FailedCall, ...]:
        """Return all failures, as of now."""
        return (*self._everywhere.known(), *self._shared.known(), *self.own.known())

    def ask(self, asked: Hashable) -> None:
        """Take note of what a person asks for; when it changes, everything may be tried at once."""
        if asked != self._asked:
            self.own.lift()
            self._asked = asked


class CallRegistry:
    """Hands out the records; those of namespaces are kept here."""

    def __init__(self, *, clock: Clock, jitter: Jitter, metrics: Metrics) -> None:
        self._clock = clock
        self._jitter = jitter
        self._metrics = metrics
        self._namespaces: dict[str, CallRecords] = {}
        self._everywhere = self._new({"about": "all sessions"})

    def of(self, session: ObjectKey) -> SessionCalls:
        """Return new records of a session."""
        return SessionCalls(self._new(session.log_fields), self.shared(session.namespace), self._everywhere)

    def shared(self, namespace: str | None) -> CallRecords:
        """Return the records of what the sessions of a namespace share; None: of what all sessions share."""
        if namespace is None:
            return self._everywhere
        return self._namespaces.setdefault(namespace, self._new({"namespace": namespace}))

    def apart(self, about: str) -> CallRecords:
        """Return new records of calls that are no session's."""
        return self._new({"about": about})

    def forget(self, namespace: str) -> None:
        """Drop the records of a namespace without sessions."""
        self._namespaces.pop(namespace, None)

    def _new(self, log_fields: Mapping[str, str]) -> CallRecords:
        return CallRecords(log_fields, self._clock, self._jitter, self._metrics)
