"""Events that a namespace does not take: the newest are held and tried again, less and less often.

The recorder asks before it writes one. While a namespace refuses events, those that come are held here; when the wait is
over, all of them go back into the recorder's queue, and the first tells whether it still does. Sessions whose event was
refused are told of it, and again when one in their namespace was taken.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from whatsapp_operator.api.constants import SESSION_KIND
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.calls import LAST_RETRY, CallReason, retry_delay
from whatsapp_operator.core.decision import Event
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.resources import Json
from whatsapp_operator.runtime.process.clock import Clock, Jitter

HELD: Final = 32
""" Events of one namespace that are held; the oldest is dropped first. """

Outcome = Callable[[ObjectKey, KubeError | None], None]
""" Called with a session whose event failed, and without an error when events are taken again. """


class QueuedEvent(NamedTuple):
    """An event and the object that it is about, of which only the identifying fields are kept."""

    regarding: Json
    event: Event
    attempts: int = 0

    @property
    def namespace(self) -> str:
        """The namespace of the object, empty for one that has none."""
        return str(self.regarding["metadata"].get("namespace", ""))


@dataclass
class _Refusing:
    """A namespace that does not take events."""

    due: float
    failures: int = 0
    held: deque[QueuedEvent] = field(default_factory=deque)
    sessions: set[ObjectKey] = field(default_factory=set)


class HeldEvents:
    """Holds events back."""

    def __init__(
        self, *, clock: Clock, jitter: Jitter, again: Callable[[QueuedEvent], None], on_outcome: Outcome
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._again = again
        """ Puts an event back into the queue. """
        self._on_outcome = on_outcome
        self._namespaces: dict[str, _Refusing] = {}

    def takes(self, queued: QueuedEvent) -> bool:
        """Hold an event whose namespace refuses events at present; return whether it does."""
        refusing = self._namespaces.get(queued.namespace)
        if refusing is None or refusing.due <= self._clock.monotonic():
            return False
        if len(refusing.held) == HELD:
            refusing.held.popleft()
        refusing.held.append(queued)
        return True

    def failed(self, queued: QueuedEvent, error: KubeError) -> bool:
        """Record a failure; return whether it is news, and worth a line in the log."""
        if error.reason == CallReason.NAMESPACE_TERMINATING:
            return False
        now = self._clock.monotonic()
        is_new = queued.namespace not in self._namespaces
        refusing = self._namespaces.setdefault(queued.namespace, _Refusing(now))
        refusing.failures += 1
        delay = min(LAST_RETRY, max(error.retry_after, self._jitter(retry_delay(refusing.failures))))
        refusing.due = now + delay
        # One that failed more often than its namespace in a row is refused for itself: others were taken meanwhile.
        if queued.attempts < refusing.failures:
            refusing.held.append(queued._replace(attempts=queued.attempts + 1))
        self._clock.call_later(delay, lambda: self._release(queued.namespace))
        if queued.regarding["kind"] == SESSION_KIND:
            session = ObjectKey(queued.namespace, queued.regarding["metadata"]["name"])
            refusing.sessions.add(session)
            self._on_outcome(session, error)
        return is_new

    def succeeded(self, queued: QueuedEvent) -> None:
        """Record that the namespace takes events."""
        refusing = self._namespaces.pop(queued.namespace, None)
        if refusing is None:
            return
        for held in refusing.held:
            self._again(held)
        for session in refusing.sessions:
            self._on_outcome(session, None)

    def _release(self, namespace: str) -> None:
        refusing = self._namespaces.get(namespace)
        if refusing is None:
            return
        held, refusing.held = refusing.held, deque()
        if not held:  # nothing is left to be tried, so nothing is known any more
            self._namespaces.pop(namespace)
            for session in refusing.sessions:
                self._on_outcome(session, None)
        for queued in sorted(held, key=lambda queued: queued.attempts):  # one that is refused for itself comes last
            self._again(queued)
