"""Events of the kubelet as `events.k8s.io` shows them, whichever API it wrote them through."""

from datetime import UTC, datetime
from typing import Any

import pytest
from whatsapp_operator.core.kubelet import KubeletEvent
from whatsapp_operator.core.objects.kubelet_events import kubelet_event

SEEN = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"note": "n", "eventTime": None, "deprecatedLastTimestamp": "2026-07-01T12:00:30Z", "deprecatedCount": 6},
            KubeletEvent(note="n", seen=SEEN, count=6),
        ),
        (
            {
                "note": "n",
                "eventTime": "2026-07-01T12:00:00.000000Z",
                "series": {"count": 6, "lastObservedTime": "2026-07-01T12:00:30.000000Z"},
                "regarding": {"fieldPath": "spec.containers{runner}"},
            },
            KubeletEvent(note="n", seen=SEEN, count=6),
        ),
        ({"note": "n", "eventTime": "2026-07-01T12:00:30.000000Z"}, KubeletEvent(note="n", seen=SEEN)),
        ({"note": 7, "deprecatedCount": "x", "deprecatedLastTimestamp": "soon", "series": []}, KubeletEvent(note="")),
        ({"note": "n", "deprecatedCount": -1}, KubeletEvent(note="n")),
        ({"note": "n", "regarding": {"fieldPath": "spec.containers{proxy}"}}, None),
        ({"note": "n", "regarding": {"fieldPath": "spec.initContainers{runner}"}}, None),
    ],
)
def test_note_time_and_count_are_read(event: dict[str, Any], expected: KubeletEvent | None) -> None:
    """What is odd is unknown, and what is about another container is left out."""
    assert expected == kubelet_event(event)
