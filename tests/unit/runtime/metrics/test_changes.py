"""What is counted and timed when a session's status changes."""

from typing import Any

import pytest
from unit.runtime.metrics.sessions import THEN, condition, connected, session
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.metrics.changes import SessionChanges
from whatsapp_operator.runtime.process.metrics import Metrics

Json = dict[str, Any]

LATER = "2026-11-22T18:01:40Z"
""" A hundred seconds later. """
QUEUED: Json = {"state": "Queued", "stateTransitionTime": THEN}
ADMITTED: Json = {"state": "Pending", "admission": {"quotaName": "default", "reservedAt": LATER}}
UNREADY = [condition("Ready", "False"), condition("Linked", "True")]


class Watched:
    """One session as an operator sees it change, at a time that a test sets."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.now = 0.0
        self.ours = True
        self.before: Json | None = session()
        self.changes = SessionChanges(metrics=self.metrics, monotonic=lambda: self.now, is_ours=lambda _: self.ours)

    def becomes(self, status: Json, *, after: float = 0.0, **spec: Any) -> None:
        """Let the session have another status, so many seconds later."""
        self.now += after
        changed = session(status=status, **spec)
        self.changes.on_session_changed(Change(self.before, changed))
        self.before = changed

    def value(self, name: str, **labels: str) -> float | None:
        """One of the metrics."""
        return self.metrics.registry.get_sample_value(f"whatsapp_operator_{name}", labels)

    def times(self, name: str) -> tuple[float | None, float | None]:
        """How many durations were measured, and their sum."""
        return self.value(f"{name}_seconds_count"), self.value(f"{name}_seconds_sum")


@pytest.fixture
def watched() -> Watched:
    """A session that nobody has looked at yet."""
    return Watched()


def failed(pod: str, reason: str = "OOMKilled", *, restarts: int = 0) -> Json:
    """A status that tells of a failure."""
    recovery = {"restarts": restarts, "lastFailure": {"reason": reason, "podUID": pod, "time": THEN}}
    return {"state": "Recovering", "podUID": "pod-1", "recovery": recovery}


def test_each_failure_is_counted_once(watched: Watched) -> None:
    """By its class, however often the status that tells of it is written."""
    watched.becomes(failed("pod-1"))
    watched.becomes(failed("pod-1") | {"state": "Pending"})
    watched.becomes(failed("pod-2"))
    watched.becomes(failed("pod-3", "PageCrashed"))

    assert (2, 1) == (
        watched.value("session_failures_total", **{"class": "OOMKilled"}),
        watched.value("session_failures_total", **{"class": "PageCrashed"}),
    )


def test_what_was_there_before_is_not_counted(watched: Watched) -> None:
    """A new process sees old failures and pods, which the one before it has counted."""
    watched.before = None
    watched.becomes(failed("pod-1", restarts=4))
    watched.becomes(failed("pod-1", restarts=4) | {"state": "Connected"})

    assert 0 == watched.value("session_failures_total", **{"class": "OOMKilled"})
    assert watched.value("pods_created_total", reason="Again") is None


def test_another_operators_sessions_do_not_count(watched: Watched) -> None:
    """It counts them itself."""
    watched.ours = False
    watched.becomes(failed("pod-1"))

    assert 0 == watched.value("session_failures_total", **{"class": "OOMKilled"})


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ([condition("Recovering", "True", "BackingOff")], "BackingOff"),
        ([condition("Recovering", "True", "RestartRequested")], "RestartRequested"),
        ([condition("Recovering", "True", "NodePressure")], "NodePressure"),
        ([condition("Recovering", "True", "Word7")], "Other"),
        ([condition("Recovering", "False", "NotRecovering")], "Again"),
        ([], "Again"),
    ],
)
@pytest.mark.parametrize("when", ["before the pod", "with the pod"])
def test_new_pods_are_counted_by_what_for(watched: Watched, conditions: list[Json], reason: str, when: str) -> None:
    """The reason stands in the status before the pod is made, or comes with it."""
    first: Json = {"podUID": "pod-1", "recovery": {"restarts": 0}}
    watched.becomes(first)
    watched.becomes(first | ({"conditions": conditions} if when == "before the pod" else {"state": "Loading"}))
    watched.becomes(
        {"podUID": "pod-3", "recovery": {"restarts": 2}}
        | ({"conditions": conditions} if when == "with the pod" else {})
    )

    assert (1, 2) == (
        watched.value("pods_created_total", reason="First"),
        watched.value("pods_created_total", reason=reason),
    )


def test_the_wait_for_admission_begins_with_the_queue(watched: Watched) -> None:
    """At a stored time, so that it goes on over a restart."""
    watched.becomes(QUEUED)
    watched.becomes(ADMITTED)

    assert (1, 100) == watched.times("admission_wait")


def test_one_that_is_admitted_at_once_has_waited_since_its_creation(watched: Watched) -> None:
    """Its first status says that it is admitted."""
    watched.becomes(ADMITTED)

    assert (1, 100) == watched.times("admission_wait")


def test_a_clock_that_is_ahead_makes_no_negative_wait(watched: Watched) -> None:
    """The API server's clock tells of the creation."""
    watched.before = session(created="2026-11-22T19:00:00Z")
    watched.becomes(ADMITTED)

    assert (1, 0) == watched.times("admission_wait")


