"""The provisioner in the full cluster: volumes as pods meet them, with a scheduler that picks the node and a kubelet."""

from pathlib import Path

import pytest
from cluster.support import Manifest, apply, pod, pvc, wait_ready, with_pvc
from local_cluster.full.cluster import FullCluster
from session_devtools.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


def user(namespace: str, name: str, *command: str) -> Manifest:
    """A restricted pod with the claim `login` at /data."""
    return with_pvc(pod(namespace, name, *command), "login")


def field(cluster: FullCluster, path: str, *what: str) -> str:
    """A field of an object, empty if there is none."""
    return cluster.kubectl("get", *what, "--ignore-not-found", "-o", f"jsonpath={path}")


def execute(cluster: FullCluster, namespace: str, name: str, script: str) -> str:
    """What a script says in a pod, on either output; it may fail."""
    return cluster.kubectl("-n", namespace, "exec", name, "--", "/bin/sh", "-c", f"{{ {script}; }} 2>&1 || true")


def wait_gone(path: Path, *, seconds: float = 30) -> None:
    """Wait until a file does not exist."""
    wait_until(f"{path} is gone", lambda: not path.exists(), within=seconds)


def test_a_pod_that_is_not_root_owns_its_volume(full_cluster: FullCluster, namespace: str) -> None:
    """FsGroup is honoured: the volume's group is the pod's, it may write, and it sees an empty folder of the asked size."""
    apply(full_cluster, pvc(namespace, "login"), user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")

    seen = execute(full_cluster, namespace, "one", "ls -ldn /data; ls -A /data; touch /data/mine; ls -ln /data/mine")

    folder, file = seen.splitlines()
    assert folder.split()[0] == "drwxrwsr-x"
    assert folder.split()[3] == "2000"
    assert file.split()[2:4] == ["1000", "2000"]


def test_writing_more_than_was_asked_for_fails(full_cluster: FullCluster, namespace: str) -> None:
    """The claim's size is a limit: the pod is told that its device is full, and the host's disk does not notice."""
    apply(full_cluster, pvc(namespace, "login"), user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")

    output = execute(full_cluster, namespace, "one", "cat /dev/zero > /data/fill")
    volume = field(full_cluster, "{.spec.volumeName}", "-n", namespace, "pvc", "login")
    file = full_cluster.instance.volumes / "volumes" / f"{volume}.img"

    assert "No space left on device" in output
    assert file.stat().st_blocks * 512 <= 16 * 1024**2


def test_one_pod_at_a_time(full_cluster: FullCluster, namespace: str) -> None:
    """A second pod on a ReadWriteOncePod claim waits, and gets the same data once the first is gone."""
    apply(full_cluster, pvc(namespace, "login"), user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")
    execute(full_cluster, namespace, "one", "echo linked > /data/session")
    apply(full_cluster, user(namespace, "two"))
    waits = "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable"
    full_cluster.kubectl("-n", namespace, "wait", "pod/two", waits, "--timeout=20s")
    phase = field(full_cluster, "{.status.phase}", "-n", namespace, "pod", "two")

    full_cluster.kubectl("-n", namespace, "delete", "pod", "one")
    wait_ready(full_cluster, namespace, "two")

    assert phase == "Pending"
    assert execute(full_cluster, namespace, "two", "cat /data/session") == "linked\n"


def test_a_deleted_claim_leaves_nothing_on_the_host(full_cluster: FullCluster, namespace: str) -> None:
    """PersistentVolume, mount and file go once the last pod is gone; not before."""
    apply(full_cluster, pvc(namespace, "login"), user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")
    volume = field(full_cluster, "{.spec.volumeName}", "-n", namespace, "pvc", "login")
    file = full_cluster.instance.volumes / "volumes" / f"{volume}.img"
    full_cluster.kubectl("-n", namespace, "delete", "pvc", "login", "--wait=false")
    still_there = file.exists() and execute(full_cluster, namespace, "one", "touch /data/x && echo written")

    full_cluster.kubectl("-n", namespace, "delete", "pod", "one")
    full_cluster.kubectl("wait", f"pv/{volume}", "--for=delete", "--timeout=30s")

    assert still_there == "written\n"
    wait_gone(file)
    assert volume not in Path(f"/proc/{full_cluster.pids()[0]}/mountinfo").read_text()


def test_the_pod_gets_what_the_claim_says(full_cluster: FullCluster, namespace: str) -> None:
    """The default class is ours, waits for the pod, and the volume carries the claim's access mode and the node's name."""
    apply(full_cluster, pvc(namespace, "login"))
    pending = field(full_cluster, "{.status.phase}", "-n", namespace, "pvc", "login")
    apply(full_cluster, user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")

    volume = field(full_cluster, "{.spec.volumeName}", "-n", namespace, "pvc", "login")
    spec = "{.spec.storageClassName} {.spec.accessModes[*]} {.spec.capacity.storage}"
    term = "{.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}"
    node = field(full_cluster, "{.spec.nodeName}", "-n", namespace, "pod", "one")

    assert pending == "Pending"
    assert field(full_cluster, f"{spec} {term}", "pv", volume) == f"local-loop ReadWriteOncePod 16Mi {node}"


def test_the_provisioner_was_refused_nothing(full_cluster: FullCluster, namespace: str) -> None:
    """Its few rights are enough for a volume's whole life."""
    apply(full_cluster, pvc(namespace, "login"), user(namespace, "one"))
    wait_ready(full_cluster, namespace, "one")
    log = (full_cluster.instance.logs / "provisioner.log").read_text()

    assert "volume made" in log
    assert "forbidden" not in log
