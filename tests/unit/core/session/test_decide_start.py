"""From a new session to a running pod: two status writes, three creates, and nothing before its place is written.

The Secrets for people come after the pod, and status names them when they exist.
"""

import copy
from datetime import timedelta

import pytest
from session_protocol.phone_number_id import phone_number_id
from session_protocol.vocabulary import RunnerState
from support.facts import T0
from unit.core.fake_cluster import FakeCluster, new, running
from whatsapp_operator.core.decision import CreatePod, CreatePVC, CreateSecret, CreateService
from whatsapp_operator.core.model import AssumedReservation, SessionUID

PENDING = ("False", "PodStarting")

POD = ["CreateSecret", "CreatePod", *["CreateSecret"] * 5]
""" The Secret that it mounts, the pod, and the Secrets for observing, linking, messaging, reading, administering. """


def admitted() -> FakeCluster:
    """Return a cluster whose session was just let in."""
    cluster = new()
    cluster.look()
    cluster.admission_round()
    return cluster


def test_a_new_session_wants_in_and_does_nothing_else() -> None:
    """No object before its place."""
    cluster = new()

    decision = cluster.decide()

    assert decision.wants_admission
    assert ((), False, None) == (decision.actions, decision.commit, decision.poll)
    assert "Queued" == decision.status.state


def test_its_first_status_is_held_back_for_the_round() -> None:
    """The round answers in a moment: one write, not two."""
    decision = new().decide()

    assert decision.delay_status_until is not None
    assert decision.delay_status_until <= T0 + timedelta(seconds=5)


def test_the_reservation_is_written_before_the_pod_is_made() -> None:
    """A grant alone makes no pod: a crash would lose it, and the quota would be exceeded. What it needs may be made."""
    decision = admitted().decide()

    assert decision.commit
    assert () == decision.actions
    assert [CreateService, CreatePVC, CreateSecret] == [type(action) for action in decision.alongside]
    assert decision.status.admission is not None
    assert {"quotaName": "default", "reservedAt": "2026-11-22T18:00:00Z", "memory": "768Mi"} == (
        decision.status.admission.to_dict()
    )


def test_a_claim_that_counts_is_made_after_the_reservation_that_counts_it() -> None:
    """The reservation may turn out to be withdrawn while it is being stored, and another session be given the storage."""
    cluster = new()
    cluster.quotas["default"]["spec"]["storage"] = "10Gi"
    cluster.look()
    cluster.admission_round()
    decision = cluster.decide()

    assert [CreateService, CreateSecret] == [type(action) for action in decision.alongside]


def test_then_all_is_made_in_order() -> None:
    """Service, claim, Secret, pod: what the pod needs before the pod, and what people need after it."""
    cluster = admitted()
    cluster.look()

    assert ["CreateService", "CreatePVC", *POD] == cluster.kinds_done


def test_what_exists_is_not_made_again() -> None:
    """A second session makes no second Service; a retained claim is used."""
    cluster = running()
    cluster.delete_session()
    cluster.gone()
    cluster.done.clear()
    cluster.apply()
    cluster.settle()

    assert POD == cluster.kinds_done


