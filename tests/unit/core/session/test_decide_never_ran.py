"""A pod that never ran is replaced when it cannot become what the session needs; one that has run is not."""

from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import FakeCluster
from unit.core.session.waiting_pods import GOOD, deleted, let_go, pass_time, pending
from whatsapp_operator.core.decision import CreatePod, CreatePVC

# --- edits


@pytest.mark.parametrize(
    "edit",
    [
        GOOD,
        {"pod": {"nodeSelector": {"disk": "ssd"}}},
        {"resources": {"limits": {"memory": "512Mi"}}},
        {"pod": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}},
        {"pod": {"labels": {"team": "x"}}},
        {"timeouts": {"startup": "2m"}},
    ],
    ids=["image", "nodeSelector", "resources", "tolerations", "labels", "timeouts"],
)
@pytest.mark.parametrize(
    "wait", [None, "ContainerCreating", "ImagePullBackOff", "CreateContainerConfigError", "InvalidImageName"]
)
def test_a_pod_that_never_ran_is_replaced_after_an_edit(edit: dict[str, Any], wait: str | None) -> None:
    """Said in words before the pod goes; the next one is as the spec is now, and the place is kept all the time."""
    cluster = pending(wait=wait)
    cluster.apply(spec=edit)
    cluster.look_once()

    assert ("True", "PodOutdated") == cluster.says("Recovering")
    assert "has never run" in cluster.condition("Recovering").message
    assert [] == deleted(cluster)
    cluster.look()
    assert ["PodOutdated"] == deleted(cluster)
    assert ("True", "PodOutdated") == cluster.says("Recovering")
    assert [] == [
        event for event in cluster.events if event.action == "Recovering" and "never run" not in event.message
    ]
    let_go(cluster)

    assert ("True", "Admitted") == cluster.says("Admitted")
    assert ["PodOutdated"] == deleted(cluster)
    assert 2 == sum(isinstance(action, CreatePod) for action in cluster.done)
    cluster.run()
    cluster.resync()
    assert ["PodOutdated"] == deleted(cluster)


