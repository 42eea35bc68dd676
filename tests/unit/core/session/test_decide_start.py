"""From a new session to a running pod: two status writes, three creates, and nothing before its place is written."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.world import T0, World, running
from whatsapp_operator.core.model import (
    AssumedReservation,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    SessionUID,
)

PENDING = ("False", "PodStarting")


def new(**quota: Any) -> World:
    """Return a world with one new session."""
    world = World()
    world.set_quota(**quota)
    world.apply()
    return world


def admitted() -> World:
    """Return a world whose session was just let in."""
    world = new()
    world.look()
    world.admission_round()
    return world


def kinds(world: World) -> list[str]:
    """Return the kinds of the actions carried out."""
    return [type(action).__name__ for action in world.done]


def test_a_new_session_wants_in_and_does_nothing_else() -> None:
    """No object before its place."""
    world = new()

    decision = world.decide()

    assert decision.wants_admission
    assert ((), False, None) == (decision.actions, decision.commit, decision.poll)
    assert "Queued" == decision.status.state


def test_its_first_word_is_held_back_for_the_round() -> None:
    """The round answers in a moment: one write, not two."""
    decision = new().decide()

    assert decision.delay_status_until is not None
    assert decision.delay_status_until <= T0 + timedelta(seconds=5)


def test_the_reservation_is_written_before_anything_is_made() -> None:
    """A grant alone makes no pod: a crash would lose it, and the quota would be exceeded."""
    decision = admitted().decide()

    assert decision.commit
    assert () == decision.actions
    assert decision.status.admission is not None
    assert {"quotaName": "default", "reservedAt": "2026-11-22T18:00:00Z", "memory": "768Mi"} == (
        decision.status.admission.to_dict()
    )


def test_then_all_is_made_in_order() -> None:
    """Service, claim, Secret, pod: what the pod needs before the pod."""
    world = admitted()
    world.look()

    assert ["CreateService", "CreatePVC", "CreateSecret", "CreatePod"] == kinds(world)


def test_what_exists_is_not_made_again() -> None:
    """A second session makes no second Service; a retained claim is used."""
    world = running()
    world.delete_session()
    world.gone()
    world.done.clear()
    world.apply()
    world.settle()

    assert ["CreateSecret", "CreatePod"] == kinds(world)


def test_an_existing_claim_is_not_made() -> None:
    """Nor looked for: if it is missing, the scheduler says so."""
    world = World()
    world.set_quota()
    world.apply(spec={"profile": {"existingClaim": "theirs"}})
    world.settle()

    assert CreatePVC not in {type(action) for action in world.done}
    assert "theirs" == world.status().pvc_name


def test_two_status_writes_to_running() -> None:
    """The reservation, and the running pod; between them the way is held back."""
    world = admitted()
    world.look()
    assert 1 == world.status_writes
    world.schedule()

    decision = world.decide()

    assert decision.status != world.status()
    assert decision.delay_status_until is not None
    world.run()
    assert world.decide().delay_status_until is None
    world.look()
    assert 2 == world.status_writes


def test_a_slow_start_is_told_after_five_seconds() -> None:
    """A person who waits wants to see where it hangs."""
    world = admitted()
    world.look()
    world.wait(reason="ImagePullBackOff", message='Back-off pulling image "x"')
    world.tick(5)

    assert world.decide().delay_status_until is None
    world.look()
    assert ("False", "ImagePullBackOff") == world.says("Ready")
    assert 'Back-off pulling image "x"' == world.condition("Ready").message
    assert "Pending" == world.status().state


def test_an_image_that_cannot_be_pulled_is_told_once() -> None:
    """The kubelet says ErrImagePull and ImagePullBackOff by turns; that is one matter, not a write each minute."""
    world = admitted()
    world.look()
    world.tick(5)
    for reason in ("ErrImagePull", "ImagePullBackOff"):
        world.wait(reason=reason, message=f"{reason}: no such image")
        world.look()
        assert ("False", reason) == world.says("Ready")
    writes = world.writes
    for reason in ("ErrImagePull", "ImagePullBackOff") * 3:
        world.wait(reason=reason, message=f"{reason}: no such image")
        world.look()

    assert writes == world.writes
    assert ("False", "ImagePullBackOff") == world.says("PodReady")
    world.wait(reason="CreateContainerConfigError", message="secret not found")
    world.look()
    assert ("False", "CreateContainerConfigError") == world.says("Ready")


def test_the_commit_tells_all_that_is_known() -> None:
    """Names, endpoint, selector: no further write for them."""
    world = admitted()
    world.refuse = {CreateService, CreatePVC, CreateSecret, CreatePod}
    status = world.decide().status

    assert ("Pending", "sales-profile", "http://sales.whatsapp-sessions.shop.svc:8080", 0) == (
        status.state,
        status.pvc_name,
        status.endpoint,
        status.replicas,
    )
    assert status.token_secret_name is not None
    assert status.token_secret_name.startswith("was-session-1-")
    assert "wasession.dev/session-uid=session-1" in (status.selector or "")


def test_a_running_pod_is_told_whole() -> None:
    """Name, UID, node, image, Secret, replicas."""
    world = running()
    pod, status = world.pods["sales"], world.status()

    assert ("sales", pod["metadata"]["uid"], "node-1", "registry.example/runner:1", 1) == (
        status.pod_name,
        status.pod_uid,
        status.node_name,
        status.image,
        status.replicas,
    )
    assert pod["spec"]["volumes"][1]["secret"]["secretName"] == status.token_secret_name
    assert ("True", "Admitted") == world.says("Admitted")
    assert ("True", "PodReady") == world.says("PodReady")
    assert ("True", "Scheduled") == world.says("PodScheduled")
    assert ("False", "NotSuspended") == world.says("Suspended")
    assert 0 == (status.recovery and status.recovery.restarts)


def test_every_condition_has_the_generation() -> None:
    """`kubectl wait` trusts it."""
    world = running()
    world.apply(spec={"priority": 7})
    world.look()

    assert 2 == world.status().observed_generation
    assert {2} == {condition.observed_generation for condition in world.status().conditions}


def test_unschedulable_is_copied_word_by_word() -> None:
    """And a pending pod is never deleted for it, however long."""
    world = admitted()
    world.look()
    world.pods["sales"]["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: …"}
    ]
    for _ in range(10):
        world.tick(3600)
        world.look()

    scheduled = world.condition("PodScheduled")
    assert ("False", "Unschedulable") == world.says("PodScheduled")
    assert "0/3 nodes are available: …" == scheduled.message
    assert ("False", "Unschedulable") == world.says("Ready")
    assert ["CreateService", "CreatePVC", "CreateSecret", "CreatePod"] == kinds(world)


def test_a_claim_without_a_volume_is_told_after_a_minute() -> None:
    """The scheduler waits for a provisioner in silence. A cloud's usual half a minute is no news and no write."""
    world = admitted()
    world.look()
    world.claims["sales-profile"]["status"] = {"phase": "Pending"}
    world.tick(30)
    world.look()
    assert PENDING == world.says("Ready")

    due = world.decide().requeue_at
    assert due is not None
    world.tick((due - world.now).total_seconds())
    world.look()
    assert ("False", "VolumeNotBound") == world.says("Ready")
    assert ("False", "VolumeNotBound") == world.says("PodReady")
    assert "a volume for its claim sales-profile" in world.condition("Ready").message
    assert "kubectl describe pvc" in world.condition("Ready").message

    writes = world.writes
    world.tick(3600)
    world.look()
    assert writes == world.writes
    assert ["CreateService", "CreatePVC", "CreateSecret", "CreatePod"] == kinds(world)


