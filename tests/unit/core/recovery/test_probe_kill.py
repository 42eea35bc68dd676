"""A container that the kubelet ended for a probe: told apart by events alone, and who was too slow is said."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import ExitCode
from support.facts import T0, pod_facts
from whatsapp_operator.core.kubelet import KubeletEvent, Probe, ProbeKill
from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID
from whatsapp_operator.core.recovery.failure import outcome_of
from whatsapp_operator.core.recovery.probe_kill import killed_by_probe, may_be_probe_kill, probe_failed

KILLED = pod_facts(
    phase=PodPhase.SUCCEEDED,
    started=T0,
    finished=T0 + timedelta(seconds=90),
    exit_code=0,
    exit_reason="Completed",
)
TOO_SLOW = (
    'Liveness probe failed: Get "http://10.0.0.7:8080/healthz": context deadline exceeded (Client.Timeout exceeded while '
    "awaiting headers)"
)


STOPPING = "Stopping container runner"
REFUSED = 'Startup probe failed: Get "http://10.0.0.7:8080/healthz": dial tcp: connect: connection refused'
NOT_READY = "Readiness probe failed: HTTP probe failed with statuscode: 503"


def event(note: str, after: float = 30, count: int = 1) -> KubeletEvent:
    """Return one that was recorded last so many seconds after the container's start."""
    return KubeletEvent(note=note, seen=T0 + timedelta(seconds=after), count=count)


def pod(**facts: Any) -> PodFacts:
    """Return the pod with other facts."""
    return dataclasses.replace(KILLED, **facts)


@pytest.mark.parametrize("code", [0, 40, 137, 143])
def test_a_probe_that_ended_the_container_is_the_reason(code: int) -> None:
    """However the runner took the signal; it counts, and pauses nobody else."""
    kill = ProbeKill(pod_uid=PodUID("pod-1"), probe=Probe.LIVENESS, note="context deadline exceeded")
    ended = pod(exit_code=code, exit_reason="Error", phase=PodPhase.FAILED)

    found = outcome_of(ended, report=None, responding=False, probe_kill=kill, now=T0 + timedelta(seconds=91))

    assert found.failure is not None
    assert ("LivenessProbeFailed", code) == (found.failure.reason, found.failure.exit_code)
    assert "its liveness probe failed: the runner did not answer /healthz in time" in (found.failure.message or "")


def test_another_pods_probe_says_nothing() -> None:
    """The events that were read are those of the pod before."""
    kill = ProbeKill(pod_uid=PodUID("pod-0"), probe=Probe.LIVENESS)

    found = outcome_of(KILLED, report=None, responding=False, probe_kill=kill, now=T0)

    assert "Stopped" == getattr(found.failure, "reason", "")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, True),
        ({"exit_code": ExitCode.STOP_INCOMPLETE}, True),
        ({"exit_code": 137}, True),
        ({"exit_code": 143}, True),
        ({"exit_code": 137, "exit_reason": "OOMKilled"}, False),
        ({"exit_code": 30}, False),
        ({"exit_code": 1}, False),
        ({"pod_reason": "Evicted"}, False),
        ({"disrupted": True}, False),
        ({"deletion": T0}, False),
        ({"finished": None, "exit_code": None, "phase": PodPhase.RUNNING}, False),
    ],
)
def test_events_are_asked_for_only_where_they_help(facts: dict[str, Any], *, expected: bool) -> None:
    """A pod that ended by itself, was evicted or deleted, or lives costs no request."""
    assert expected is may_be_probe_kill(pod(**facts), now=T0 + timedelta(seconds=91))


def test_an_end_is_judged_when_the_kubelet_has_reported_all_of_it() -> None:
    """A pod that is evicted may show the end of its container first; one with an injected sidecar goes on to run."""
    evicted = pod(phase=PodPhase.RUNNING, exit_code=137, exit_reason="Error")

    def judged(after: float, **facts: Any) -> tuple[str | None, bool]:
        at, ended = T0 + timedelta(seconds=90 + after), dataclasses.replace(evicted, **facts)
        found = outcome_of(ended, report=None, responding=False, now=at)
        if found.cause is None:
            assert T0 + timedelta(seconds=95) == found.deadline
        return found.cause.name if found.cause is not None else None, may_be_probe_kill(ended, now=at)

    assert (None, False) == judged(4)
    assert ("Signal", True) == judged(5)
    assert ("NodePressure", False) == judged(
        1, phase=PodPhase.FAILED, pod_reason="Evicted", pod_message="The node was low on resource: memory."
    )
    assert ("PageCrashed", False) == judged(0, exit_code=30)


