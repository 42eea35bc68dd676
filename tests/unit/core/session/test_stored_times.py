"""Times in status that cannot be are replaced; all others stay as they are."""

from datetime import timedelta

import pytest
from support.facts import T0
from whatsapp_operator.api.session import (
    AdmissionStatus,
    LastFailure,
    ObjectMeta,
    RecoveryStatus,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.recovery.backoff import MAX_DELAY
from whatsapp_operator.core.session.stored_times import TOLERANCE, with_sensible_times

SECOND, YEARS = timedelta(seconds=1), timedelta(days=3653)


def session(*, next_attempt: timedelta, failure: timedelta, reserved: timedelta, state: timedelta) -> WhatsAppSession:
    """Return a session with these times, from now on."""
    return WhatsAppSession(
        metadata=ObjectMeta(name="sales", namespace="shop", uid="session-1"),
        spec=SessionSpec(),
        status=SessionStatus(
            recovery=RecoveryStatus(
                consecutive_failures=1,
                next_attempt_time=T0 + next_attempt,
                last_failure=LastFailure(time=T0 + failure, pod_uid="p"),
            ),
            admission=AdmissionStatus(quota_name="default", reserved_at=T0 + reserved),
            state_transition_time=T0 + state,
        ),
    )


@pytest.mark.parametrize("shift", [-YEARS, -SECOND, timedelta()])
def test_what_can_be_stays(shift: timedelta) -> None:
    """The past, however long ago; a wait as long as one may be; a clock that was a little ahead."""
    ahead = shift + TOLERANCE
    usual = session(next_attempt=shift + MAX_DELAY, failure=ahead, reserved=ahead, state=ahead)

    assert usual is with_sensible_times(usual, now=T0)


def test_what_is_to_come_is_of_now() -> None:
    """A next attempt later than any may be is due; a failure, a reservation and a state cannot be of the future."""
    odd = session(next_attempt=YEARS, failure=YEARS, reserved=YEARS, state=YEARS)
    found = with_sensible_times(odd, now=T0).status

    assert found.recovery is not None
    assert found.recovery.last_failure is not None
    assert found.admission is not None
    assert (T0,) * 4 == (
        found.recovery.next_attempt_time,
        found.recovery.last_failure.time,
        found.admission.reserved_at,
        found.state_transition_time,
    )
    assert (1, "p") == (found.recovery.consecutive_failures, found.recovery.last_failure.pod_uid)


def test_nothing_is_corrected_where_nothing_is() -> None:
    """A session without status."""
    new = WhatsAppSession(metadata=ObjectMeta(name="sales", namespace="shop", uid="session-1"), spec=SessionSpec())

    assert new is with_sensible_times(new, now=T0)
