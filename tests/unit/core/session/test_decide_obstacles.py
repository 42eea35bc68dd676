"""What stands in the way of a pod, and what is never touched."""

import copy
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import new, running
from whatsapp_operator.core.decision import CreatePod, CreatePVC, DeletePod, PatchPVC


def foreign(name: str, **metadata: Any) -> dict[str, Any]:
    """Return somebody else's object."""
    return {"metadata": {"name": name, "namespace": "shop", "uid": "foreign"} | metadata, "spec": {}, "status": {}}


@pytest.mark.parametrize(
    ("plural", "name"), [("pods", "sales"), ("pvcs", "sales-profile"), ("services", "whatsapp-sessions")]
)
def test_a_foreign_object_of_our_name_is_reported_and_left_alone(plural: str, name: str) -> None:
    """Never adopted, changed or deleted; no place is taken; it goes on by itself when the object is gone."""
    cluster = new()
    theirs = foreign(name)
    getattr(cluster, plural)[name] = theirs
    before = copy.deepcopy(theirs)
    cluster.resync()
    cluster.resync()

    assert ("True", "NameTaken") == cluster.says("Stalled")
    assert name in cluster.condition("Stalled").message
    assert ("Stalled", None) == (cluster.status().state, cluster.status().admission)
    assert before == theirs
    assert [] == cluster.done
    assert {} == cluster.memory.assumed

    del getattr(cluster, plural)[name]
    cluster.settle()
    assert "CreatePod" in cluster.kinds_done
    assert ("False", "NotStalled") == cluster.says("Stalled")


def test_the_terminating_pod_of_a_deleted_session_is_waited_for() -> None:
    """Deleted and re-applied: not stalled, it goes by itself; the profile is the same."""
    cluster = running()
    cluster.delete_session()
    cluster.done.clear()
    cluster.apply(uid="another")
    cluster.resync()

    assert ("False", "PreviousPodTerminating") == cluster.says("Ready")
    assert ("False", "NotStalled") == cluster.says("Stalled")
    assert [] == cluster.done
    cluster.gone()
    cluster.settle()
    assert ["CreateSecret", "CreatePod", *["CreateSecret"] * 5] == cluster.kinds_done
    assert 0 == (cluster.status().recovery and cluster.status().recovery.restarts)  # type: ignore[union-attr]


def test_an_orphaned_pod_of_a_deleted_session_is_a_persons_business() -> None:
    """Without an owner nothing will ever delete it."""
    cluster = running()
    pod = cluster.pods["sales"]
    cluster.delete_session()
    pod["metadata"].pop("deletionTimestamp")
    pod["metadata"].pop("ownerReferences")
    cluster.apply(uid="another")
    cluster.resync()

    assert ("True", "NameTaken") == cluster.says("Stalled")


def test_of_two_pods_none_is_chosen() -> None:
    """A person gave a second one our owner reference: deleting either could end the session."""
    cluster = running()
    other = copy.deepcopy(cluster.pods["sales"])
    other["metadata"] |= {"name": "copy", "uid": "copy"}
    cluster.pods["copy"] = other
    done = len(cluster.done)
    for change in ({}, {"operatingMode": "Suspended"}):
        cluster.apply(spec=change)
        cluster.resync()
        assert ("True", "MultiplePods") == cluster.says("Stalled")
        assert "copy, sales" in cluster.condition("Stalled").message
        assert done == len(cluster.done)

    cluster.apply(spec={})
    cluster.gone("copy")
    cluster.resync()
    assert ("False", "NotStalled") == cluster.says("Stalled")


def test_a_pod_that_is_being_deleted_is_no_duplicate() -> None:
    """One of the two is already being deleted."""
    cluster = running()
    other = copy.deepcopy(cluster.pods["sales"])
    other["metadata"] |= {"name": "copy", "uid": "copy", "deletionTimestamp": "2026-11-22T18:00:00Z"}
    cluster.pods["copy"] = other
    cluster.resync()

    assert ("False", "NotStalled") == cluster.says("Stalled")


