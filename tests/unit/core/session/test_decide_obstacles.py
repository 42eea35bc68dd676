"""What stands in the way of a pod, and what is never touched."""

import copy
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.world import World, running
from whatsapp_operator.core.model import CreatePod, CreatePVC, DeletePod, PatchPVC


def new(spec: dict[str, Any] | None = None) -> World:
    """Return a world with one new session."""
    world = World()
    world.set_quota()
    world.apply(spec=spec)
    return world


def foreign(name: str, **metadata: Any) -> dict[str, Any]:
    """Return somebody else's object."""
    return {"metadata": {"name": name, "namespace": "shop", "uid": "foreign"} | metadata, "spec": {}, "status": {}}


def kinds(world: World) -> list[str]:
    """Return the kinds of the actions carried out."""
    return [type(action).__name__ for action in world.done]


@pytest.mark.parametrize(
    ("shelf", "name"), [("pods", "sales"), ("claims", "sales-profile"), ("services", "whatsapp-sessions")]
)
def test_a_foreign_object_of_our_name_is_told_and_left_alone(shelf: str, name: str) -> None:
    """Never adopted, changed or deleted; no place is taken; it goes on by itself when the object is gone."""
    world = new()
    theirs = foreign(name)
    getattr(world, shelf)[name] = theirs
    before = copy.deepcopy(theirs)
    world.resync()
    world.resync()

    assert ("True", "NameTaken") == world.says("Stalled")
    assert name in world.condition("Stalled").message
    assert ("Stalled", None) == (world.status().state, world.status().admission)
    assert before == theirs
    assert [] == world.done
    assert {} == world.memory.grants

    del getattr(world, shelf)[name]
    world.settle()
    assert "CreatePod" in kinds(world)
    assert ("False", "NotStalled") == world.says("Stalled")


def test_the_ending_pod_of_a_deleted_session_is_waited_for() -> None:
    """Deleted and re-applied: not stalled, it goes by itself; the profile is the same."""
    world = running()
    world.delete_session()
    world.done.clear()
    world.apply(uid="another")
    world.resync()

    assert ("False", "PreviousPodTerminating") == world.says("Ready")
    assert ("False", "NotStalled") == world.says("Stalled")
    assert [] == world.done
    world.gone()
    world.settle()
    assert ["CreateSecret", "CreatePod"] == kinds(world)
    assert 0 == (world.status().recovery and world.status().recovery.restarts)  # type: ignore[union-attr]


def test_an_orphaned_pod_of_a_deleted_session_is_a_persons_business() -> None:
    """Without an owner nothing will ever delete it."""
    world = running()
    pod = world.pods["sales"]
    world.delete_session()
    pod["metadata"].pop("deletionTimestamp")
    pod["metadata"].pop("ownerReferences")
    world.apply(uid="another")
    world.resync()

    assert ("True", "NameTaken") == world.says("Stalled")


def test_of_two_pods_none_is_chosen() -> None:
    """A person gave a second one our owner reference: deleting either could end the session."""
    world = running()
    other = copy.deepcopy(world.pods["sales"])
    other["metadata"] |= {"name": "copy", "uid": "copy"}
    world.pods["copy"] = other
    done = len(world.done)
    for change in ({}, {"operatingMode": "Suspended"}):
        world.apply(spec=change)
        world.resync()
        assert ("True", "MultiplePods") == world.says("Stalled")
        assert "copy, sales" in world.condition("Stalled").message
        assert done == len(world.done)

    world.apply(spec={})
    world.gone("copy")
    world.resync()
    assert ("False", "NotStalled") == world.says("Stalled")


def test_a_pod_that_is_going_is_no_rival() -> None:
    """One of the two is already being deleted."""
    world = running()
    other = copy.deepcopy(world.pods["sales"])
    other["metadata"] |= {"name": "copy", "uid": "copy", "deletionTimestamp": "2026-11-22T18:00:00Z"}
    world.pods["copy"] = other
    world.resync()

    assert ("False", "NotStalled") == world.says("Stalled")