@pytest.mark.parametrize(
    ("killing", "probe"),
    [
        ("Container runner failed liveness probe", Probe.LIVENESS),
        ("Container runner failed liveness probe, will be restarted", Probe.LIVENESS),
        ("Container runner failed startup probe", Probe.STARTUP),
        (STOPPING, None),
        ("", None),
        ("x" * 2000 + "failed liveness probe", None),
    ],
)
def test_the_kubelets_note_names_the_probe(killing: str, probe: Probe | None) -> None:
    """An ordinary stop is none."""
    found = killed_by_probe(KILLED, killing=[event(killing)], unhealthy=[])

    assert probe is (found.probe if found is not None else None)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        (TOO_SLOW, "Its own loop was too slow"),
        (
            'Liveness probe failed: Get "http://10.0.0.7:8080/healthz": dial tcp: i/o timeout',
            "Its own loop was too slow",
        ),
        (
            'Liveness probe failed: Get "http://10.0.0.7:8080/healthz": connect: connection refused',
            "nothing answered on",
        ),
        (
            'Liveness probe failed: Get "http://10.0.0.7:8080/healthz": connect: no route to host',
            "could not reach the pod",
        ),
        ("Liveness probe failed: HTTP probe failed with statuscode: 503", "answered /healthz with HTTP 503"),
        ("Liveness probe failed: of a spell", "of a spell."),
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", "gave no answer in time"),
        ("Startup probe failed: HTTP probe failed with statuscode: 500", "gave no answer in time"),
    ],
)
def test_who_was_too_slow_is_named(note: str, message: str) -> None:
    """By the last failure of the same probe."""
    found = killed_by_probe(KILLED, killing=[event("Container runner failed liveness probe")], unhealthy=[event(note)])

    assert found is not None
    assert message in probe_failed(found)


@pytest.mark.parametrize(
    ("unhealthy", "probe"),
    [
        ([event(REFUSED, 2), event(TOO_SLOW, 30, 6), event(NOT_READY, 29, 9)], Probe.LIVENESS),
        ([event(TOO_SLOW, 18, 6)], Probe.LIVENESS),
        ([event(REFUSED, 30, 12)], Probe.STARTUP),
        ([event(REFUSED, 2)], None),
        ([event(TOO_SLOW, 14, 2)], None),
        ([event(NOT_READY, 30, 9)], None),
        ([KubeletEvent(note=TOO_SLOW)], None),
        ([], None),
    ],
)
def test_a_kubelet_that_ends_the_whole_pod_names_no_probe(unhealthy: list[KubeletEvent], probe: Probe | None) -> None:
    """It is the one that failed last, if that was just before; a pod whose sandbox is gone is stopped like this, too."""
    found = killed_by_probe(KILLED, killing=[event(STOPPING, 30)], unhealthy=unhealthy)

    assert probe is (found.probe if found is not None else None)


@pytest.mark.parametrize(
    ("unhealthy", "lived", "probe"),
    [
        ([event(REFUSED, 22, 22)], 182, Probe.STARTUP),
        ([event(REFUSED, 22, 22)], 3600, None),
        ([event(REFUSED, 22, 22)], 20, None),
        ([event(REFUSED, 5, 5)], 182, None),
        ([event(REFUSED, 5, 5), event(TOO_SLOW, 40, 4), event(NOT_READY, 39, 9)], 125, Probe.LIVENESS),
        ([event(REFUSED, 5, 5), event(TOO_SLOW, 40, 4), event(NOT_READY, 39, 9)], 3600, None),
        ([event(TOO_SLOW, 40, 4)], 125, None),
        ([event(NOT_READY, 100, 22)], 125, None),
        ([], 125, None),
    ],
)
def test_when_no_more_events_are_recorded_the_failures_decide(
    unhealthy: list[KubeletEvent], lived: float, probe: Probe | None
) -> None:
    """Then the failures that it did tell are enough; a runner that somebody killed with a few of them was not ended so."""
    killed = pod(finished=T0 + timedelta(seconds=lived), exit_code=137)

    found = killed_by_probe(killed, killing=[], unhealthy=unhealthy)

    assert probe is (found.probe if found is not None else None)
