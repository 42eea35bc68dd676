"""Reads an event that the kubelet has recorded about a pod. Like `facts`, it never fails: what is odd is unknown."""

from typing import Final

from whatsapp_operator.api.constants import RUNNER_CONTAINER
from whatsapp_operator.core.kubelet import KubeletEvent
from whatsapp_operator.core.objects.reading import Json, free_text, part, text, time

_OF_THE_RUNNER: Final = ("", f"spec.containers{{{RUNNER_CONTAINER}}}")


def kubelet_event(event: Json) -> KubeletEvent | None:
    """Return an event of `events.k8s.io`; None: it is about another container of the pod.

    Kubelets write it through the older API, whose times and count have names of their own here.
    """
    if text(part(event, "regarding"), "fieldPath") not in _OF_THE_RUNNER:
        return None
    series = part(event, "series")
    counts = (series.get("count"), event.get("deprecatedCount"))
    return KubeletEvent(
        note=free_text(event, "note", keep="start"),
        seen=time(series, "lastObservedTime") or time(event, "deprecatedLastTimestamp") or time(event, "eventTime"),
        count=next((count for count in counts if isinstance(count, int) and count > 0), 1),
    )
