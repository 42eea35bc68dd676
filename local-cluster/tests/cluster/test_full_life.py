"""The life of a full cluster: up again, healed, beside another one."""

import contextlib
import datetime as dt
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster.support import INTERRUPTIBLE, apply, command_line, pod, pvc, restricted_namespace, wait_ready, with_pvc
from local_cluster.full import records
from local_cluster.full.cluster import FullCluster
from local_cluster.full.namespaces import disconnect
from local_cluster.full.up import supervisor_of
from local_cluster.pki import LIFETIME, serving_pair, write_private
from session_devtools.processes import end, identify
from session_devtools.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(240)]

QUICK = 10.0  # seconds for `up` on a running cluster: it takes less than one on an idle machine


def _pids(cluster: FullCluster) -> dict[str, int | None]:
    return {component.name: component.pid for component in cluster.status().components}


def _up(cluster: FullCluster) -> float:
    begin = time.monotonic()
    result = command_line("up", "--name", cluster.name)
    # The last line, which says what was wrong, comes first: of a failed run, often nothing but one line is seen.
    assert result.returncode == 0, "\n".join(reversed(result.stderr.splitlines()))
    return time.monotonic() - begin


def _container(cluster: FullCluster, namespace: str, name: str) -> dict[str, object]:
    found = json.loads(cluster.kubectl("-n", namespace, "get", "pod", name, "-o", "json"))
    status = found["status"]["containerStatuses"][0]
    return {
        "uid": found["metadata"]["uid"],
        "id": status["containerID"].removeprefix("containerd://"),
        "restarts": status["restartCount"],
    }


def _wait_until_reported(cluster: FullCluster, namespace: str, name: str) -> None:
    """Wait until the pod is ready and its status tells of the container that really runs.

    After a crash the API server says "ready" of a container that is gone until the kubelet has looked.
    """

    def runs() -> bool:
        wait_ready(cluster, namespace, name)
        container_id = _container(cluster, namespace, name)["id"]
        return any(str(container_id) in _group(pid) for pid in cluster.pids())

    wait_until(f"a process of the container that {name} tells of runs", runs, within=60, every=0.2)


def _group(pid: int) -> str:
    """Its control groups, which name the container; nothing once it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cgroup").read_text()
    return ""


def _kill(cluster: FullCluster, name: str) -> None:
    pid = _pids(cluster)[name]
    assert pid is not None
    identity = identify(pid)
    assert identity is not None
    assert end([identity], grace_period=0) == []


def _crash(cluster: FullCluster) -> None:
    """What a reboot takes away: every process, and with them the mounts; the link; the run folder; the cgroups."""
    instance = cluster.instance
    assert supervisor_of(instance).end_everything() == []
    disconnect(instance)  # or the kernel was quicker: the link goes with the last process inside
    shutil.rmtree(instance.run)


@pytest.fixture(scope="module")
def cluster(make_cluster: Callable[[], FullCluster]) -> FullCluster:
    """A cluster that these tests may hurt."""
    return make_cluster()


@pytest.fixture(scope="module")
def steady(cluster: FullCluster) -> str:
    """The namespace of a pod that should run on whatever happens around it."""
    namespace = restricted_namespace(cluster)
    apply(cluster, pod(namespace, "steady"))
    return namespace


def test_up_on_a_running_cluster_is_quick_and_harmless(cluster: FullCluster) -> None:
    """Nothing is started anew."""
    _up(cluster)
    before = _pids(cluster)
    took = _up(cluster)

    assert took < QUICK
    assert None not in before.values()
    assert before == _pids(cluster)


def test_two_ups_at_once_do_not_disturb_each_other(cluster: FullCluster) -> None:
    """The second waits for the first, and finds nothing to do."""
    before = _pids(cluster)
    command = [sys.executable, "-m", "local_cluster", "up", "--name", cluster.name]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(100) for process in both] == [0, 0]
    assert before == _pids(cluster)


@pytest.mark.parametrize(
    "victims", [["kubelet"], ["containerd"], ["etcd", "kube-apiserver"], ["coredns", "kube-proxy", "provisioner"]]
)
def test_a_component_that_ended_is_started_and_pods_do_not_notice(
    cluster: FullCluster, steady: str, victims: list[str]
) -> None:
    """Only the victims get new processes; containers run on, containerd's too."""
    _wait_until_reported(cluster, steady, "steady")
    before, pids = _container(cluster, steady, "steady"), _pids(cluster)
    for victim in victims:
        _kill(cluster, victim)
    broken = command_line("status", "--name", cluster.name)
    _up(cluster)
    wait_ready(cluster, steady, "steady")
    after = _pids(cluster)

    assert broken.returncode == 1
    assert broken.stdout.count("does not run") == len(victims)
    assert before == _container(cluster, steady, "steady")
    assert sorted(name for name in pids if pids[name] != after[name]) == victims
    assert None not in after.values()


