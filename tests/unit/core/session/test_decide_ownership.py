"""Pods that name a session as their owner and that the operator did not make: the session's affair, and nobody else's."""

from decimal import Decimal

import pytest
from unit.core.fake_cluster import FakeCluster, running
from unit.core.raw_objects import Json
from whatsapp_operator.core.decision import DeletePod

SIZES = ["8Ei", "-1", "NaN", "768Mi"]


def impostor(cluster: FakeCluster, *, name: str = "sales", size: str = "8Ei") -> Json:
    """Let a person make a pod with a true owner reference, under this name, as large as it likes."""
    session = cluster.sessions["sales"]["metadata"]
    owner = {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "name": session["name"],
        "uid": session["uid"],
        "controller": True,
    }
    cluster.pods[name] = {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"impostor-{name}",
            "ownerReferences": [owner],
            "labels": {"wasession.dev/quota": "default", "wasession.dev/session-uid": session["uid"]},
        },
        "spec": {"containers": [{"name": "runner", "resources": {"limits": {"memory": size}}}]},
        "status": {"phase": "Pending"},
    }
    return cluster.pods[name]


@pytest.mark.parametrize("size", SIZES)
def test_a_pod_takes_no_place_that_its_session_did_not_get(size: str) -> None:
    """The quota is full: neither status nor the quota counts the pod, and the session is told that it waits."""
    cluster = FakeCluster()
    cluster.set_quota(sessions=0)
    cluster.apply()
    impostor(cluster, size=size)

    cluster.settle()

    assert cluster.status().admission is None
    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert 0 == cluster.admission_round().usage["default"].admitted


@pytest.mark.parametrize("size", SIZES)
def test_a_pod_counts_as_its_session_was_admitted(size: str) -> None:
    """An older operator's pod whose session lost its status asks again, and gets what the session wants."""
    cluster = FakeCluster()
    cluster.set_quota(sessions=1)
    cluster.apply()
    impostor(cluster, size=size)

    cluster.settle()

    assert 768 * 2**20 == cluster.reserved_memory()
    assert ("True", "Admitted") == cluster.says("Admitted")
    assert "impostor-sales" == cluster.status().pod_uid


def test_a_small_pod_gives_nothing_of_the_place_back() -> None:
    """Only what the operator sealed says that less is needed."""
    cluster = running()
    del cluster.pods["sales"]
    impostor(cluster, size="1Mi")

    cluster.resync()

    assert 768 * 2**20 == cluster.reserved_memory()


def test_a_sealed_pod_brings_a_lost_place_back() -> None:
    """Status was lost, as after a restore: the pod runs, and the operator's word is on it."""
    cluster = running()
    cluster.sessions["sales"]["status"].pop("admission")
    cluster.set_quota(sessions=0)

    cluster.resync()

    admission = cluster.status().admission
    assert admission is not None
    assert ("default", Decimal(768 * 2**20)) == (admission.quota_name, admission.memory)


def test_a_seal_copied_to_a_second_pod_counts_once_and_stalls_its_session_alone() -> None:
    """Its name is another: the copy is a pod that a person made, of which the operator chooses none."""
    cluster = running()
    second = impostor(cluster, name="second")
    second["metadata"]["annotations"] = dict(cluster.pods["sales"]["metadata"]["annotations"])

    cluster.resync()

    assert ("True", "MultiplePods") == cluster.says("Stalled")
    usage = cluster.admission_round().usage["default"]
    assert (1, 768 * 2**20) == (usage.admitted, usage.memory)
    assert not any(isinstance(action, DeletePod) for action in cluster.done)


@pytest.mark.parametrize("owner", [{"kind": "Job", "apiVersion": "batch/v1"}, {"apiVersion": "wasession.example/v1"}])
def test_an_owner_of_another_kind_with_our_uid_is_nobody(owner: dict[str, str]) -> None:
    """The name is taken by a foreign pod; whether its owner will delete it is not ours to know."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    pod = impostor(cluster)
    pod["metadata"]["ownerReferences"][0] |= owner
    pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "whatsapp-session-operator"

    cluster.resync()

    assert ("True", "NameTaken") == cluster.says("Stalled")
