"""Sessions that only a person may start again."""

import dataclasses
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from support.facts import T0, pod_facts, runner_report
from whatsapp_operator.api.conditions import Condition, ConditionStatus
from whatsapp_operator.api.session import (
    HandledRequests,
    LinkStatus,
    ObjectMeta,
    Reason,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.model import PodFacts, RunnerReport, SessionUID
from whatsapp_operator.core.session.holds import (
    ends_hold,
    find_holds,
    reported_hold,
    stored_hold,
)
from whatsapp_operator.core.session.requests import handled_requests, read_requests

UID = SessionUID("session-1")
POD = pod_facts()
HOLD_REPORTS = [
    (RunnerState.CONFLICT, StateReason.OTHER_TAB, Reason.CONFLICT),
    (RunnerState.CONFLICT, StateReason.REPLACED, Reason.CONFLICT),
    (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, Reason.TEMPORARILY_BANNED),
    (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, Reason.LOGGED_OUT),
    (RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, RunnerState.LINK_EXPIRED),
]


def report(state: str, reason: str = "AsExpected") -> RunnerReport:
    """Return what the runner of the pod says."""
    return runner_report(state, reason=reason)


def session(
    hold: Reason | None = None, *, restart: str | None = None, relink: str | None = None, **handled: str
) -> WhatsAppSession:
    """Return a session that is stalled for this reason and has these requests."""
    asked = {"wasession.dev/restart-at": restart, "wasession.dev/relink-at": relink}
    stalled = Condition(type="Stalled", status=ConditionStatus.TRUE, reason=str(hold))
    return WhatsAppSession(
        metadata=ObjectMeta(name="sales", uid=UID, annotations={key: value for key, value in asked.items() if value}),
        spec=SessionSpec(),
        status=SessionStatus(
            conditions=(stalled,) if hold else (), handled_requests=HandledRequests.model_validate(handled)
        ),
    )


def active_hold(of: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return why no pod may be created for the session now."""
    return find_holds(of.status, read_requests(of, pod), report).active


def status_hold(of: WhatsAppSession, *, pod: PodFacts | None, report: RunnerReport | None) -> str | None:
    """Return what status is to keep."""
    return find_holds(of.status, read_requests(of, pod), report).status


@pytest.mark.parametrize(("state", "reason", "hold"), HOLD_REPORTS)
def test_the_reports_that_hold(state: RunnerState, reason: StateReason, hold: str) -> None:
    """Conflict, ban, a logout that must wait, and codes that nobody scanned; it has the runner's word."""
    assert hold == reported_hold(report(state, reason))
    assert hold == active_hold(session(), pod=POD, report=report(state, reason))


def test_a_logout_that_relinks_by_itself_does_not_stop() -> None:
    """It shows a new QR code."""
    assert reported_hold(report(RunnerState.LOGGED_OUT, StateReason.RELINKING)) is None


@pytest.mark.parametrize("hold", [Reason.CONFLICT, Reason.TEMPORARILY_BANNED, Reason.LOGGED_OUT])
def test_the_condition_is_the_memory(hold: Reason) -> None:
    """Without a pod and without a report it holds, also for an operator that has just started."""
    assert hold == stored_hold(session(hold).status)
    assert hold == active_hold(session(hold), pod=None, report=None)


def test_of_used_up_codes_the_time_is_the_memory() -> None:
    """Such a session is not Stalled; a hold that is goes before."""
    link = LinkStatus(expired_time=T0)
    expired = session().with_status(session().status.model_copy(update={"link": link}))
    both = session(Reason.CONFLICT)
    both = both.with_status(both.status.model_copy(update={"link": link}))

    assert RunnerState.LINK_EXPIRED == stored_hold(expired.status)
    assert RunnerState.LINK_EXPIRED == active_hold(expired, pod=None, report=None)
    assert Reason.CONFLICT == stored_hold(both.status)


@pytest.mark.parametrize("reason", [Reason.RECOVERY_EXHAUSTED, Reason.NAME_TAKEN, Reason.INVALID_OBJECT])
def test_other_reasons_of_stalled_are_no_stop(reason: Reason) -> None:
    """They have their own ways out."""
    assert stored_hold(session(reason).status) is None


@pytest.mark.parametrize(
    "state",
    [
        RunnerState.CONNECTED,
        RunnerState.SYNCING,
        RunnerState.RESTRICTED,
        RunnerState.QR_PENDING,
        RunnerState.PASSKEY_REQUIRED,
    ],
)
def test_a_report_of_another_state_ends_the_hold(state: RunnerState) -> None:
    """The other window was closed, the ban has passed, somebody scanned anew."""
    assert ends_hold(report(state))
    assert active_hold(session(Reason.CONFLICT), pod=POD, report=report(state)) is None


def test_a_logout_that_relinks_is_over_too() -> None:
    """The session is on its way to a new code."""
    relinking = report(RunnerState.LOGGED_OUT, StateReason.RELINKING)

    assert active_hold(session(Reason.LOGGED_OUT), pod=POD, report=relinking) is None


@pytest.mark.parametrize(
    "state",
    [
        RunnerState.STOPPING,
        RunnerState.STARTING,
        RunnerState.LOADING,
        RunnerState.OFFLINE,
        RunnerState.RECONNECTING,
        RunnerState.CRASHED,
        RunnerState.UNRESPONSIVE,
        RunnerState.DEGRADED,
        "Hibernating",
    ],
)
def test_no_other_report_ends_a_hold(state: str) -> None:
    """An evicted pod says Stopping, a conflict without network looks Offline, an unknown word says nothing."""
    assert not ends_hold(report(state))
    assert Reason.CONFLICT == active_hold(session(Reason.CONFLICT), pod=POD, report=report(state))


@pytest.mark.parametrize("state", [RunnerState.OFFLINE, RunnerState.RECONNECTING])
def test_a_page_that_goes_on_after_a_ban_ends_it(state: RunnerState) -> None:
    """It would show the ban first, so it is over although nothing is connected."""
    assert active_hold(session(Reason.TEMPORARILY_BANNED), pod=POD, report=report(state)) is None


@pytest.mark.parametrize("request_", [{"restart": "now"}, {"relink": "now"}])
def test_a_request_ends_the_stop(request_: dict[str, Any]) -> None:
    """Either of them, whether a pod is there or not."""
    assert active_hold(session(Reason.CONFLICT, **request_), pod=None, report=None) is None
    assert active_hold(session(Reason.CONFLICT, **request_), pod=POD, report=None) is None


@pytest.mark.parametrize("request_", [{"restart": "now"}, {"relink": "now"}])
def test_a_hold_is_reported_until_a_pod_carries_the_request(request_: dict[str, Any]) -> None:
    """The annotation can be taken away before; then nothing else remembers."""
    asked = session(Reason.CONFLICT, **request_)
    carries = dataclasses.replace(POD, **{f"{name}_at": value for name, value in request_.items()})

    assert Reason.CONFLICT == status_hold(asked, pod=None, report=None)
    assert Reason.CONFLICT == status_hold(asked, pod=POD, report=report(RunnerState.CONFLICT))
    assert status_hold(asked, pod=POD, report=report(RunnerState.CONNECTED)) is None
    assert status_hold(asked, pod=carries, report=None) is None


def test_the_report_of_a_pod_that_is_replaced_on_request_begins_no_hold() -> None:
    """Only what was remembered is told on; the next pod speaks for itself."""
    assert status_hold(session(restart="now"), pod=POD, report=report(RunnerState.CONFLICT)) is None


def test_a_request_that_was_carried_out_ends_nothing() -> None:
    """It is of before."""
    assert Reason.CONFLICT == active_hold(
        session(Reason.CONFLICT, restart="old", restart_at="old"), pod=None, report=None
    )


def test_the_report_of_the_pod_that_is_replaced_is_outdated() -> None:
    """It says Conflict until it is gone; the request counts."""
    asked = session(Reason.CONFLICT, restart="now")

    assert active_hold(asked, pod=POD, report=report(RunnerState.CONFLICT)) is None


def test_the_report_of_the_requested_pod_counts_at_once() -> None:
    """The request is carried out by it; when it is in a conflict again, it stops again, before that is written too."""
    asked = session(Reason.CONFLICT, restart="now")
    new = dataclasses.replace(POD, restart_at="now")

    assert Reason.CONFLICT == active_hold(asked, pod=new, report=report(RunnerState.CONFLICT))
    assert active_hold(asked, pod=new, report=None) is None


def test_the_last_report_of_a_pod_that_is_gone_counts() -> None:
    """It was heard and the pod was lost before anybody could write it down."""
    assert Reason.CONFLICT == active_hold(session(), pod=None, report=report(RunnerState.CONFLICT))


def test_a_request_is_handled_once_a_pod_carries_it() -> None:
    """Only the value that is asked for now; taking the annotation away changes nothing."""
    new = dataclasses.replace(POD, restart_at="now", relink_at="then")
    before = HandledRequests(restart_at="old")

    assert before == handled_requests(session(restart="now", restart_at="old"), None)
    assert before == handled_requests(session(restart="now", restart_at="old"), POD)
    assert HandledRequests(restart_at="now") == handled_requests(session(restart="now", restart_at="old"), new)
    assert HandledRequests(relink_at="then") == handled_requests(session(relink="then"), new)
    assert before == handled_requests(session(restart_at="old"), new)
