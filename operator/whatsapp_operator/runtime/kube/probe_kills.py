"""Whether the kubelet ended a container because a probe of it failed, which it tells in events and nowhere else.

It evicts a pod for its own use of the disk the same way, when the container ends with 0: its phase is Succeeded then, and
the kubelet keeps its reason only where it is Failed.

The reconciler asks for a pod whose container ended as if it had been asked to; it is asked once for each. Of the events'
words, which are text from outside, only known ones count, and what is shown went through the core's redaction.
"""

import logging
from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.core.kubelet import Eviction, KubeletEvent, ProbeKill
from whatsapp_operator.core.model import PodFacts, PodUID
from whatsapp_operator.core.objects.kubelet_events import kubelet_event
from whatsapp_operator.core.recovery.probe_kill import KILLING, UNHEALTHY, killed_by_probe
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.resources import EVENTS

EVICTED: Final = "Evicted"
""" The kubelet's event, and the pod's reason, about a pod that it evicts. """

logger = logging.getLogger(__name__)


@dataclass
class ProbeKills:
    """What the events said of one session's last pod."""

    kube: Kube
    _pod: PodUID | None = None
    _found: ProbeKill | Eviction | None = field(default=None)

    async def read(self, pod: PodFacts, *, namespace: str) -> ProbeKill | Eviction | None:
        """Return what the pod's events say.

        If they cannot be read, nothing is known: the end of the pod is recorded all the same, by its exit code.
        """
        if self._pod != pod.uid:
            found = await self._read(pod, namespace=namespace)
            self._pod, self._found = pod.uid, found
        return self._found

    async def _read(self, pod: PodFacts, *, namespace: str) -> ProbeKill | Eviction | None:
        if evicted := await self._read_events(pod, EVICTED, namespace=namespace):
            return Eviction(pod_uid=pod.uid, note=evicted[0].note)
        killing = await self._read_events(pod, KILLING, namespace=namespace)
        unhealthy = await self._read_events(pod, UNHEALTHY, namespace=namespace)
        return killed_by_probe(pod, killing=killing, unhealthy=unhealthy)

    async def _read_events(self, pod: PodFacts, reason: str, *, namespace: str) -> list[KubeletEvent]:
        fields = f"regarding.uid={pod.uid},reason={reason}"
        try:
            events = (await self.kube.list(EVENTS, namespace=namespace, fields=fields)).objects
        except KubeError as error:
            logger.warning(
                "Events could not be read, so a probe that ended a pod is not named",
                extra={"namespace": namespace, "error": str(error)},
            )
            return []
        return [found for event in events if (found := kubelet_event(event)) is not None]