def test_an_unschedulable_pod_is_replaced_after_an_edit() -> None:
    """It has no node yet."""
    cluster = pending(wait=None)
    cluster.pods["sales"]["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    ]
    cluster.apply(spec=GOOD)
    cluster.resync()

    assert ["PodOutdated"] == deleted(cluster)


def test_a_pod_whose_init_container_waits_is_replaced_after_an_edit() -> None:
    """And why it waits is told: the runner itself only says that the pod initializes."""
    cluster = pending(wait="PodInitializing")
    why = {"reason": "ImagePullBackOff", "message": "no image for the proxy"}
    cluster.pods["sales"]["status"]["initContainerStatuses"] = [
        {"name": "done", "state": {"terminated": {"exitCode": 0}}},
        {"name": "proxy", "state": {"waiting": why}},
    ]
    cluster.tick(6)
    cluster.resync()
    assert ("False", "ImagePullBackOff") == cluster.says("Ready")
    assert "no image for the proxy" == cluster.condition("Ready").message

    cluster.apply(spec=GOOD)
    cluster.resync()
    assert ["PodOutdated"] == deleted(cluster)


def _restarted(status: dict[str, Any]) -> None:
    status["containerStatuses"] = [
        {
            "name": "runner",
            "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "startedAt": "2026-11-22T18:00:00Z"}},
        }
    ]


@pytest.mark.parametrize("state", ["running", "restarted", "another container"])
def test_a_pod_that_ran_at_any_time_is_not_replaced_for_an_edit(state: str) -> None:
    """Also if a webhook had its container restarted in place, and it waits now; the edit waits for the next pod."""
    cluster = pending(wait=None)
    cluster.run()
    cluster.say(RunnerState.QR_PENDING)
    cluster.resync()
    status = cluster.pods["sales"]["status"]
    if state == "restarted":
        status["phase"] = "Pending"
        _restarted(status)
    elif state == "another container":
        status["phase"] = "Pending"
        status["containerStatuses"].append({"name": "proxy", "state": {"waiting": {"reason": "ImagePullBackOff"}}})
    cluster.apply(spec=GOOD)
    cluster.resync()
    cluster.pvcs.clear()
    pass_time(cluster, 60)

    assert [] == deleted(cluster)


def test_an_edit_that_changes_nothing_of_the_pod_replaces_nothing() -> None:
    """Such as one of the recovery."""
    cluster = pending()
    cluster.apply(spec={"recovery": {"maxAttempts": 9}, "priority": 3})
    cluster.resync()

    assert [] == deleted(cluster)


def test_a_larger_pod_waits_for_a_larger_place() -> None:
    """Replaced, and then told that there is no room for it: its place is another's."""
    cluster = pending()
    cluster.set_quota(memory="1Gi")
    cluster.apply(spec={"resources": {"limits": {"memory": "2Gi"}}})
    cluster.resync()
    let_go(cluster)
    cluster.resync()

    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert cluster.status().admission is None


# --- claims


def test_a_pod_is_replaced_when_its_claim_is_deleted_under_it() -> None:
    """The claim cannot go while the pod has it: the pod makes way, and both are made anew."""
    cluster = pending()
    cluster.pvcs["sales-profile"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    cluster.resync()

    assert ["ClaimTerminating"] == deleted(cluster)
    assert "is being deleted" in cluster.condition("Recovering").message
    del cluster.pvcs["sales-profile"]
    let_go(cluster)
    assert 2 == sum(isinstance(action, CreatePVC) for action in cluster.done)
    assert 2 == sum(isinstance(action, CreatePod) for action in cluster.done)


def test_a_pod_is_replaced_when_its_claim_is_gone() -> None:
    """A claim goes at once under a pod that has no node."""
    cluster = pending(wait=None)
    cluster.pvcs.clear()
    cluster.resync()

    assert ["ClaimNotFound"] == deleted(cluster)
    let_go(cluster)
    assert 2 == sum(isinstance(action, CreatePVC) for action in cluster.done)


@pytest.mark.parametrize("gone", [False, True])
def test_a_pod_makes_way_for_a_persons_own_claim(gone: bool) -> None:  # noqa: FBT001
    """And takes no place until there is another one of that name."""
    cluster = FakeCluster()
    cluster.set_quota(sessions=1)
    cluster.apply(spec={"profile": {"existingClaim": "mine"}})
    cluster.release_claim("mine")
    cluster.resync()
    cluster.resync()
    cluster.pvcs["mine"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:10Z"
    if gone:
        del cluster.pvcs["mine"]
    cluster.resync()

    reason = "ClaimNotFound" if gone else "ClaimTerminating"
    assert [reason] == deleted(cluster)
    let_go(cluster)
    assert ("False", reason) == cluster.says("Ready")
    assert cluster.status().admission is None
    assert 0 == cluster.admission_round().usage["default"].admitted
    cluster.release_claim("mine")
    cluster.settle()
    assert "sales" in cluster.pods
    assert ("True", "Admitted") == cluster.says("Admitted")


def test_a_pod_that_somebody_else_made_is_left_alone() -> None:
    """It bears the session as its owner and no hash of a template: what it waits for is not ours."""
    cluster = pending(wait=None)
    del cluster.pods["sales"]["metadata"]["annotations"]["wasession.dev/made-from"]
    cluster.pvcs.clear()
    cluster.apply(spec=GOOD)
    cluster.resync()

    assert [] == deleted(cluster)


# --- Secrets


@pytest.mark.parametrize("wait", ["ContainerCreating", "PodInitializing"])
def test_a_pod_that_does_not_start_in_silence_gets_its_secrets_again(wait: str) -> None:
    """Somebody deleted them before they were mounted: they are made once more for this pod, and the kubelet goes on."""
    cluster = pending(wait=wait)
    (mounted,) = [v["secret"]["secretName"] for v in cluster.pods["sales"]["spec"]["volumes"] if "secret" in v]
    cluster.secrets.clear()
    pass_time(cluster, 0.5)
    assert {} == cluster.secrets
    pass_time(cluster, 1)

    assert [mounted] == list(cluster.secrets)
    writes = cluster.writes
    pass_time(cluster, 10)
    assert ([], writes) == (deleted(cluster), cluster.writes)


@pytest.mark.parametrize("wait", [None, "ImagePullBackOff"])
def test_secrets_are_not_made_again_for_a_pod_that_waits_for_something_else(wait: str | None) -> None:
    """It has no node yet, or the kubelet says what is wrong: its volumes are mounted by then."""
    cluster = pending(wait=wait)
    cluster.secrets.clear()
    pass_time(cluster, 8)

    assert {} == cluster.secrets
