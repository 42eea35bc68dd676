"""What is told of a browser that does not start: its words, its version and its image."""

import pytest
from whatsapp_operator.api.session import LastFailure, RecoveryStatus
from whatsapp_operator.core.recovery.browser_failure import LONGEST, browser_account
from whatsapp_operator.core.session.messages import backing_off, exhausted

ACCOUNT = "The browser did not start: it was ended by SIGTRAP. The browser's version is 157.0.7300.1."


def failure(reason: str = "LaunchFailed", *, code: int | None = 20, message: str | None = None) -> LastFailure:
    """Return a failure of a pod with this image."""
    last = f"{reason}: {ACCOUNT}" if message is None else message
    return LastFailure(reason=reason, exit_code=code, message=last, image="registry.example/runner:2")


@pytest.mark.parametrize(("reason", "code"), [("LaunchFailed", 20), ("PageCrashed", 30), ("BrowserExited", 32)])
def test_a_browser_that_fails_is_named(reason: str, code: int) -> None:
    """With the runner's words, which have the version, and the image, which only the operator knows."""
    account = browser_account(failure(reason, code=code))

    assert f" {ACCOUNT} The image is registry.example/runner:2." == account


@pytest.mark.parametrize(
    "other",
    [
        failure("LoadFailed", code=21),
        failure("OutOfMemory", code=33),
        failure("Crashed", code=None),
        LastFailure(),
    ],
)
def test_other_failures_are_not_the_browser_s(other: LastFailure) -> None:
    """They have their own words elsewhere."""
    assert "" == browser_account(other)


def test_what_is_not_known_is_left_out() -> None:
    """A kubelet that lost the message, a pod that lost its image."""
    assert " The image is registry.example/runner:2." == browser_account(failure(message=""))
    assert "" == browser_account(LastFailure(reason="LaunchFailed", exit_code=20))


def test_a_message_without_end_is_cut() -> None:
    """A condition is read by people; the whole of it stands in the record."""
    assert len(browser_account(failure(message="x" * 5000))) < LONGEST + 100


def test_waiting_and_stalled_sessions_say_it() -> None:
    """Where people look first."""
    recovery = RecoveryStatus(consecutive_failures=2, last_failure=failure())

    for shown in (backing_off(recovery), exhausted(recovery)):
        assert "failed 2 times in a row (last: LaunchFailed, exit code 20). The browser did not start" in shown.message
        assert "157.0.7300.1. The image is registry.example/runner:2." in shown.message