def test_the_schedulers_own_impatience_says_less_than_the_claim() -> None:
    """After ten minutes it speaks of a deadline; which volume is missing is still the matter."""
    world = admitted()
    world.look()
    world.claims["sales-profile"]["status"] = {"phase": "Pending"}
    impatient = {"reason": "SchedulerError", "message": "binding volumes: context deadline exceeded"}
    world.pods["sales"]["status"]["conditions"] = [{"type": "PodScheduled", "status": "False"} | impatient]
    world.tick(600)
    world.look()

    assert ("False", "VolumeNotBound") == world.says("Ready")
    assert ("False", "SchedulerError") == world.says("PodScheduled")


def test_a_persons_own_claim_is_not_watched() -> None:
    """A claim that is left from before `existingClaim` was set says nothing of the volume that is used."""
    world = admitted()
    world.look()
    left = copy.deepcopy(world.claims["sales-profile"])
    left["status"] = {"phase": "Pending", "conditions": [{"type": "NodeResizeError", "status": "True"}]}
    mine = World()
    mine.set_quota()
    mine.apply(spec={"profile": {"existingClaim": "mine"}})
    mine.claims["sales-profile"] = left
    mine.look()
    mine.admission_round()
    mine.look()
    mine.tick(3600)
    mine.look()

    assert PENDING == mine.says("Ready")
    assert ("False", "NotStalled") == mine.says("Stalled")


def test_a_pod_that_has_a_node_waits_for_no_claim() -> None:
    """What it waits for then is the kubelet's to tell; events have it, so the message names them."""
    world = admitted()
    world.look()
    world.claims["sales-profile"]["status"] = {"phase": "Pending"}
    world.schedule()
    world.wait(reason="ContainerCreating")
    world.tick(3600)
    world.look()

    assert PENDING == world.says("Ready")
    assert "kubectl describe pod" in world.condition("Ready").message


def test_who_waits_is_told_the_refusal() -> None:
    """Admitted and Ready are False with its reason and text, and the state is Queued."""
    world = new(sessions=0)
    world.look()
    world.admission_round()
    world.look()

    text = "Maximum concurrent sessions limit reached (0). Please terminate some sessions first."
    for kind in ("Admitted", "Ready"):
        assert ("False", "QuotaExceeded") == world.says(kind)
        assert text == world.condition(kind).message
    assert "Queued" == world.status().state
    assert world.decide().wants_admission
    assert [] == world.done