def test_an_existing_claim_is_not_made() -> None:
    """It is the person's: nothing is written to it."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.release_claim("theirs")
    cluster.apply(spec={"profile": {"existingClaim": "theirs"}})
    cluster.settle()

    assert CreatePVC not in {type(action) for action in cluster.done}
    assert "theirs" == cluster.status().pvc_name


def test_two_status_writes_to_running() -> None:
    """The reservation, and the running pod; between them the way is held back."""
    cluster = admitted()
    cluster.look()
    assert 1 == cluster.status_writes
    cluster.schedule()

    decision = cluster.decide()

    assert decision.status != cluster.status()
    assert decision.delay_status_until is not None
    cluster.run()
    assert cluster.decide().delay_status_until is None
    cluster.look()
    assert 2 == cluster.status_writes


def test_a_slow_start_is_reported_after_five_seconds() -> None:
    """A person who waits wants to see where it hangs."""
    cluster = admitted()
    cluster.look()
    cluster.wait(reason="ImagePullBackOff", message='Back-off pulling image "x"')
    cluster.tick(5)

    assert cluster.decide().delay_status_until is None
    cluster.look()
    assert ("False", "ImagePullBackOff") == cluster.says("Ready")
    assert 'Back-off pulling image "x"' == cluster.condition("Ready").message
    assert "Pending" == cluster.status().state


def test_an_image_that_cannot_be_pulled_is_reported_once() -> None:
    """The kubelet says ErrImagePull and ImagePullBackOff by turns; that is one matter, not a write each minute."""
    cluster = admitted()
    cluster.look()
    cluster.tick(5)
    for reason in ("ErrImagePull", "ImagePullBackOff"):
        cluster.wait(reason=reason, message=f"{reason}: no such image")
        cluster.look()
        assert ("False", reason) == cluster.says("Ready")
    writes = cluster.writes
    for reason in ("ErrImagePull", "ImagePullBackOff") * 3:
        cluster.wait(reason=reason, message=f"{reason}: no such image")
        cluster.look()

    assert writes == cluster.writes
    assert ("False", "ImagePullBackOff") == cluster.says("PodReady")
    cluster.wait(reason="CreateContainerConfigError", message="secret not found")
    cluster.look()
    assert ("False", "CreateContainerConfigError") == cluster.says("Ready")


def test_the_commit_has_all_that_is_known() -> None:
    """Names, endpoint, selector, the id for clients: no further write for them. It names no Secret that does not exist."""
    cluster = admitted()
    cluster.refuse = {CreateService, CreatePVC, CreateSecret, CreatePod}
    status = cluster.decide().status

    assert (None, None) == (status.token_secret_name, status.token_secrets)
    assert ("Pending", "sales-profile", "http://sales.whatsapp-sessions.shop.svc:8080", 0) == (
        status.state,
        status.pvc_name,
        status.endpoint,
        status.replicas,
    )
    assert "wasession.dev/session-uid=session-1" in (status.selector or "")
    assert phone_number_id("shop", "sales") == status.phone_number_id


def test_a_running_pod_is_in_status_with_all_its_facts() -> None:
    """Name, UID, node, image, Secrets, replicas."""
    cluster = running()
    pod, status = cluster.pods["sales"], cluster.status()

    assert ("sales", pod["metadata"]["uid"], "node-1", "registry.example/runner:1", 1) == (
        status.pod_name,
        status.pod_uid,
        status.node_name,
        status.image,
        status.replicas,
    )
    named = [status.token_secret_name, *(status.token_secrets.to_dict().values() if status.token_secrets else ())]
    assert ["observing", "linking", "messaging", "reading", "administering"] == [
        str(name).split("-")[3] for name in named
    ]
    assert pod["spec"]["volumes"][1]["secret"]["secretName"] not in named
    assert ("True", "Admitted") == cluster.says("Admitted")
    assert ("True", "PodReady") == cluster.says("PodReady")
    assert ("True", "Scheduled") == cluster.says("PodScheduled")
    assert ("False", "NotSuspended") == cluster.says("Suspended")
    assert 0 == (status.recovery and status.recovery.restarts)


def test_every_condition_has_the_generation() -> None:
    """`kubectl wait` trusts it."""
    cluster = running()
    cluster.apply(spec={"priority": 7})
    cluster.look()

    assert 2 == cluster.status().observed_generation
    assert {2} == {condition.observed_generation for condition in cluster.status().conditions}


def test_unschedulable_is_copied_verbatim() -> None:
    """And the pod is left alone for it until the start timeout: the scheduler tries again by itself."""
    cluster = admitted()
    cluster.look()
    cluster.pods["sales"]["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: …"}
    ]
    for _ in range(9):
        cluster.tick(60)
        cluster.look()

    scheduled = cluster.condition("PodScheduled")
    assert ("False", "Unschedulable") == cluster.says("PodScheduled")
    assert "0/3 nodes are available: …" == scheduled.message
    assert ("False", "Unschedulable") == cluster.says("Ready")
    assert ["CreateService", "CreatePVC", *POD] == cluster.kinds_done


def test_a_claim_without_a_volume_is_reported_after_a_minute() -> None:
    """The scheduler waits for a provisioner in silence. A cloud's usual half a minute is no news and no write."""
    cluster = admitted()
    cluster.look()
    cluster.pvcs["sales-profile"]["status"] = {"phase": "Pending"}
    cluster.tick(30)
    cluster.look()
    assert PENDING == cluster.says("Ready")

    due = cluster.decide().requeue_at
    assert due is not None
    cluster.tick((due - cluster.now).total_seconds())
    cluster.look()
    assert ("False", "VolumeNotBound") == cluster.says("Ready")
    assert ("False", "VolumeNotBound") == cluster.says("PodReady")
    assert "the volume of its PersistentVolumeClaim sales-profile" in cluster.condition("Ready").message
    assert "kubectl describe pvc" in cluster.condition("Ready").message

    writes = cluster.writes
    cluster.tick(1200)
    cluster.look()
    assert writes == cluster.writes
    assert ["CreateService", "CreatePVC", *POD] == cluster.kinds_done


