"""Whether the kubelet refuses a pod its user namespace, which it tells in an event and nowhere else.

The reconciler asks for a pod that has waited too long; a pod that starts in time costs no request. What the event says is
looked at and never shown: it is text from outside.
"""

from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.core.model import PodFacts, PodUID
from whatsapp_operator.core.objects.reading import free_text
from whatsapp_operator.core.recovery.refusal import EVENT_REASON, is_about_namespaces
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.resources import EVENTS
from whatsapp_operator.runtime.process.clock import Clock

FIRST_REREAD: Final = 30.0
""" Seconds between two reads about the same pod, then twice as long each time, … """
LAST_REREAD: Final = 120.0
""" … and so long at most. """


@dataclass
class NamespaceRefusals:
    """What the events said of one session's present pod."""

    kube: Kube
    clock: Clock
    _pod: PodUID | None = None
    _read: float = field(default=0.0)
    _interval: float = FIRST_REREAD
    _refused: bool = False

    def of(self, pod: PodUID) -> bool:
        """Whether this pod was refused one, as of the last read."""
        return self._refused and self._pod == pod

    async def read(self, pod: PodFacts, *, namespace: str) -> None:
        """Read the pod's events, unless that was done a moment ago.

        :raises KubeError: the request failed. Without the right to read events nothing is known, and the pod waits.
        """
        now = self.clock.monotonic()
        if self._pod == pod.uid and now - self._read < self._interval:
            return
        fields = f"regarding.uid={pod.uid},reason={EVENT_REASON}"
        events = (await self.kube.list(EVENTS, namespace=namespace, fields=fields)).objects
        self._interval = min(LAST_REREAD, self._interval * 2) if self._pod == pod.uid else FIRST_REREAD
        self._pod, self._read = pod.uid, now
        self._refused = any(is_about_namespaces(free_text(event, "note", keep="start")) for event in events)
