"""The admission round: reservations are never lost between memory and status, and nobody gets more than there is."""

import pytest
from unit.runtime.admission.rounds_harness import Bench
from unit.runtime.memory_api import Fault
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, Seal
from whatsapp_operator.runtime.kube.client import Request


async def test_what_fits_gets_an_assumed_reservation_and_the_rest_a_reason(harness: Bench) -> None:
    """One round, in the order of their creation."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(first).assumed is not None
    refusal = harness.admission.verdict(second).refusal
    assert refusal is not None
    assert "QuotaExceeded" == refusal.reason
    assert [ObjectKey("shop", "a"), ObjectKey("shop", "b")] == harness.changed


async def test_an_assumed_reservation_counts_in_the_next_round(harness: Bench) -> None:
    """The worker has not written it yet; the place is taken all the same."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    second = harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(first).assumed is not None
    assert harness.admission.verdict(second).assumed is None


async def test_an_assumed_reservation_that_is_stored_during_a_round_is_counted(harness: Bench) -> None:
    """Between the LIST and the count the worker writes and confirms: the copy from before the LIST still counts."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    second = harness.session("b")

    def write() -> None:
        harness.reserve("a")
        harness.admission.confirm(first)

    harness.during = write
    await harness.admission.round()
    harness.during = lambda: None

    assert harness.admission.verdict(second).assumed is None


@pytest.mark.parametrize("kept", [False, True])
async def test_a_pod_of_a_session_that_leaves_while_both_are_listed_is_counted(harness: Bench, *, kept: bool) -> None:
    """It was made after the LIST of pods, and its session was deleted before that of sessions, by a finalizer kept or not."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")
    await harness.admission.round()
    harness.reserve("a")
    harness.admission.confirm(first)
    harness.seal = Seal(key_id=KeyID("key"), session_uid=first, quota="default", memory=1)
    listed: list[str] = []

    def before(request: Request) -> None:
        if request.path.endswith("/whatsappsessions"):
            harness.api.put("pods", {"metadata": {"name": "a", "namespace": "shop"}})
            if kept:
                harness.api.change("whatsappsessions", "shop", "a", {"metadata": {"deletionTimestamp": "now"}})
                harness.admission.decline(first, holds=True)
            else:
                harness.api.remove("whatsappsessions", "shop", "a")
        listed.append(request.path.rpartition("/")[2])
        harness.api.snapshot = {} if listed[-1] == "pods" and listed.count("pods") == 1 else None

    harness.before = before
    await harness.admission.round()

    assert harness.admission.verdict(second).assumed is None
    assert 2 == listed.count("pods")


async def test_a_confirmed_assumed_reservation_is_forgotten(harness: Bench) -> None:
    """From then on the status counts; when that is dropped the place is free."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    harness.reserve("a")
    harness.admission.confirm(first)
    harness.api.remove("whatsappsessions", "shop", "a")
    second = harness.session("b")

    await harness.admission.round()

    assert harness.admission.verdict(second).assumed is not None


async def test_the_assumed_reservation_of_a_suspended_session_is_withdrawn(harness: Bench) -> None:
    """It was let in and put to rest before it could use its place."""
    harness.quota(sessions=1)
    first = harness.session("a")
    await harness.admission.round()
    harness.api.change("whatsappsessions", "shop", "a", {"spec": {"operatingMode": "Suspended"}})
    second = harness.session("b")

    await harness.admission.round()

    assert (None, True) == (
        harness.admission.verdict(first).assumed,
        harness.admission.verdict(second).assumed is not None,
    )


async def test_a_deleted_sessions_assumed_reservation_makes_room_at_once(running: Bench) -> None:
    """Forgetting an open grant asks for a round."""
    running.quota(sessions=1)
    first = running.session("a")
    running.admission.request()
    await running.clock.advance(1)
    second = running.session("b")
    running.api.remove("whatsappsessions", "shop", "a")

    running.admission.forget(first)
    await running.clock.advance(2)

    assert running.admission.verdict(second).assumed is not None


async def test_an_old_refusal_is_dropped_with_the_request(harness: Bench) -> None:
    """Suspended and resumed: the next wish is a new one."""
    harness.quota(sessions=0)
    uid = harness.session("a")
    await harness.admission.round()
    before = harness.admission.verdict(uid).refusal

    harness.admission.clear_refusal(uid)

    assert before is not None
    assert harness.admission.verdict(uid).refusal is None


async def test_an_unchanged_refusal_wakes_nobody(harness: Bench) -> None:
    """Who waits is not looked at again for nothing."""
    harness.quota(sessions=0)
    harness.session("a")
    await harness.admission.round()
    harness.changed.clear()

    await harness.admission.round()

    assert [] == harness.changed


async def test_a_round_that_cannot_list_changes_nothing(harness: Bench) -> None:
    """Neither grants nor refusals are made from half a picture."""
    harness.quota(sessions=1)
    uid = harness.session("a")
    harness.api.fault = lambda request, _: Fault(status=500) if request.path.endswith("/pods") else None

    with pytest.raises(Exception, match="fault 500"):
        await harness.admission.round()

    assert (None, None) == harness.admission.verdict(uid)


async def test_another_instances_objects_are_not_counted(harness: Bench) -> None:
    """Its quota is not ours, its sessions are not let in by us, and neither is written to."""
    label = {"wasession.dev/instance": "demo"}
    harness.api.put("namespaces", {"metadata": {"name": "theirs", "labels": label}})
    harness.api.put("whatsappsessionquotas", {"metadata": {"name": "demo", "labels": label}, "spec": {"sessions": 5}})
    harness.quota(sessions=1)
    harness.api.put("whatsappsessions", {"metadata": {"name": "x", "namespace": "theirs"}, "spec": {}})
    uid = harness.session("a")

    await harness.admission.round()

    assert harness.admission.verdict(uid).assumed is not None
    assert [ObjectKey("shop", "a")] == harness.changed
    assert "status" not in (harness.api.get("whatsappsessionquotas", "", "demo") or {})


async def test_a_session_that_goes_while_a_round_is_computed_gets_nothing(harness: Bench) -> None:
    """Nobody would give its reservation back: it was forgotten before it had one."""
    harness.quota(sessions=1)
    first, second = harness.session("a"), harness.session("b")

    def go() -> None:
        harness.admission.forget(first)
        harness.admission.forget(second)

    harness.computing = go
    await harness.admission.round()

    assert (None, None) == harness.admission.verdict(first)
    assert (None, None) == harness.admission.verdict(second)
    assert 1 == harness.computed