def test_the_schedulers_own_impatience_says_less_than_the_claim() -> None:
    """After ten minutes it speaks of a deadline; which volume is missing is still the matter."""
    cluster = admitted()
    cluster.look()
    cluster.pvcs["sales-profile"]["status"] = {"phase": "Pending"}
    impatient = {"reason": "SchedulerError", "message": "binding volumes: context deadline exceeded"}
    cluster.pods["sales"]["status"]["conditions"] = [{"type": "PodScheduled", "status": "False"} | impatient]
    cluster.tick(600)
    cluster.look()

    assert ("False", "VolumeNotBound") == cluster.says("Ready")
    assert ("False", "SchedulerError") == cluster.says("PodScheduled")


def test_a_persons_own_claim_is_not_watched() -> None:
    """A claim that is left from before `existingClaim` was set says nothing of the volume that is used."""
    cluster = admitted()
    cluster.look()
    left = copy.deepcopy(cluster.pvcs["sales-profile"])
    left["status"] = {"phase": "Pending", "conditions": [{"type": "NodeResizeError", "status": "True"}]}
    mine = FakeCluster()
    mine.set_quota()
    mine.apply(spec={"profile": {"existingClaim": "mine"}})
    mine.pvcs["sales-profile"] = left
    mine.release_claim("mine")
    mine.look()
    mine.admission_round()
    mine.look()
    mine.tick(1200)
    mine.look()

    assert PENDING == mine.says("Ready")
    assert ("False", "NotStalled") == mine.says("Stalled")


def test_a_pod_that_has_a_node_waits_for_no_claim() -> None:
    """What it waits for then is the kubelet's to tell; events have it, so the message names them."""
    cluster = admitted()
    cluster.look()
    cluster.pvcs["sales-profile"]["status"] = {"phase": "Pending"}
    cluster.schedule()
    cluster.wait(reason="ContainerCreating")
    cluster.tick(1200)
    cluster.look()

    assert PENDING == cluster.says("Ready")
    assert "kubectl describe pod" in cluster.condition("Ready").message


def test_who_waits_has_the_refusals_message() -> None:
    """Admitted and Ready are False with its reason and text, and the state is Queued."""
    cluster = new(sessions=0)
    cluster.look()
    cluster.admission_round()
    cluster.look()

    text = "Maximum concurrent sessions limit reached (0). Please terminate some sessions first."
    for kind in ("Admitted", "Ready"):
        assert ("False", "QuotaExceeded") == cluster.says(kind)
        assert text == cluster.condition(kind).message
    assert "Queued" == cluster.status().state
    assert cluster.decide().wants_admission
    assert [] == cluster.done


def test_a_restarted_operator_repeats_the_refusal_until_it_knows_better() -> None:
    """No write for not having asked yet."""
    cluster = new(sessions=0)
    cluster.resync()
    writes = cluster.writes
    cluster.restart_operator()
    cluster.look()

    assert writes == cluster.writes
    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert cluster.decide().wants_admission


def test_an_assumed_reservation_for_another_pod_is_not_used() -> None:
    """The spec was edited since: it applies anew."""
    cluster = new()
    stale = AssumedReservation(session_uid=SessionUID("session-1"), quota_name="default", memory=1, reserved_at=T0)
    cluster.memory.assumed[SessionUID("session-1")] = stale

    decision = cluster.decide()

    assert decision.wants_admission
    assert decision.status.admission is None


def test_a_refused_pod_is_reported_and_tried_again_later() -> None:
    """A namespace's ResourceQuota, an admission webhook: not before its time, then again, and it ends with success."""
    cluster = admitted()
    cluster.refuse = {CreatePod}
    cluster.look()

    assert cluster.decide().actions == ()
    assert ("False", "Forbidden") == cluster.says("Ready")
    assert "Cannot create Pod sales: exceeded quota: pods=10" == cluster.condition("Ready").message
    assert ("True", "FailedCreate") == cluster.says("CallFailed")
    assert "Pending" == cluster.status().state
    assert T0 + timedelta(seconds=1) == cluster.decide().requeue_at

    cluster.refuse.clear()
    cluster.tick(1)
    cluster.settle()
    assert ("False", "RunnerStarting") == cluster.says("Ready")
    assert "CallFailed" not in {each.type for each in cluster.status().conditions}