def test_a_claim_that_is_being_deleted_is_waited_for() -> None:
    """A profile on it would be lost under a running browser."""
    cluster = running()
    cluster.pvcs["sales-profile"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    cluster.gone()
    cluster.resync()
    assert ("Pending", ("False", "ClaimTerminating")) == (cluster.status().state, cluster.says("Ready"))
    assert 1 == cluster.kinds_done.count("CreatePod")

    del cluster.pvcs["sales-profile"]
    cluster.settle()
    assert (2, 2) == (cluster.kinds_done.count("CreatePVC"), cluster.kinds_done.count("CreatePod"))


def test_a_claim_that_belongs_to_a_deleted_session_is_waited_for() -> None:
    """Garbage collection is on its way to it."""
    cluster = running(spec={"profile": {"retention": "Delete"}})
    pvc = cluster.pvcs["sales-profile"]
    cluster.delete_session()
    cluster.gone()
    cluster.pvcs["sales-profile"] = pvc
    cluster.apply(uid="another", spec={"profile": {"retention": "Delete"}})
    cluster.resync()

    assert ("False", "ClaimTerminating") == cluster.says("Ready")


@pytest.mark.parametrize("mode", ["Running", "Suspended"])
def test_retention_is_switched_on_the_claim(mode: str) -> None:
    """To and fro, pod or no pod; the claim itself is never deleted or made anew."""
    cluster = running()
    cluster.apply(spec={"operatingMode": mode, "profile": {"retention": "Delete"}})
    cluster.settle()
    assert ["session-1"] == [owner["uid"] for owner in cluster.pvcs["sales-profile"]["metadata"]["ownerReferences"]]

    cluster.apply(spec={"operatingMode": mode})
    cluster.settle()
    assert "ownerReferences" not in cluster.pvcs["sales-profile"]["metadata"]
    assert 2 == cluster.kinds_done.count("PatchPVC")
    assert 1 == cluster.kinds_done.count("CreatePVC")


def test_a_claim_grows_while_the_session_runs() -> None:
    """Once."""
    cluster = running()
    cluster.apply(spec={"profile": {"size": "3Gi"}})
    cluster.resync()
    cluster.resync()

    assert "3Gi" == cluster.pvcs["sales-profile"]["spec"]["resources"]["requests"]["storage"]
    assert 1 == cluster.kinds_done.count("PatchPVC")


def test_a_storage_that_cannot_grow_is_reported_and_the_session_runs_on() -> None:
    """Asked again only when its time has come; a pod is made all the same."""
    cluster = running()
    cluster.refuse = {PatchPVC}
    cluster.apply(spec={"profile": {"size": "3Gi"}})
    cluster.resync()
    cluster.resync()
    assert ("True", "ClaimResizeRefused") == cluster.says("Stalled")
    assert "exceeded quota: pods=10" in cluster.condition("Stalled").message
    assert ("True", "Connected") == cluster.says("Ready")
    assert () == cluster.decide().actions
    writes = cluster.writes
    cluster.resync()
    assert writes == cluster.writes

    cluster.gone()
    cluster.settle()
    assert 2 == cluster.kinds_done.count("CreatePod")


def test_a_storage_that_takes_the_size_and_fails_later_is_reported() -> None:
    """The API server let it pass; the claim says why it did not grow. Its new attempts are no news; its success is."""
    cluster = running()
    cluster.apply(spec={"profile": {"size": "3Gi"}})
    cluster.settle()
    fault = {"type": "ControllerResizeError", "status": "True", "message": "no space left in the pool"}
    cluster.pvcs["sales-profile"]["status"] = {"phase": "Bound", "conditions": [fault]}
    cluster.resync()

    assert ("True", "ClaimResizeRefused") == cluster.says("Stalled")
    assert "no space left in the pool" in cluster.condition("Stalled").message
    assert ("True", "Connected") == cluster.says("Ready")
    assert () == cluster.decide().actions

    writes = cluster.writes
    for again in ({"type": "Resizing", "status": "True"}, fault | {"message": "no space left in the pool (request 7)"}):
        cluster.pvcs["sales-profile"]["status"]["conditions"] = [again]
        cluster.resync()
    assert writes == cluster.writes

    cluster.pvcs["sales-profile"]["status"] = {"phase": "Bound"}
    cluster.resync()
    assert ("False", "NotStalled") == cluster.says("Stalled")


def test_an_unusable_spec_is_reported_and_nothing_is_done() -> None:
    """What was stored under another schema: each field with its reason; the running pod is still listened to."""
    cluster = running()
    cluster.sessions["sales"]["spec"] = {"recovery": {"maxAttempts": "many"}, "operatingMode": "Resting"}
    done = len(cluster.done)
    cluster.say(RunnerState.OFFLINE)
    cluster.resync()

    assert ("True", "InvalidObject") == cluster.says("Stalled")
    assert "spec.recovery.maxAttempts" in cluster.condition("Stalled").message
    assert "spec.operatingMode" in cluster.condition("Stalled").message
    assert ("Offline", ("False", "Offline")) == (cluster.status().state, cluster.says("Ready"))
    cluster.gone()
    cluster.resync()
    assert done == len(cluster.done)


def test_an_unusable_spec_does_not_wake_a_suspended_session() -> None:
    """Nobody knows what it should be: what was said of it stays."""
    cluster = new({"operatingMode": "Suspended"})
    cluster.resync()
    cluster.sessions["sales"]["spec"] = {"operatingMode": "Resting"}
    cluster.settle()

    assert ("True", "Suspended") == cluster.says("Suspended")
    assert [] == cluster.done


def test_an_unusable_spec_does_not_hide_a_stop() -> None:
    """The condition is the only memory of it."""
    cluster = running()
    cluster.say(RunnerState.CONFLICT)
    cluster.resync()
    cluster.sessions["sales"]["spec"] = {"operatingMode": "Resting"}
    cluster.resync()
    assert ("True", "Conflict") == cluster.says("Stalled")
    cluster.gone()
    cluster.sessions["sales"]["spec"] = {}
    cluster.settle()

    assert 1 == cluster.kinds_done.count("CreatePod")


def test_a_session_that_is_being_deleted_ends_its_pod_and_says_no_more() -> None:
    """Something holds it back (foreground deletion, a finalizer); no status is written any more."""
    cluster = running()
    cluster.sessions["sales"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    writes = cluster.status_writes
    cluster.resync()

    assert isinstance(cluster.done[-1], DeletePod)
    cluster.gone()
    cluster.resync()
    assert (writes, 1) == (cluster.status_writes, cluster.kinds_done.count("CreatePod"))


def test_a_retained_claim_is_used_again_by_a_session_of_the_name() -> None:
    """Deleted and re-applied: it gets its login back."""
    cluster = running()
    uid = cluster.pvcs["sales-profile"]["metadata"]["uid"]
    cluster.delete_session()
    cluster.gone()
    cluster.apply(uid="another")
    cluster.settle()

    assert uid == cluster.pvcs["sales-profile"]["metadata"]["uid"]
    assert 1 == sum(isinstance(action, CreatePVC) for action in cluster.done)
    assert 2 == sum(isinstance(action, CreatePod) for action in cluster.done)


MINE = {"profile": {"existingClaim": "mine"}}


def claim_of(session: str) -> dict[str, Any]:
    """Return a claim that the operator made for a session of this name, maybe for one that is gone."""
    labels = {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "wasession.dev/session": session}
    return foreign(f"{session}-profile", labels=labels)


def test_a_claim_that_nobody_has_released_is_not_mounted() -> None:
    """The words say the command; once it is labelled the session goes on by itself, and no place was taken meanwhile."""
    cluster = new({"profile": {"existingClaim": "data-postgres-0"}})
    cluster.pvcs["data-postgres-0"] = foreign("data-postgres-0", labels={"app": "postgres"})
    cluster.resync()
    cluster.resync()

    assert ("True", "NotAllowed") == cluster.says("Stalled")
    command = "kubectl label persistentvolumeclaim data-postgres-0 --namespace shop wasession.dev/profile=true"
    assert command in cluster.condition("Stalled").message
    assert ([], None, {}) == (cluster.done, cluster.status().admission, cluster.memory.assumed)

    cluster.pvcs["data-postgres-0"]["metadata"]["labels"]["wasession.dev/profile"] = "true"
    cluster.settle()
    assert "CreatePod" in cluster.kinds_done
    assert ("False", "NotStalled") == cluster.says("Stalled")


@pytest.mark.parametrize("value", ["", "false", "True", "yes"])
def test_only_true_releases_a_claim(value: str) -> None:
    """Another value of the label is no word of its owner's."""
    cluster = new(MINE)
    cluster.release_claim("mine")["metadata"]["labels"]["wasession.dev/profile"] = value
    cluster.settle()

    assert ("True", "NotAllowed") == cluster.says("Stalled")


@pytest.mark.parametrize("released", [False, True])
def test_another_sessions_claim_is_never_mounted(released: bool) -> None:  # noqa: FBT001
    """A colleague's login stays theirs, whatever labels it got."""
    cluster = new({"profile": {"existingClaim": "bob-profile"}})
    cluster.pvcs["bob-profile"] = claim_of("bob")
    if released:
        cluster.pvcs["bob-profile"]["metadata"]["labels"]["wasession.dev/profile"] = "true"
    cluster.settle()

    assert ("True", "NotAllowed") == cluster.says("Stalled")
    assert "made for the session bob" in cluster.condition("Stalled").message
    assert [] == cluster.done


def test_a_retained_claim_of_the_same_name_is_the_documented_way_back() -> None:
    """Naming it is what the operator does by itself."""
    cluster = new({"profile": {"existingClaim": "sales-profile"}})
    cluster.pvcs["sales-profile"] = claim_of("sales")
    cluster.settle()

    assert "CreatePod" in cluster.kinds_done


def test_a_missing_claim_is_waited_for() -> None:
    """Not stalled: whoever applied the session may apply the claim a moment later."""
    cluster = new(MINE)
    cluster.settle()

    assert ("False", "ClaimNotFound") == cluster.says("Ready")
    assert ("False", "NotStalled") == cluster.says("Stalled")
    cluster.release_claim("mine")
    cluster.settle()
    assert "CreatePod" in cluster.kinds_done


def test_a_running_pod_keeps_a_claim_that_was_never_released() -> None:
    """An upgrade ends nothing: the rule is about the next pod."""
    cluster = new(MINE)
    label = cluster.release_claim("mine")["metadata"]["labels"]
    cluster.settle()
    cluster.schedule()
    cluster.run()
    label.clear()
    cluster.resync()

    assert ("False", "NotStalled") == cluster.says("Stalled")
    assert DeletePod not in {type(action) for action in cluster.done}


FORBIDDEN = {"pod": {"priorityClassName": "system-node-critical"}}


def test_what_the_settings_forbid_gets_no_pod() -> None:
    """Said with the field and the setting; a mended spec goes on."""
    cluster = new(FORBIDDEN)
    cluster.resync()
    cluster.resync()

    assert ("True", "NotAllowed") == cluster.says("Stalled")
    message = cluster.condition("Stalled").message
    assert "spec.pod.priorityClassName: system-node-critical is not allowed here" in message
    assert "ALLOWED_PRIORITY_CLASSES" in message
    assert ([], None, {}) == (cluster.done, cluster.status().admission, cluster.memory.assumed)

    cluster.apply(spec={"pod": {"priorityClassName": "high"}})
    cluster.settle()
    assert "CreatePod" in cluster.kinds_done


def test_a_running_pod_is_kept_though_the_settings_forbid_it_now() -> None:
    """Neither an edit nor a request ends a pod that could not be made again."""
    cluster = running()
    cluster.apply(spec=FORBIDDEN)
    cluster.settle()
    assert ("False", "NotStalled") == cluster.says("Stalled")

    cluster.annotate(**{"restart-at": "2026-11-22T18:30:00Z"})
    cluster.settle()

    assert ("True", "NotAllowed") == cluster.says("Stalled")
    assert DeletePod not in {type(action) for action in cluster.done}
    cluster.apply(spec={})
    cluster.settle()
    assert DeletePod in {type(action) for action in cluster.done}


def test_a_suspended_session_may_ask_for_anything() -> None:
    """Suspending is always possible."""
    cluster = new({"operatingMode": "Suspended", **FORBIDDEN})
    cluster.settle()

    assert ("True", "Suspended") == cluster.says("Suspended")


def test_a_namespace_without_pod_security_is_reported() -> None:
    """Present while it is so, gone when it is labelled or was not looked at; nothing else changes."""
    cluster = running()
    ready = cluster.says("Ready")
    cluster.pod_security = False
    cluster.look()
    assert ("True", "NamespaceNotLabelled") == cluster.says("PodSecurityNotEnforced")
    assert "kubectl label namespace shop pod-security.kubernetes.io/enforce=restricted" in (
        cluster.condition("PodSecurityNotEnforced").message
    )
    writes = cluster.status_writes
    cluster.look()
    assert (writes, ready) == (cluster.status_writes, cluster.says("Ready"))

    for known in (True, None):
        cluster.pod_security = known
        cluster.look()
        assert "PodSecurityNotEnforced" not in {each.type for each in cluster.status().conditions}