def test_a_restarted_operator_repeats_the_refusal_until_it_knows_better() -> None:
    """No write for not having asked yet."""
    world = new(sessions=0)
    world.resync()
    writes = world.writes
    world.restart_operator()
    world.look()

    assert writes == world.writes
    assert ("False", "QuotaExceeded") == world.says("Admitted")
    assert world.decide().wants_admission


def test_a_grant_for_another_pod_is_not_used() -> None:
    """The spec was edited since: it applies anew."""
    world = new()
    stale = AssumedReservation(session_uid=SessionUID("session-1"), quota_name="default", memory=1, reserved_at=T0)
    world.memory.grants[SessionUID("session-1")] = stale

    decision = world.decide()

    assert decision.wants_admission
    assert decision.status.admission is None


def test_a_refused_pod_is_told_and_tried_again_later() -> None:
    """A namespace's ResourceQuota, an admission webhook: not before its time, then again, and it ends with success."""
    world = admitted()
    world.refuse = {CreatePod}
    world.look()

    assert world.decide().actions == ()
    assert ("False", "Forbidden") == world.says("Ready")
    assert "exceeded quota: pods=10" == world.condition("Ready").message
    assert "Pending" == world.status().state
    assert T0 + timedelta(seconds=30) == world.decide().requeue_at

    world.refuse.clear()
    world.tick(30)
    world.settle()
    assert ("False", "RunnerStarting") == world.says("Ready")


def test_the_service_is_made_again_for_a_pod_that_lost_it() -> None:
    """Somebody deleted it."""
    world = running()
    world.services.clear()
    world.look()

    assert CreateService is type(world.done[-1])
    assert 1 == len(world.services)


def test_a_pod_takes_its_place_also_without_a_reservation() -> None:
    """Status was lost somehow; the pod is counted, so its place is written again."""
    world = running()
    del world.sessions["sales"]["status"]["admission"]
    world.look()

    admission = world.status().admission
    assert admission is not None
    assert {"quotaName": "default", "reservedAt": "2026-11-22T18:00:00Z", "memory": "768Mi"} == admission.to_dict()


def test_edits_wait_for_the_next_pod_and_that_is_told() -> None:
    """With how to have them now; nothing is restarted for them."""
    world = running()
    world.apply(spec={"pod": {"image": "registry.example/runner:2"}})
    world.look()

    assert "restart-at" in world.condition("PodReady").message
    assert "registry.example/runner:1" == world.status().image
    assert () == world.decide().actions

    world.annotate(restart_at="2026-11-22T18:05:00Z")
    world.settle()
    assert "restart-at" not in world.condition("PodReady").message
    assert "registry.example/runner:2" == world.status().image


def test_more_memory_is_admitted_before_the_next_pod() -> None:
    """A refused larger place gives the smaller one back: no session waits with a place in hand."""
    world = running()
    world.set_quota(memory="768Mi")
    world.apply(spec={"resources": {"limits": {"memory": "1Gi"}}})
    world.resync()
    assert ("True", "Admitted") == world.says("Admitted")
    world.delete_pod()
    world.gone()
    world.look()
    assert 768 * 2**20 == world.reserved_memory()
    world.resync()

    assert ("False", "QuotaExceeded") == world.says("Admitted")
    assert world.status().admission is None

    world.set_quota(memory="1Gi")
    world.settle()
    assert 1024 * 2**20 == world.reserved_memory()
    assert "1Gi" == world.pods["sales"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def test_two_that_want_more_do_not_wait_for_each_other() -> None:
    """Each holds less than it needs, and together they fill the quota: one of them runs."""
    world = World()
    world.set_quota(memory="1600Mi")
    for name in ("a", "b"):
        world.apply(name)
    world.settle()
    for name in ("a", "b"):
        world.apply(name, spec={"resources": {"limits": {"memory": "1Gi"}}})
        world.gone(name)
    world.settle()

    assert ["a"] == list(world.pods)
    assert ("False", "QuotaExceeded") == world.says("Admitted", "b")


def test_less_memory_gives_the_difference_back_with_the_next_pod() -> None:
    """The pod that runs still counts in full."""
    world = running()
    world.apply(spec={"resources": {"limits": {"memory": "512Mi"}}})
    world.resync()
    assert 768 * 2**20 == world.reserved_memory()

    world.delete_pod()
    world.settle()
    assert 512 * 2**20 == world.reserved_memory()


def test_the_same_observation_gives_the_same_decision() -> None:
    """Word for word, at any point on the way."""
    world = admitted()
    for step in (world.look, world.run, world.look, world.say, world.look):
        step()
        assert world.decide() == world.decide()


@pytest.mark.parametrize("state", [*RunnerState, "Hibernating"])
def test_at_rest_nothing_is_written(state: str) -> None:
    """Whatever the runner says, once it is written, it is written; spec and metadata are never touched."""
    world = running(state=state)
    before = copy.deepcopy({key: world.sessions["sales"][key] for key in ("metadata", "spec")})
    world.look()
    writes = world.writes

    for _ in range(5):
        world.tick(3)
        world.keep_answering()
        decision = world.look()
        assert (world.status(), ()) == (decision.status, decision.actions)

    assert writes == world.writes
    assert before == {key: world.sessions["sales"][key] for key in ("metadata", "spec")}
