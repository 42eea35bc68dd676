"""A pod whose tokens come from a key that is gone: its session says so, and not what a silent runner is told."""

from dataclasses import replace
from datetime import timedelta

from support.facts import T0, pod_facts, runner_report
from whatsapp_operator.api.session import ObjectMeta, SessionSpec, SessionStatus, WhatsAppSession
from whatsapp_operator.core.model import (
    Defaults,
    KeyID,
    Observation,
    PodPhase,
    SessionUID,
)
from whatsapp_operator.core.session.decide import decide

UID = SessionUID("session-1")
KEY = KeyID("20260101t000000-abcdef")
POD = pod_facts(started=T0, key_id=KEY)
OBSERVATION = Observation(
    session=WhatsAppSession(
        metadata=ObjectMeta(name="sales", namespace="shop", uid=UID, creation_timestamp=T0), spec=SessionSpec()
    ),
    now=T0 + timedelta(seconds=30),
    pods=(POD,),
    lost_key=KEY,
    renew_at=T0 + timedelta(minutes=20),
)
DEFAULTS = Defaults(runner_image="runner:1")


def status(observation: Observation) -> SessionStatus:
    """Return the status that is decided."""
    return decide(observation, DEFAULTS).status


def ready(observation: Observation) -> tuple[str, str, str]:
    """Return status, reason and message of Ready."""
    found = next(condition for condition in status(observation).conditions if condition.type == "Ready")
    return found.status, found.reason, found.message


def test_it_is_reported_at_once_with_what_to_do() -> None:
    """Which key, when a new pod follows, how to have it now; nothing of networks."""
    state, reason, message = ready(OBSERVATION)

    assert ("Unreachable", "Unknown", "RunnerUnreachable") == (status(OBSERVATION).state, state, reason)
    assert all(part in message for part in (KEY, "2026-11-22T18:20:00Z", "wasession.dev/restart-at", "backup"))
    assert "NetworkPolicy" not in message


def test_the_message_stays_while_nothing_happens() -> None:
    """Each change would be a write."""
    later = replace(OBSERVATION, now=OBSERVATION.now + timedelta(minutes=10))

    assert ready(OBSERVATION) == ready(later)


def test_the_pod_is_left_alone_until_its_turn() -> None:
    """Then a new one follows, as at the end of any key."""
    turn = replace(OBSERVATION, now=T0 + timedelta(minutes=20))

    assert () == decide(OBSERVATION, DEFAULTS).actions[1:]  # but for the Service that it lacks
    assert "DeletePod" in {type(action).__name__ for action in decide(turn, DEFAULTS).actions}


def test_a_runner_that_answered_just_now_still_counts() -> None:
    """Until its report is old."""
    report = runner_report("Connected", received=OBSERVATION.now)

    assert "Connected" == status(replace(OBSERVATION, report=report)).state


def test_a_pod_that_has_not_started_is_pending() -> None:
    """Whatever its tokens are made from."""
    assert "Pending" == status(replace(OBSERVATION, pods=(replace(POD, started=None, phase=PodPhase.PENDING),))).state


def test_a_session_that_was_never_suspended_was_so_since_its_creation() -> None:
    """Also where its status is new because the old one was lost: no runner takes that for the end of a suspension."""
    suspended = next(found for found in status(OBSERVATION).conditions if found.type == "Suspended")

    assert ("False", T0) == (suspended.status, suspended.last_transition_time)
