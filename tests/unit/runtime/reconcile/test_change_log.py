"""The lines at the level INFO that tell how sessions are: a change, a start, and all of them after a resync."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unit.runtime.fakes import FakeClock
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.runtime.reconcile.change_log import AGAIN_AFTER, HealthLog, has_started, log_change

KEY = ObjectKey("shop", "sales")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
STALLED = {"status": {"conditions": [{"type": "Stalled", "status": "True"}]}}


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    """As in production."""
    caplog.set_level(logging.INFO, logger="whatsapp_operator")


def status(state: str | None, **more: Any) -> SessionStatus:
    """A status of this state."""
    ready = {"type": "Ready", "status": "False", "reason": "WaitingForScan", "message": "x"}
    return SessionStatus.model_validate({"state": state, "conditions": [ready], **more})


def admitted(state: str, *, restarts: int = 0) -> SessionStatus:
    """A status with a reservation of a minute ago."""
    reserved = (NOW - timedelta(seconds=60)).isoformat()
    admission = {"quotaName": "shop", "reservedAt": reserved}
    return status(state, podName="sales", admission=admission, recovery={"restarts": restarts})


def test_a_change_names_both_states(caplog: pytest.LogCaptureFixture) -> None:
    """With the session and the reason, in fields."""
    log_change(KEY, status("Connected"), status("Offline"), now=NOW)

    (record,) = caplog.records
    assert ("INFO", "The state changed") == (record.levelname, record.message)
    fields = ("session", "namespace", "state", "previous_state", "reason")
    assert ["sales", "shop", "Offline", "Connected", "WaitingForScan"] == [record.__dict__[name] for name in fields]


def test_a_change_says_how_long_the_state_before_lasted(caplog: pytest.LogCaptureFixture) -> None:
    """By the times in status, so also over a restart of the operator; where one is missing, nothing is said."""
    before = status("Connected", stateTransitionTime="2026-01-01T11:00:00Z")
    after = status("Offline", stateTransitionTime="2026-01-01T11:30:00Z")
    log_change(KEY, before, after, now=NOW)
    log_change(KEY, status("Connected"), after, now=NOW)

    assert [1800.0, None] == [record.__dict__["duration_seconds"] for record in caplog.records]


def test_a_write_without_a_change_of_state_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """A log tells of changes."""
    log_change(KEY, status("Connected"), admitted("Connected"), now=NOW)

    assert [] == caplog.records


def test_a_start_says_how_long_it_took(caplog: pytest.LogCaptureFixture) -> None:
    """From the reservation to the page, whose quota and pod it names."""
    log_change(KEY, admitted("Loading"), admitted("QRPending"), now=NOW)

    started = caplog.records[-1]
    assert "The session has started" == started.message
    fields = ("session", "state", "pod", "quota", "duration_seconds")
    assert ["sales", "QRPending", "sales", "shop", 60.0] == [started.__dict__[name] for name in fields]


def test_a_later_start_does_not_count_from_the_reservation(caplog: pytest.LogCaptureFixture) -> None:
    """The reservation is as old as the first pod."""
    log_change(KEY, admitted("Recovering", restarts=1), admitted("Connected", restarts=1), now=NOW)

    assert ("The session has started", None) == (caplog.records[-1].message, caplog.records[-1].duration_seconds)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, "QRPending", True),
        ("Pending", "Syncing", True),
        ("Starting", "Connected", True),
        ("Loading", "QRPending", True),
        ("Loading", "ActionRequired", True),
        ("Loading", "Conflict", False),
        ("Loading", "LoadError", False),
        ("Starting", "Stalled", False),
        ("QRPending", "Connected", False),
        ("Reconnecting", "Connected", False),
        ("Unreachable", "Connected", False),
        ("Connected", None, False),
        ("Pending", "SomethingNew", False),
    ],
)
def test_a_start_ends_when_a_page_is_up(before: str | None, after: str | None, *, expected: bool) -> None:
    """Once for each pod, whichever states it goes through."""
    assert expected == has_started(before, after)


async def test_all_sessions_are_logged_when_that_is_new(caplog: pytest.LogCaptureFixture) -> None:
    """After each resync they are counted; the same figures are no news."""
    sessions, clock = [READY, READY], FakeClock()
    health_log = HealthLog(sessions=lambda: sessions, clock=clock)
    await health_log.report()
    await health_log.report()
    sessions.append(STALLED)
    await health_log.report()

    good, bad = caplog.records
    assert ("All sessions are healthy", "Not all sessions are healthy") == (good.message, bad.message)
    fields = ("sessions", "healthy", "resting", "failed", "waiting")
    assert [2, 2, 0, 0, 0] == [good.__dict__[name] for name in fields]
    assert [3, 2, 0, 1, 0] == [bad.__dict__[name] for name in fields]


async def test_the_same_figures_are_logged_again_some_day(caplog: pytest.LogCaptureFixture) -> None:
    """Silence would look the same as an operator that does nothing."""
    clock = FakeClock()
    health_log = HealthLog(sessions=lambda: [READY], clock=clock)
    await health_log.report()
    await clock.advance(AGAIN_AFTER + 1)
    await health_log.report()

    assert 2 == len(caplog.records)
