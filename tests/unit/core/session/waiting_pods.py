"""A cluster with one session that has its place and a pod that does not run, and what follows with time."""

from typing import Any

from unit.core.fake_cluster import FakeCluster
from whatsapp_operator.core.decision import DeletePod

GOOD = {"pod": {"image": "registry.example/good:2"}}


def pending(spec: dict[str, Any] | None = None, *, wait: str | None = "ImagePullBackOff") -> FakeCluster:
    """Return a cluster whose only session has a place, and a pod that waits for this reason."""
    cluster = FakeCluster()
    cluster.set_quota(sessions=1)
    cluster.apply(spec=spec)
    cluster.resync()
    cluster.resync()
    if wait is not None:
        cluster.schedule()
        cluster.wait(reason=wait, message=f"{wait}: it says why")
    cluster.resync()
    return cluster


def deleted(cluster: FakeCluster) -> list[str]:
    """Return why pods were deleted, in order."""
    return [action.reason for action in cluster.done if isinstance(action, DeletePod)]


def let_go(cluster: FakeCluster, name: str = "sales") -> None:
    """Let the kubelet remove a pod that was deleted, and the operator look again."""
    assert "deletionTimestamp" in cluster.pods[name]["metadata"]
    cluster.gone(name)
    cluster.resync()


def pass_time(cluster: FakeCluster, minutes: float) -> None:
    """Let time pass, with a resync each minute."""
    for _ in range(int(minutes * 2)):
        cluster.tick(30)
        cluster.resync()


def give_up(cluster: FakeCluster, name: str = "sales") -> None:
    """Let time pass until the session's pod is deleted, and the kubelet remove it."""
    for _ in range(250):
        if "deletionTimestamp" in cluster.pods[name]["metadata"]:
            let_go(cluster, name)
            return
        cluster.tick(30)
        cluster.resync()
    raise AssertionError("the pod is still waited for")


def come_back(cluster: FakeCluster, name: str = "sales") -> None:
    """Let time pass until the session has a pod again, which waits as the one before."""
    for _ in range(40):
        if name in cluster.pods:
            cluster.wait(name, reason="ImagePullBackOff")
            cluster.resync()
            return
        cluster.tick(30)
        cluster.resync()
    raise AssertionError("the session is not tried again")