def test_a_cluster_heals_after_a_reboot(cluster: FullCluster) -> None:
    """Processes, mounts, link and run folder are gone; the same objects are there again, and pods run again."""
    namespace = restricted_namespace(cluster)
    write = ("/bin/sh", "-c", "echo line >> /data/lines && exec /bin/sleep 3600")
    apply(cluster, pvc(namespace, "data"), with_pvc(pod(namespace, "survivor", *write), "data"))
    wait_ready(cluster, namespace, "survivor")
    before = _container(cluster, namespace, "survivor")
    old = {pid: identify(pid) for pid in cluster.pids()}
    _crash(cluster)
    _up(cluster)
    cluster.kubectl(
        "-n",
        namespace,
        "wait",
        "pod/survivor",
        "--for=jsonpath={.status.containerStatuses[0].restartCount}=1",
        "--timeout=60s",
    )
    wait_ready(cluster, namespace, "survivor")
    after = _container(cluster, namespace, "survivor")
    lines = cluster.kubectl("-n", namespace, "exec", "survivor", "--", "cat", "/data/lines")

    assert [pid for pid, identity in old.items() if identity is not None and identify(pid) == identity] == []
    assert before["uid"] == after["uid"]
    assert lines == "line\nline\n"
    assert cluster.status().healthy
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.mark.parametrize("lines", [0, 1, 2])
def test_an_interrupted_up_is_finished_by_the_next(cluster: FullCluster, lines: int) -> None:
    """A Ctrl-C in the middle of any of its steps leaves something that the same command completes."""
    _crash(cluster)
    command = [*INTERRUPTIBLE, sys.executable, "-m", "local_cluster", "up", "--name", cluster.name]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not cluster.instance.run.exists():  # it has come to the first step
            assert process.poll() is None
            time.sleep(0.01)
        for _ in range(lines):
            process.stderr.readline()  # a step has ended, and the next one begins
        process.send_signal(signal.SIGINT)
        output = process.stderr.read()
        status = process.wait(60)
    _up(cluster)

    assert status == 130
    assert "the same command again goes on from here" in output
    assert cluster.status().healthy


def test_a_certificate_near_its_end_is_renewed_and_its_holder_started_anew(cluster: FullCluster) -> None:
    """An old cluster does not lock itself out."""
    pki, instance = cluster.instance.plane.pki, cluster.instance
    long_ago = dt.datetime.now(dt.UTC) - LIFETIME + dt.timedelta(days=3)
    hosts = [instance.link.node, instance.node]
    certificate, key = serving_pair(pki, instance.node, hosts=hosts, now=long_ago)
    write_private(pki / "kubelet.crt", certificate)
    write_private(pki / "kubelet.key", key)
    before = _pids(cluster)
    _up(cluster)
    after = _pids(cluster)

    assert certificate != (pki / "kubelet.crt").read_bytes()
    assert [name for name in before if before[name] != after[name]] == ["kubelet"]


def test_two_clusters_stand_side_by_side(cluster: FullCluster, full_cluster: FullCluster) -> None:
    """Each has its own node, objects, addresses and pods; one's pods are reached while the other's run."""
    namespaces = {each.name: restricted_namespace(each) for each in (cluster, full_cluster)}
    for each in (cluster, full_cluster):
        apply(each, pod(namespaces[each.name], "one"))
    for each in (cluster, full_cluster):
        wait_ready(each, namespaces[each.name], "one")

    assert cluster.instance.link.network != full_cluster.instance.link.network
    for each, other in ((cluster, full_cluster), (full_cluster, cluster)):
        assert namespaces[other.name] not in each.kubectl("get", "namespaces")
        assert each.kubectl("get", "nodes", "-o", "name") == f"node/{each.name}\n"
        assert each.kubectl("-n", namespaces[each.name], "exec", "one", "--", "id").startswith("uid=1000")
        each.kubectl("delete", "namespace", namespaces[each.name], "--wait=false")


def test_one_goes_and_the_other_stays(full_cluster: FullCluster, make_cluster: Callable[[], FullCluster]) -> None:
    """`down` ends its own processes and nobody else's."""
    before = _pids(full_cluster)
    third = make_cluster()
    gone = command_line("down", "--name", third.name)
    again = command_line("down", "--name", third.name)

    assert (gone.returncode, again.returncode) == (0, 0)
    assert "is gone" in gone.stderr
    assert "there is no cluster" in again.stderr
    assert records.find(third.name) is None
    assert before == _pids(full_cluster)
    assert full_cluster.status().healthy