def test_the_service_is_made_again_for_a_pod_that_lost_it() -> None:
    """Somebody deleted it."""
    cluster = running()
    cluster.services.clear()
    cluster.look()

    assert CreateService is type(cluster.done[-1])
    assert 1 == len(cluster.services)


def test_a_pod_takes_its_place_also_without_a_reservation() -> None:
    """Status was lost somehow; the pod is counted, so its place is written again."""
    cluster = running()
    del cluster.sessions["sales"]["status"]["admission"]
    cluster.look()

    admission = cluster.status().admission
    assert admission is not None
    assert {"quotaName": "default", "reservedAt": "2026-11-22T18:00:00Z", "memory": "768Mi"} == admission.to_dict()


def test_edits_wait_for_the_next_pod_and_that_is_reported() -> None:
    """With how to have them now; nothing is restarted for them."""
    cluster = running()
    cluster.apply(spec={"pod": {"image": "registry.example/runner:2"}})
    cluster.look()

    assert "restart-at" in cluster.condition("PodReady").message
    assert "registry.example/runner:1" == cluster.status().image
    assert () == cluster.decide().actions

    cluster.annotate(restart_at="2026-11-22T18:05:00Z")
    cluster.settle()
    assert "restart-at" not in cluster.condition("PodReady").message
    assert "registry.example/runner:2" == cluster.status().image


def test_more_memory_is_admitted_before_the_next_pod() -> None:
    """A refused larger place gives the smaller one back: no session waits with a place in hand."""
    cluster = running()
    cluster.set_quota(memory="768Mi")
    cluster.apply(spec={"resources": {"limits": {"memory": "1Gi"}}})
    cluster.resync()
    assert ("True", "Admitted") == cluster.says("Admitted")
    cluster.delete_pod()
    cluster.gone()
    cluster.look()
    assert 768 * 2**20 == cluster.reserved_memory()
    cluster.resync()

    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert cluster.status().admission is None

    cluster.set_quota(memory="1Gi")
    cluster.settle()
    assert 1024 * 2**20 == cluster.reserved_memory()
    assert "1Gi" == cluster.pods["sales"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def test_two_that_want_more_do_not_wait_for_each_other() -> None:
    """Each holds less than it needs, and together they fill the quota: one of them runs."""
    cluster = FakeCluster()
    cluster.set_quota(memory="1600Mi")
    for name in ("a", "b"):
        cluster.apply(name)
    cluster.settle()
    for name in ("a", "b"):
        cluster.apply(name, spec={"resources": {"limits": {"memory": "1Gi"}}})
        cluster.gone(name)
    cluster.settle()

    assert ["a"] == list(cluster.pods)
    assert ("False", "QuotaExceeded") == cluster.says("Admitted", "b")


def test_less_memory_gives_the_difference_back_with_the_next_pod() -> None:
    """The pod that runs still counts in full."""
    cluster = running()
    cluster.apply(spec={"resources": {"limits": {"memory": "512Mi"}}})
    cluster.resync()
    assert 768 * 2**20 == cluster.reserved_memory()

    cluster.delete_pod()
    cluster.settle()
    assert 512 * 2**20 == cluster.reserved_memory()


def test_the_same_observation_gives_the_same_decision() -> None:
    """Word for word, at any point on the way."""
    cluster = admitted()
    for step in (cluster.look, cluster.run, cluster.look, cluster.say, cluster.look):
        step()
        assert cluster.decide() == cluster.decide()


@pytest.mark.parametrize("state", [*RunnerState, "Hibernating"])
def test_at_rest_nothing_is_written(state: str) -> None:
    """Whatever the runner says, once it is written, it is written; spec and metadata are never touched."""
    cluster = running(state=state)
    before = copy.deepcopy({key: cluster.sessions["sales"][key] for key in ("metadata", "spec")})
    cluster.look()
    writes = cluster.writes

    for _ in range(5):
        cluster.tick(3)
        cluster.keep_answering()
        decision = cluster.look()
        assert (cluster.status(), ()) == (decision.status, decision.actions)

    assert writes == cluster.writes
    assert before == {key: cluster.sessions["sales"][key] for key in ("metadata", "spec")}
