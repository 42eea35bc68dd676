"""How long the next attempt waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.api.session import RecoverySpec
from whatsapp_operator.core.recovery.backoff import MAX_DELAY, delay, is_exhausted


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (6, 160), (7, 300), (8, 300)]
)
def test_each_failure_doubles_the_delay_up_to_five_minutes(failures: int, seconds: int) -> None:
    """With the default of 5 s."""
    assert timedelta(seconds=seconds) == delay(RecoverySpec(), failures=failures)


@given(st.integers(1, 10**6), st.timedeltas(timedelta(milliseconds=1), MAX_DELAY))
def test_the_delay_never_falls_and_never_exceeds_its_limit(failures: int, base: timedelta) -> None:
    """However often it failed, and however short the base."""
    spec = RecoverySpec(base_delay=base)

    assert delay(spec, failures=failures) <= delay(spec, failures=failures + 1) <= MAX_DELAY
    assert base <= delay(spec, failures=failures)


def test_the_failure_after_the_last_attempt_exhausts() -> None:
    """Five failures are answered with a new pod, the sixth is not."""
    answers = [is_exhausted(RecoverySpec(max_attempts=5), failures=failures) for failures in range(8)]

    assert [False] * 6 + [True] * 2 == answers
