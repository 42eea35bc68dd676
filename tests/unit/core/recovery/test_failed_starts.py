"""Starts that did not come up: each counted once, the wait growing to its cap, whatever is written when."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.facts import T0, pod_facts
from whatsapp_operator.api.session import RecoverySpec, RecoveryStatus, SessionStatus
from whatsapp_operator.core.model import PodFacts, PodPhase, PodUID
from whatsapp_operator.core.recovery.causes import ENDS
from whatsapp_operator.core.recovery.failed_starts import Starts, with_starts
from whatsapp_operator.core.recovery.failure import Loss

SPEC = RecoverySpec()
BY_NAME = {cause.name: cause for cause in ENDS}
UNSTARTED = {PodUID("p1"): T0, PodUID("p2"): T0 + timedelta(seconds=1), PodUID("p3"): T0 + timedelta(seconds=2)}


def pod(
    uid: str = "p4", *, phase: PodPhase = PodPhase.PENDING, created: datetime = T0 + timedelta(seconds=3), **facts: Any
) -> PodFacts:
    """Return a pod."""
    return pod_facts(uid, phase=phase, created=created, **facts)


def record(
    recovery: RecoveryStatus,
    *,
    stored: str | None = None,
    replicas: int = 0,
    since: tuple[str, ...] = (),
    present: PodFacts | None = None,
    cause: str | None = None,
    now: datetime = T0 + timedelta(seconds=3),
) -> RecoveryStatus:
    """Return the record after these pods."""
    return with_starts(
        recovery,
        Starts(since_status=tuple(map(PodUID, since)), unstarted=UNSTARTED),
        status=SessionStatus(pod_uid=stored, replicas=replicas),
        pod=present,
        loss=Loss(BY_NAME[cause], cause, "") if cause is not None else None,
        spec=SPEC,
        now=now,
    )


def test_pods_that_are_gone_are_counted_with_the_one_in_status() -> None:
    """Those that ran are none of them; the wait is counted from the last one's creation."""
    found = record(RecoveryStatus(), stored="p1", replicas=1, since=("ran", "p2", "p3"))

    assert (3, T0 + timedelta(seconds=22)) == (found.failed_starts, found.next_attempt_time)


def test_what_status_knows_as_gone_is_counted_already() -> None:
    """One write tells of the pod that it is gone, and counts it."""
    assert RecoveryStatus() == record(RecoveryStatus(), stored="p1", replicas=0)


def test_a_pod_that_is_there_is_no_failed_start_yet() -> None:
    """Neither one that waits nor one that is being deleted."""
    assert RecoveryStatus() == record(RecoveryStatus(), stored="p1", replicas=1, present=pod("p1"))


def test_a_loss_waits_as_long_before_its_pod_is_gone_as_after() -> None:
    """The time that is told does not move when the object goes."""
    before = RecoveryStatus(failed_starts=2)
    lost = record(
        before, stored="p3", replicas=1, present=pod("p3", created=UNSTARTED[PodUID("p3")]), cause="NodeRefused"
    )
    after = record(lost, stored="p3", replicas=1)

    assert T0 + timedelta(seconds=22) == lost.next_attempt_time == after.next_attempt_time
    assert (2, 3) == (lost.failed_starts, after.failed_starts)


def test_a_pod_that_ran_is_replaced_at_once_but_for_what_would_come_again() -> None:
    """A page that an older runner could not fetch is tried again after baseDelay."""
    ran = pod(started=T0, finished=T0 + timedelta(seconds=3))

    assert record(RecoveryStatus(), present=ran, cause="NodePressure").next_attempt_time is None
    assert T0 + timedelta(seconds=8) == record(RecoveryStatus(), present=ran, cause="PageNotFetched").next_attempt_time


def test_a_runner_that_must_not_go_on_is_counted_once_and_waits_longer_each_time() -> None:
    """However often its pod is looked at, and whenever; 5, 10, 20 s after it ended."""
    found, waits = RecoveryStatus(), []
    for number in range(3):
        ended = T0 + timedelta(minutes=number, seconds=3)
        refused = pod(f"refused-{number}", started=T0 + timedelta(minutes=number), finished=ended)
        for after in (0, 1, 600):
            found = record(found, present=refused, cause="ProfileUnusable", now=ended + timedelta(seconds=after))
        assert found.next_attempt_time is not None
        waits.append((found.next_attempt_time - ended).total_seconds())

    assert ([5, 10, 20], 3) == (waits, found.failed_starts)


def test_a_pod_that_waited_for_long_needs_no_further_wait() -> None:
    """An hour of Pending is pace enough; the count goes on."""
    found = record(RecoveryStatus(), stored="p1", replicas=1, now=T0 + timedelta(hours=1))

    assert (1, None) == (found.failed_starts, found.next_attempt_time)


@given(st.integers(0, 200), st.timedeltas(timedelta(milliseconds=1), timedelta(minutes=5)))
def test_the_wait_never_shrinks_and_never_exceeds_its_cap(failed: int, base: timedelta) -> None:
    """However many there were; status keeps whole seconds."""
    spec = RecoverySpec(base_delay=base)
    waits = [
        (
            with_starts(
                RecoveryStatus(failed_starts=number),
                Starts(unstarted=UNSTARTED),
                status=SessionStatus(pod_uid="p1", replicas=1),
                pod=None,
                loss=None,
                spec=spec,
                now=T0,
            ).next_attempt_time
            or T0
        )
        - T0
        for number in (failed, failed + 1)
    ]

    assert timedelta() < waits[0] <= waits[1] <= timedelta(minutes=5)
