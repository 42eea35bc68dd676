"""What failed calls mean for a session: what waits, what is said, and for how long."""

from datetime import timedelta

import pytest
from unit.core.fake_cluster import FakeCluster, new, running
from whatsapp_operator.core.calls import Call, FailedCall, Verb
from whatsapp_operator.core.decision import (
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    Decision,
    DeletePod,
    PatchPVC,
    ReadClaim,
)
from whatsapp_operator.core.session.decide import decide

NOW = timedelta()
LATER = timedelta(seconds=30)
POD = Call(Verb.CREATE, "Pod", "sales")
SERVICE = Call(Verb.CREATE, "Service", "whatsapp-sessions")


def failed(call: Call, *, refused: bool = True, retry_in: timedelta = LATER, message: str = "no") -> FailedCall:
    """Return a failed call."""
    return FailedCall(call=call, reason="Forbidden", message=message, refused=refused, retry_in=retry_in)


def admitted(**spec: object) -> FakeCluster:
    """Return a session that is about to get its pod."""
    cluster = new(spec=spec)
    cluster.resync_until_reserved()
    return cluster


def decided(cluster: FakeCluster, *calls: FailedCall, made: frozenset[str] = frozenset()) -> Decision:
    """Return the decision when these calls have failed."""
    observation = cluster.observe()
    fields = {"failed_calls": calls, "secrets_made": observation.secrets_made | made}
    return decide(type(observation)(**{**vars(observation), **fields}), cluster.defaults)


def shown(decision: Decision, kind: str) -> str:
    """Return a condition's message in a decision; empty: it is not there."""
    return next((found.message for found in decision.status.conditions if found.type == kind), "")


def kinds(decision: Decision) -> list[type]:
    """Return the actions' kinds."""
    return [type(action) for action in decision.actions]


def test_what_relies_on_a_waiting_call_waits() -> None:
    """No pod without the Service; when its time has come, all are tried in their order."""
    cluster = admitted()

    assert [] == kinds(decided(cluster, failed(SERVICE)))
    assert [CreateService, CreatePVC, CreateSecret, CreatePod] == kinds(decided(cluster, failed(SERVICE, retry_in=NOW)))


def test_a_waiting_pod_keeps_its_secrets_waiting_and_nothing_else() -> None:
    """They are not in the store: each look would create them anew."""
    assert [CreateService, CreatePVC] == kinds(decided(admitted(), failed(POD)))


def test_a_pod_that_was_refused_is_tried_before_its_secrets() -> None:
    """They were made; the pod alone tells whether it is still refused."""
    cluster = admitted()
    (name,) = [
        action.manifest["metadata"]["name"] for action in cluster.decide().actions if isinstance(action, CreateSecret)
    ]

    assert [CreateService, CreatePVC, CreatePod, CreateSecret] == kinds(
        decided(cluster, failed(POD, retry_in=NOW), made=frozenset({name}))
    )


def test_a_call_that_nobody_needs_any_more_is_not_shown() -> None:
    """The pod runs: what was refused before it came is over."""
    cluster = running()

    assert "" == shown(decided(cluster, failed(POD), failed(SERVICE)), "CallFailed")


def test_an_unshown_failure_changes_nothing_that_people_see() -> None:
    """It waits, and that is all."""
    cluster = admitted()
    decision = decided(cluster, failed(POD, refused=False))

    assert cluster.decide().status == decision.status
    assert CreatePod not in kinds(decision)
    assert cluster.now + LATER == decision.requeue_at


def test_several_failures_share_the_message() -> None:
    """Each is named, however long the first one's text is; each has an event, and none a second one."""
    cluster = running()
    cluster.services.clear()
    cluster.apply(spec={"profile": {"retention": "Delete"}})
    patch = Call(Verb.PATCH, "PersistentVolumeClaim", "sales-profile")
    calls = (failed(SERVICE, message="x" * 5000), failed(patch))
    decision = decided(cluster, *calls)
    cluster.sessions["sales"]["status"] = decision.status.to_dict()
    again = decided(cluster, *calls)

    assert len(shown(decision, "CallFailed")) <= 1024
    assert {"FailedCreate", "FailedUpdate"} == {event.reason for event in decision.events}
    assert "Cannot patch PersistentVolumeClaim sales-profile: no" in shown(decision, "CallFailed")
    assert () == again.events


@pytest.mark.parametrize(
    ("spec", "reason"), [({"retention": "Delete"}, "NotStalled"), ({"size": "3Gi"}, "ClaimResizeRefused")]
)
def test_only_a_refused_size_is_a_refused_resize(spec: dict[str, str], reason: str) -> None:
    """The same call carries other changes too."""
    cluster = running()
    cluster.apply(spec={"profile": spec})
    decision = decided(cluster, failed(Call(Verb.PATCH, "PersistentVolumeClaim", "sales-profile")))
    stalled = next(found for found in decision.status.conditions if found.type == "Stalled")

    assert reason == stalled.reason
    assert PatchPVC not in kinds(decision)


def test_a_claim_that_may_not_be_read_is_what_keeps_the_pod_from_being_made() -> None:
    """Ready says so, and it is read again when its time has come."""
    cluster = admitted()
    cluster.apply(spec={"profile": {"existingClaim": "mine"}})
    call = Call(Verb.GET, "PersistentVolumeClaim", "mine")
    waits, due = decided(cluster, failed(call)), decided(cluster, failed(call, retry_in=NOW))

    assert "Cannot get PersistentVolumeClaim mine: no" == shown(waits, "Ready") == shown(waits, "CallFailed")
    assert ([], [ReadClaim]) == (kinds(waits), kinds(due))


def test_a_failed_event_is_shown_and_makes_no_event() -> None:
    """That one would fail as well."""
    decision = decided(running(), failed(Call(Verb.CREATE, "Event", "about sales")))

    assert "Cannot create Event about sales: no" == shown(decision, "CallFailed")
    assert () == decision.events


def test_a_deleted_sessions_pod_that_may_not_be_deleted_is_tried_in_its_time() -> None:
    """Its status is left as it is."""
    cluster = running()
    cluster.sessions["sales"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    call = Call(Verb.DELETE, "Pod", "sales")
    waits = decided(cluster, failed(call))

    assert ([], cluster.now + LATER) == (kinds(waits), waits.requeue_at)
    assert [DeletePod] == kinds(decided(cluster, failed(call, retry_in=NOW)))
