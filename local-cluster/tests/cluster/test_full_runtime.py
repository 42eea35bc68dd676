"""What the container runtime that is built here gives beyond Debian's, and the other release of Kubernetes on it."""

import json
from collections.abc import Callable

import pytest
from cluster.support import apply, pod, pvc, restricted_namespace, wait_ready, with_pvc
from local_cluster.build import versions
from local_cluster.full.cluster import FullCluster

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


def test_the_node_runs_the_runtime_that_was_built_with_it(full_cluster: FullCluster) -> None:
    """Not one that the machine has, whose release nobody chose."""
    info = json.loads(full_cluster.kubectl("get", "node", full_cluster.name, "-o", "json"))["status"]["nodeInfo"]
    go_mod = (versions.GO_MODULES / "containerd" / "go.mod").read_text()
    required = versions.required_version(go_mod, "github.com/containerd/containerd/v2")

    assert info["containerRuntimeVersion"] == f"containerd://{required.removeprefix('v')}"
    assert info["kubeletVersion"] == versions.chosen().version


def test_a_pod_has_a_user_namespace_of_its_own(full_cluster: FullCluster, namespace: str) -> None:
    """Its user is nobody on the host, and the files on its volume are its own all the same."""
    apart = with_pvc(pod(namespace, "apart", "/bin/sh", "-c", "touch /data/mine && exec /bin/sleep 3600"), "data")
    apart["spec"]["hostUsers"] = False
    apply(full_cluster, pvc(namespace, "data"), apart)
    wait_ready(full_cluster, namespace, "apart")

    _, outside, length = full_cluster.kubectl(
        "-n", namespace, "exec", "apart", "--", "cat", "/proc/self/uid_map"
    ).split()
    listed = full_cluster.kubectl("-n", namespace, "exec", "apart", "--", "ls", "-ln", "/data/mine").split()
    assert int(outside) >= 65536
    assert int(length) == 65536
    assert listed[2:4] == ["1000", "2000"]


@pytest.mark.other_release
@pytest.mark.timeout(3600)
def test_the_other_release_of_kubernetes_comes_up(
    make_cluster: Callable[[], FullCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node is ready, and a restricted pod runs and is found by its name."""
    other = next(release for release in versions.releases() if release != versions.chosen())
    monkeypatch.setenv(versions.VARIABLE, other.version)
    cluster = make_cluster()
    name = restricted_namespace(cluster)
    apply(cluster, pod(name, "first"))
    wait_ready(cluster, name, "first")

    found = cluster.kubectl("-n", name, "exec", "first", "--", "nslookup", "kubernetes.default.svc.cluster.local.")
    node = json.loads(cluster.kubectl("get", "node", cluster.name, "-o", "json"))
    assert "10.96.0.1" in found
    assert other.version == node["status"]["nodeInfo"]["kubeletVersion"]
