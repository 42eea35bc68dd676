"""What the operator reads of one pod and hears of its runner: ordinary ones, with the facts that a test is about."""

from datetime import UTC, datetime
from typing import Any

from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID, RunnerReport, SessionUID

T0 = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
""" When the story of a test begins. """


def pod_facts(uid: str = "pod-1", *, phase: PodPhase = PodPhase.RUNNING, **facts: Any) -> PodFacts:
    """Return what the API server says of a session's pod."""
    ordinary: dict[str, Any] = {"name": "sales", "owner_uid": SessionUID("session-1"), "created": T0}
    return PodFacts(uid=PodUID(uid), phase=phase, **ordinary | facts)


def runner_report(state: str, *, pod_uid: str = "pod-1", **more: Any) -> RunnerReport:
    """Return what the pod's runner answered last."""
    ordinary: dict[str, Any] = {
        "session_uid": SessionUID("session-1"),
        "revision": 1,
        "reason": "AsExpected",
        "message": "",
        "since": T0,
        "linked_time": None,
        "durable_time": None,
        "round": 0,
        "received": T0,
    }
    return RunnerReport(pod_uid=PodUID(pod_uid), state=state, **ordinary | more)
