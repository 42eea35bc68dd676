"""What counts of a session, from its JSON."""

from datetime import timedelta
from typing import Any

import pytest
from support.facts import T0
from whatsapp_operator.core.recovery.health import Failure, SessionHealth, session_health

IMAGE = "runner:1"
TIME = "2026-11-22T18:00:00Z"
Json = dict[str, Any]


def session(*, spec: Json | None = None, status: Json | None = None) -> SessionHealth:
    """Return what counts of a session like this."""
    metadata = {"name": "a", "namespace": "shop", "uid": "u", "creationTimestamp": TIME}
    return session_health({"metadata": metadata, "spec": spec or {}, "status": status or {}}, runner_image=IMAGE)


def condition(kind: str, status: str, reason: str = "X") -> Json:
    """Return a status with one condition."""
    return {"conditions": [{"type": kind, "status": status, "reason": reason}]}


def test_a_new_session_says_nothing() -> None:
    """No pod, not proven, no failure."""
    assert SessionHealth(namespace="shop", created=T0) == session()


@pytest.mark.parametrize(
    ("linked", "image", "proven"),
    [
        ("True", None, True),
        ("False", None, True),
        ("Unknown", None, False),
        ("True", IMAGE, True),
        ("True", "busybox", False),
        ("Unknown", "busybox", False),
    ],
)
def test_only_what_has_been_up_with_the_operators_image_is_proven(
    linked: str, image: str | None, *, proven: bool
) -> None:
    """A runner has told whether a phone is linked, and the image is no other."""
    spec = {"pod": {"image": image}} if image else {}

    assert proven == session(spec=spec, status=condition("Linked", linked)).proven


def test_it_waits_for_the_end_of_a_pause_when_its_condition_says_so() -> None:
    """Not while it backs off, and not when it is over."""
    assert session(status=condition("Recovering", "True", "RecoveryPaused")).waits
    assert not session(status=condition("Recovering", "True", "BackingOff")).waits
    assert not session(status=condition("Recovering", "False", "RecoveryPaused")).waits


@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        ({"reason": "PageCrashed", "exitCode": 30, "time": TIME, "podUID": "p"}, True),
        ({"reason": "Unresponsive", "time": TIME, "podUID": "p"}, True),
        ({"reason": "OutOfcpu", "time": TIME, "podUID": "p"}, False),
        ({"reason": "PageCrashed", "exitCode": 30, "podUID": "p"}, False),
        ({"reason": "PageCrashed", "exitCode": 30, "time": "yesterday", "podUID": "p"}, False),
        ({"reason": ["?"], "exitCode": "?", "time": 7}, False),
        ("?", False),
    ],
)
def test_only_failures_of_runners_count(failure: object, *, counts: bool) -> None:
    """An exit or a word; not a node's refusal, and nothing that cannot be read."""
    expected = Failure(T0, "p") if counts else None

    assert expected == session(status={"recovery": {"lastFailure": failure}}).failure


def test_a_pod_in_status_counts() -> None:
    """By the field for the scale subresource."""
    assert session(status={"replicas": 1}).has_pod
    assert not session(status={"replicas": 0}).has_pod


def test_times_are_read_as_they_are_written() -> None:
    """With an offset, too."""
    failure = {"exitCode": 1, "time": "2026-11-22T20:00:01+02:00"}

    assert Failure(T0 + timedelta(seconds=1), "") == session(status={"recovery": {"lastFailure": failure}}).failure
