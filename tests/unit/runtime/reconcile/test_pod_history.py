"""Which pods came since the one that a session's status tells of."""

from datetime import UTC, datetime

import pytest
from whatsapp_operator.core.model import PodUID, SessionUID
from whatsapp_operator.runtime.kube.resources import Json
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.reconcile.pod_history import PodHistory

T0 = datetime(2026, 11, 22, tzinfo=UTC)
UID = SessionUID("session-1")


def own_pods_session(pod: Json) -> SessionUID | None:
    """Return the session of a pod that names its session as its controller; what proves is tested with `Owners`."""
    owner: Json = next(iter(pod["metadata"].get("ownerReferences", [])), {})
    return SessionUID(owner["uid"]) if owner.get("controller") and owner["name"] == pod["metadata"]["name"] else None


def pod(uid: str, *, name: str = "sales", owner: str = "session-1", controller: bool = True) -> Json:
    """Return a pod of the session `sales`."""
    owners = [{"name": "sales", "uid": owner, "controller": controller}]
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid, "ownerReferences": owners}}


@pytest.fixture
def history() -> PodHistory:
    """Three pods came, the second one is gone again, and the third was changed."""
    history = PodHistory(own_pods_session=own_pods_session, now=lambda: T0)
    history.record(Change(None, pod("p1")))
    history.record(Change(None, pod("p2")))
    history.record(Change(pod("p2"), None))
    history.record(Change(None, pod("p3")))
    history.record(Change(pod("p3"), pod("p3")))
    return history


@pytest.mark.parametrize(
    ("stored", "expected"),
    [(None, ["p1", "p2", "p3"]), ("before", ["p1", "p2", "p3"]), ("p1", ["p2", "p3"]), ("p2", ["p3"]), ("p3", [])],
)
def test_each_pod_counts_once_and_in_order(history: PodHistory, stored: str | None, expected: list[str]) -> None:
    """Gone or not; those up to the told one are of before."""
    assert tuple(map(PodUID, expected)) == history.since(UID, stored)


def test_what_was_in_status_is_forgotten_and_does_not_come_back(history: PodHistory) -> None:
    """A late event about the told pod does not make it a new one."""
    history.since(UID, "p3")
    history.record(Change(pod("p3"), pod("p3")))

    assert () == history.since(UID, "p3")


def test_others_pods_are_nobodys_arrival(history: PodHistory) -> None:
    """No owner, an owner that is no controller, another session, a second pod that a person made."""
    before = history.since(UID, None)
    history.record(Change(None, {"metadata": {"name": "sales", "namespace": "shop", "uid": "x"}}))
    history.record(Change(None, pod("x", controller=False)))
    history.record(Change(None, pod("x", owner="another")))
    history.record(Change(None, pod("x", name="debug")))

    assert before == history.since(UID, None)
    assert (PodUID("x"),) == history.since(SessionUID("another"), None)


def test_only_sessions_that_are_there_are_remembered(history: PodHistory) -> None:
    """Not one whose pod is told of after the session is gone; one without pods has none."""
    history.record(Change(None, pod("x", owner="gone")))
    history.retain({UID, SessionUID("without pods")})

    assert () == history.since(SessionUID("gone"), None)
    assert tuple(map(PodUID, ["p1", "p2", "p3"])) == history.since(UID, None)
    assert () == history.since(SessionUID("without pods"), None)


RUNNING = {"containerStatuses": [{"name": "runner", "state": {"running": {"startedAt": "2026-11-22T18:00:00Z"}}}]}


def test_a_pod_is_unstarted_until_it_was_seen_to_run(history: PodHistory) -> None:
    """Gone or not; a pod that ran stays one that ran, whatever a late event says."""
    history.record(Change(None, pod("p1") | {"status": RUNNING}))
    history.record(Change(None, pod("p1")))

    assert {PodUID("p2"), PodUID("p3")} == history.unstarted(UID).keys()


def test_a_pod_that_the_operator_ends_itself_is_no_start_that_failed(history: PodHistory) -> None:
    """Nor does it know of pods of a session that it has never seen."""
    history.ended_by_us(UID, PodUID("p3"))
    history.ended_by_us(SessionUID("unknown"), PodUID("x"))

    assert {PodUID("p1"), PodUID("p2")} == history.unstarted(UID).keys()
    assert {} == history.unstarted(SessionUID("unknown"))
