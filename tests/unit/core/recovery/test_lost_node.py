"""A pod whose node does not answer: seen by what the cluster leaves in the pod, and never mistaken for a slow start."""

from datetime import timedelta
from typing import Any

import pytest
from session_protocol.times import format_time
from support.facts import T0
from whatsapp_operator.core.objects.facts import pod_facts
from whatsapp_operator.core.recovery.lost_node import MARGIN, Doubt, termination_of

Json = dict[str, Any]


def pod(*conditions: Json, **more: Any) -> Json:
    """Return a pod that runs on a node, with these conditions."""
    running = {"name": "runner", "state": {"running": {"startedAt": format_time(T0)}}, "ready": True}
    return {
        "metadata": {"name": "sales", "uid": "pod-1", "creationTimestamp": format_time(T0)} | more.pop("metadata", {}),
        "spec": {"nodeName": "node-1"} | more.pop("spec", {}),
        "status": {"phase": "Running", "conditions": list(conditions), "containerStatuses": [running]} | more,
    }


def condition(kind: str, status: str, reason: str = "") -> Json:
    """Return a condition."""
    return {"type": kind, "status": status} | ({"reason": reason} if reason else {})


def doubt(of: Json, *, after: float = 0) -> Doubt | None:
    """Return why the pod's node is in doubt, some seconds after T0."""
    return termination_of(pod_facts(of), now=T0 + timedelta(seconds=after)).doubt


@pytest.mark.parametrize(
    "silent",
    [
        # what the node controller leaves: it changes the status alone
        pod(condition("Ready", "False"), condition("ContainersReady", "True")),
        pod(condition("Ready", "Unknown")),
        pod(condition("Ready", "False", "NodeNotReady")),
        pod(condition("Ready", "False", "NodeStatusUnknown"), condition("ContainersReady", "False")),
        pod(phase="Unknown"),
        pod(reason="NodeLost", message="Node node-1 which was running pod sales is unresponsive"),
    ],
)
def test_a_node_that_does_not_report_is_known_by_its_pods(silent: Json) -> None:
    """At once, deleted or not."""
    assert Doubt.NODE_SILENT is doubt(silent)
    deleted = silent | {"metadata": silent["metadata"] | {"deletionTimestamp": format_time(T0 + timedelta(seconds=60))}}
    assert Doubt.NODE_SILENT is doubt(deleted)


@pytest.mark.parametrize(
    "alive",
    [
        pod(condition("Ready", "True"), condition("ContainersReady", "True")),
        # what a kubelet leaves
        pod(
            condition("Ready", "False", "ContainersNotReady"),
            condition("ContainersReady", "False", "ContainersNotReady"),
        ),
        pod(condition("Ready", "False", "ReadinessGatesNotReady"), condition("ContainersReady", "True")),
        pod(condition("Ready", "False")),
        pod(),
        pod(condition("Ready", "False"), condition("ContainersReady", "True"), spec={"nodeName": ""}),
    ],
)
def test_a_pod_that_is_not_ready_has_its_node(alive: Json) -> None:
    """A slow runner, a readiness gate that somebody added, a pod without a node."""
    assert doubt(alive) is None


def test_a_pod_that_outlives_its_time_is_in_doubt() -> None:
    """The time by which it has to be gone is in the pod; some seconds more are for clocks."""
    deleted = pod(
        condition("Ready", "True"),
        metadata={"deletionTimestamp": format_time(T0 + timedelta(seconds=60)), "deletionGracePeriodSeconds": 60},
    )
    due = 60 + MARGIN.total_seconds()

    assert doubt(deleted, after=due - 1) is None
    assert T0 + timedelta(seconds=due) == termination_of(pod_facts(deleted), now=T0).deadline
    assert Doubt.END_OVERDUE is doubt(deleted, after=due)
    assert termination_of(pod_facts(deleted), now=T0 + timedelta(seconds=due)).deadline is None


def test_a_pod_that_has_ended_and_stays_is_its_finalizers_matter() -> None:
    """Named, so that a person finds who set them; a pod that has ended without any is only waited for."""
    times = {"deletionTimestamp": format_time(T0)}
    ended = {"phase": "Succeeded", "reason": "", "containerStatuses": []}

    assert Doubt.KEPT_BY_FINALIZERS is doubt(pod(metadata=times | {"finalizers": ["x.example/y"]}, **ended), after=60)
    assert doubt(pod(metadata=times, **ended), after=60) is None