def test_a_claim_that_is_being_deleted_is_waited_for() -> None:
    """A profile on it would be lost under a running browser."""
    world = running()
    world.claims["sales-profile"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    world.gone()
    world.resync()
    assert ("Pending", ("False", "ClaimTerminating")) == (world.status().state, world.says("Ready"))
    assert 1 == kinds(world).count("CreatePod")

    del world.claims["sales-profile"]
    world.settle()
    assert (2, 2) == (kinds(world).count("CreatePVC"), kinds(world).count("CreatePod"))


def test_a_claim_that_belongs_to_a_deleted_session_is_waited_for() -> None:
    """Garbage collection is on its way to it."""
    world = running(spec={"profile": {"retention": "Delete"}})
    claim = world.claims["sales-profile"]
    world.delete_session()
    world.gone()
    world.claims["sales-profile"] = claim
    world.apply(uid="another", spec={"profile": {"retention": "Delete"}})
    world.resync()

    assert ("False", "ClaimTerminating") == world.says("Ready")


@pytest.mark.parametrize("mode", ["Running", "Suspended"])
def test_retention_is_switched_on_the_claim(mode: str) -> None:
    """To and fro, pod or no pod; the claim itself is never deleted or made anew."""
    world = running()
    world.apply(spec={"operatingMode": mode, "profile": {"retention": "Delete"}})
    world.settle()
    assert ["session-1"] == [owner["uid"] for owner in world.claims["sales-profile"]["metadata"]["ownerReferences"]]

    world.apply(spec={"operatingMode": mode})
    world.settle()
    assert "ownerReferences" not in world.claims["sales-profile"]["metadata"]
    assert 2 == kinds(world).count("PatchPVC")
    assert 1 == kinds(world).count("CreatePVC")


def test_a_claim_grows_while_the_session_runs() -> None:
    """Once."""
    world = running()
    world.apply(spec={"profile": {"size": "3Gi"}})
    world.resync()
    world.resync()

    assert "3Gi" == world.claims["sales-profile"]["spec"]["resources"]["requests"]["storage"]
    assert 1 == kinds(world).count("PatchPVC")


def test_a_storage_that_cannot_grow_is_told_and_the_session_runs_on() -> None:
    """Asked again only when its time has come; a pod is made all the same."""
    world = running()
    world.refuse = {PatchPVC}
    world.apply(spec={"profile": {"size": "3Gi"}})
    world.resync()
    world.resync()
    assert ("True", "ClaimResizeRefused") == world.says("Stalled")
    assert "exceeded quota: pods=10" in world.condition("Stalled").message
    assert ("True", "Connected") == world.says("Ready")
    assert () == world.decide().actions
    writes = world.writes
    world.resync()
    assert writes == world.writes

    world.gone()
    world.settle()
    assert 2 == kinds(world).count("CreatePod")


def test_a_storage_that_takes_the_size_and_fails_later_is_told() -> None:
    """The API server let it pass; the claim says why it did not grow. Its new attempts are no news; its success is."""
    world = running()
    world.apply(spec={"profile": {"size": "3Gi"}})
    world.settle()
    fault = {"type": "ControllerResizeError", "status": "True", "message": "no space left in the pool"}
    world.claims["sales-profile"]["status"] = {"phase": "Bound", "conditions": [fault]}
    world.resync()

    assert ("True", "ClaimResizeRefused") == world.says("Stalled")
    assert "no space left in the pool" in world.condition("Stalled").message
    assert ("True", "Connected") == world.says("Ready")
    assert () == world.decide().actions

    writes = world.writes
    for again in ({"type": "Resizing", "status": "True"}, fault | {"message": "no space left in the pool (request 7)"}):
        world.claims["sales-profile"]["status"]["conditions"] = [again]
        world.resync()
    assert writes == world.writes

    world.claims["sales-profile"]["status"] = {"phase": "Bound"}
    world.resync()
    assert ("False", "NotStalled") == world.says("Stalled")


def test_an_unusable_spec_is_told_and_nothing_is_done() -> None:
    """What was stored under another schema: each field with its reason; the running pod is still listened to."""
    world = running()
    world.sessions["sales"]["spec"] = {"recovery": {"maxAttempts": "many"}, "operatingMode": "Resting"}
    done = len(world.done)
    world.say(RunnerState.OFFLINE)
    world.resync()

    assert ("True", "InvalidObject") == world.says("Stalled")
    assert "spec.recovery.maxAttempts" in world.condition("Stalled").message
    assert "spec.operatingMode" in world.condition("Stalled").message
    assert ("Offline", ("False", "Offline")) == (world.status().state, world.says("Ready"))
    world.gone()
    world.resync()
    assert done == len(world.done)


def test_an_unusable_spec_does_not_wake_a_suspended_session() -> None:
    """Nobody knows what it should be: what was said of it stays."""
    world = new({"operatingMode": "Suspended"})
    world.resync()
    world.sessions["sales"]["spec"] = {"operatingMode": "Resting"}
    world.settle()

    assert ("True", "Suspended") == world.says("Suspended")
    assert [] == world.done


def test_an_unusable_spec_does_not_hide_a_stop() -> None:
    """The condition is the only memory of it."""
    world = running()
    world.say(RunnerState.CONFLICT)
    world.resync()
    world.sessions["sales"]["spec"] = {"operatingMode": "Resting"}
    world.resync()
    assert ("True", "Conflict") == world.says("Stalled")
    world.gone()
    world.sessions["sales"]["spec"] = {}
    world.settle()

    assert 1 == kinds(world).count("CreatePod")


def test_a_session_that_is_being_deleted_ends_its_pod_and_says_no_more() -> None:
    """Something holds it back (foreground deletion, a finalizer); no status is written any more."""
    world = running()
    world.sessions["sales"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    writes = world.status_writes
    world.resync()

    assert isinstance(world.done[-1], DeletePod)
    world.gone()
    world.resync()
    assert (writes, 1) == (world.status_writes, kinds(world).count("CreatePod"))


def test_a_retained_claim_is_used_again_by_a_session_of_the_name() -> None:
    """Deleted and re-applied: it gets its login back."""
    world = running()
    uid = world.claims["sales-profile"]["metadata"]["uid"]
    world.delete_session()
    world.gone()
    world.apply(uid="another")
    world.settle()

    assert uid == world.claims["sales-profile"]["metadata"]["uid"]
    assert 1 == sum(isinstance(action, CreatePVC) for action in world.done)
    assert 2 == sum(isinstance(action, CreatePod) for action in world.done)
