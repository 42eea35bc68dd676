"""Failed calls: when people hear of one, how long it waits, and which message is news."""

from datetime import timedelta

import pytest
from whatsapp_operator.core.calls import LAST_RETRY, PATIENCE, Call, FailedCall, Verb, is_same_failure, retry_delay

CALL = Call(Verb.CREATE, "Pod", "a")


def failed(*, refused: bool = False, failures: int = 1, lasted: timedelta = timedelta()) -> FailedCall:
    """Return a failed call."""
    return FailedCall(call=CALL, reason="R", message="m", refused=refused, failures=failures, lasted=lasted)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (failed(refused=True), True),
        (failed(), False),
        (failed(failures=2), False),
        (failed(lasted=PATIENCE), False),
        (failed(failures=2, lasted=PATIENCE), True),
    ],
)
def test_a_refusal_is_shown_at_once_and_a_blip_never(call: FailedCall, *, shown: bool) -> None:
    """What may pass has to have failed twice, and for a while."""
    assert shown is call.is_shown


def test_the_waits_grow_up_to_minutes() -> None:
    """Six attempts in five minutes."""
    waits = [retry_delay(failures) for failures in range(1, 8)]

    assert [1.0, 4.0, 16.0, 64.0, LAST_RETRY, LAST_RETRY, LAST_RETRY] == waits
    assert LAST_RETRY == retry_delay(10_000)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("no", "no", True),
        ("dial 10.0.0.1:443", "dial 10.0.0.2:8443", True),
        ("used: pods=10", "used: pods=11", True),
        ("exceeded quota: none", "denied by a policy", False),
    ],
)
def test_numbers_make_no_news(one: str, other: str, *, same: bool) -> None:
    """Ports, addresses and counts differ with each attempt."""
    assert same is is_same_failure(one, other)


def test_a_call_names_itself() -> None:
    """By what it does, to which kind, and to which object."""
    assert "update the status of WhatsAppSession a" == str(Call(Verb.UPDATE_STATUS, "WhatsAppSession", "a"))