@pytest.mark.parametrize(
    "state", ["Connected", "QRPending", "Restricted", "PasskeyRequired", "ScreenLocked", "Degraded"]
)
def test_a_start_ends_with_a_code_or_a_connection(watched: Watched, state: str) -> None:
    """Once for each admission."""
    watched.becomes(ADMITTED)
    watched.becomes(ADMITTED | {"state": "Loading"}, after=20)
    watched.becomes(ADMITTED | {"state": state}, after=10)
    watched.becomes(ADMITTED | {"state": "Offline"}, after=10)
    watched.becomes(ADMITTED | {"state": state}, after=10)

    assert (1, 30) == watched.times("session_start")


def test_one_that_lost_its_place_starts_anew(watched: Watched) -> None:
    """The wait outside is no part of the start."""
    watched.becomes(ADMITTED)
    watched.becomes(QUEUED, after=600)
    watched.becomes(ADMITTED, after=600)
    watched.becomes(ADMITTED | {"state": "Connected"}, after=5)

    assert (1, 5) == watched.times("session_start")


def test_a_recovery_ends_when_it_is_ready_again(watched: Watched) -> None:
    """Over all states and pods in between."""
    watched.becomes(connected())
    watched.becomes(connected(state="Crashed", conditions=UNREADY), after=60)
    watched.becomes(connected(state="Recovering", conditions=UNREADY, podUID="pod-2"), after=5)
    watched.becomes(connected(podUID="pod-2"), after=7)

    assert (1, 12) == watched.times("session_recovery")


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        (connected(conditions=[*UNREADY, condition("Stalled", "True", "Conflict")]), {}),
        (connected(conditions=[condition("Ready", "False"), condition("Linked", "False")], state="QRPending"), {}),
        (connected(conditions=UNREADY, state="Suspended"), {"operatingMode": "Suspended"}),
        (connected(conditions=UNREADY, state="Restricted"), {}),
        (connected(conditions=UNREADY, state="ScreenLocked"), {}),
        (connected(conditions=UNREADY, state="Degraded"), {}),
    ],
    ids=["stalled", "not linked", "suspended", "restricted", "locked", "degraded"],
)
def test_what_a_person_had_to_end_is_no_recovery(watched: Watched, status: Json, spec: Json) -> None:
    """It says how long the person took."""
    watched.becomes(connected())
    watched.becomes(connected(conditions=UNREADY), after=5)
    watched.becomes(status, after=5, **spec)
    watched.becomes(connected(), after=3600)

    assert (0, 0) == watched.times("session_recovery")


def test_nothing_is_remembered_of_a_session_that_is_gone(watched: Watched) -> None:
    """Nor of one of the same name that is another's."""
    watched.becomes(ADMITTED)
    watched.becomes(connected(conditions=UNREADY))
    watched.changes.on_session_changed(Change(watched.before, session(uid="other", status=connected())))

    assert ({}, {}) == (watched.changes._admitted, watched.changes._unready)
