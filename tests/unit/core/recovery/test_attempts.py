"""Counting failures: once each, forgiven in time, and never a wait cut short."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.facts import T0, pod_facts
from whatsapp_operator.api.session import (
    HandledRequests,
    LastFailure,
    ObjectMeta,
    RecoverySpec,
    RecoveryStatus,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID
from whatsapp_operator.core.recovery import attempts
from whatsapp_operator.core.recovery.attempts import (
    healthy_at,
    is_after_failure,
    is_exhausted,
    is_recorded,
    with_active_pod,
    with_failure,
)
from whatsapp_operator.core.session.requests import read_requests

SPEC = RecoverySpec()
HELD = RecoveryStatus(
    consecutive_failures=3,
    last_failure=LastFailure(reason="OutOfMemory", exit_code=33, time=T0, pod_uid="pod-0"),
    next_attempt_time=T0 + timedelta(seconds=20),
    restarts=2,
)
FORGIVEN = HELD.model_copy(update={"consecutive_failures": 0, "next_attempt_time": None})


def pod(*, started: datetime = T0, **facts: Any) -> PodFacts:
    """Return a pod that runs since T0."""
    return pod_facts(started=started, **facts)


def failure(seconds: float, *, pod_uid: str = "pod-1") -> LastFailure:
    """Return a failure some seconds after the start."""
    return LastFailure(reason="PageCrashed", exit_code=30, time=T0 + timedelta(seconds=seconds), pod_uid=pod_uid)


def ended(seconds: float) -> PodFacts:
    """Return a pod whose container ended some seconds after its start."""
    return pod(phase=PodPhase.FAILED, finished=T0 + timedelta(seconds=seconds))


def session(
    *,
    recovery: RecoveryStatus | None = HELD,
    generation: int = 4,
    observed: int | None = 4,
    annotations: dict[str, str] | None = None,
    pod_uid: str = "pod-0",
) -> WhatsAppSession:
    """Return a session with this record."""
    return WhatsAppSession(
        metadata=ObjectMeta(name="sales", uid="session-1", generation=generation, annotations=annotations or {}),
        spec=SessionSpec(),
        status=SessionStatus(
            observed_generation=observed,
            recovery=recovery,
            pod_uid=pod_uid,
            handled_requests=HandledRequests(restart_at="old"),
        ),
    )


def stored_recovery(of: WhatsAppSession) -> RecoveryStatus:
    """Return what a decision about the session goes on from."""
    return attempts.stored_recovery(of, requested=read_requests(of, None).unrecorded)


def test_the_record_stays_while_nobody_changes_anything() -> None:
    """Also a request that was carried out already."""
    assert HELD == stored_recovery(session())
    assert HELD == stored_recovery(session(annotations={"wasession.dev/restart-at": "old"}))
    assert RecoveryStatus() == stored_recovery(session(recovery=None, observed=None))


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 5},
        {"annotations": {"wasession.dev/restart-at": "new"}},
        {"annotations": {"wasession.dev/relink-at": "new"}},
    ],
)
def test_an_edit_or_a_request_forgives(change: dict[str, Any]) -> None:
    """The fix is tried at once; what failed last is still told, and restarts are counted on."""
    assert FORGIVEN == stored_recovery(session(**change))


def test_a_failure_is_counted_and_timed() -> None:
    """The fourth in a row: 5 s · 2³ after it."""
    record = with_failure(HELD, failure(60), pod=ended(60), spec=SPEC)

    assert 4 == record.consecutive_failures
    assert failure(60) == record.last_failure
    assert T0 + timedelta(seconds=60 + 40) == record.next_attempt_time


def test_the_same_pods_failure_is_counted_once() -> None:
    """However often it is looked at, and however its facts are told later."""
    once = with_failure(HELD, failure(60), pod=ended(60), spec=SPEC)

    assert once == with_failure(once, failure(61), pod=ended(61), spec=SPEC)
    assert is_recorded(once, pod())
    assert not is_recorded(HELD, pod())


def test_the_failure_after_the_last_attempt_is_not_timed() -> None:
    """Nothing is waited for but a person."""
    five = HELD.model_copy(update={"consecutive_failures": 5})

    record = with_failure(five, failure(60), pod=ended(60), spec=SPEC)

    assert (6, None) == (record.consecutive_failures, record.next_attempt_time)
    assert is_exhausted(session(), record)
    assert not is_exhausted(session(), five)


def test_a_pod_that_ran_long_enough_begins_a_new_count() -> None:
    """Also when nobody was there to note it in time: the operator may have been away."""
    record = with_failure(HELD, failure(600), pod=ended(600), spec=SPEC)

    assert 1 == record.consecutive_failures
    assert T0 + timedelta(seconds=605) == record.next_attempt_time


def test_a_living_pod_ends_the_wait_and_in_time_the_count() -> None:
    """After ten minutes of one container running, linked or not."""
    before = with_active_pod(HELD, pod(), spec=SPEC, now=T0 + timedelta(seconds=599))
    after = with_active_pod(HELD, pod(), spec=SPEC, now=T0 + timedelta(seconds=600))

    assert HELD.model_copy(update={"next_attempt_time": None}) == before
    assert FORGIVEN == after


def test_a_pod_that_has_not_started_is_not_healthy() -> None:
    """However long it is pending."""
    assert healthy_at(pod(started=None), spec=SPEC) is None
    assert healthy_at(ended(5), spec=SPEC) is None
    assert T0 + timedelta(minutes=10) == healthy_at(pod(), spec=SPEC)


def test_only_a_counted_failure_of_the_last_pod_is_recovery() -> None:
    """A pause stops those, and neither first starts nor the replacement of lost pods."""
    assert is_after_failure(session(), HELD)
    assert not is_after_failure(session(pod_uid="pod-9"), HELD)
    assert not is_after_failure(session(), FORGIVEN)
    assert not is_after_failure(session(), RecoveryStatus())


@given(
    st.lists(st.floats(0.001, 30), min_size=1, max_size=12),
    st.timedeltas(timedelta(milliseconds=1), timedelta(minutes=5)),
    st.integers(1, 12),
)
def test_no_wait_is_shorter_than_the_one_before(runs: list[float], base: timedelta, attempts: int) -> None:
    """Failing again and again, in parts of seconds: each wait is at least baseDelay·2^(n−1), as status keeps times."""
    spec = RecoverySpec(base_delay=base, max_attempts=attempts)
    record, now, waits = RecoveryStatus(), T0, []
    for number, run in enumerate(runs, start=1):
        started, now = now, now + timedelta(seconds=run)
        failed = pod(uid=PodUID(f"pod-{number}"), started=started, finished=now, phase=PodPhase.FAILED)
        record = with_failure(
            record, LastFailure(reason="PageCrashed", time=now, pod_uid=failed.uid), pod=failed, spec=spec
        )
        assert number == record.consecutive_failures
        if record.next_attempt_time is None:
            assert number > attempts
            break
        waits.append(record.next_attempt_time - now)
        now = record.next_attempt_time
    assert all(min(base * 2**n, timedelta(minutes=5)) - timedelta(seconds=1) <= wait for n, wait in enumerate(waits))
