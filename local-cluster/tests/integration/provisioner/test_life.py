"""A volume's life on a real disk and a real API server: made, used, lost sight of, released."""

import datetime as dt
import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
from integration.provisioner.conftest import FINALIZER, Node, soon
from local_cluster.volumes import CLASS, PROVISIONER, cleanup, loop_devices

pytestmark = pytest.mark.root

USER_AGENT = "local-volume-provisioner"


def fill(folder: Path, *, megabytes: int) -> None:
    """Write a file of this size, down to the disk."""
    with (folder / "fill").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1024**2))
        file.flush()
        os.fsync(file.fileno())


def options(point: Path) -> set[str]:
    """A mount's options, as the kernel has them."""
    found = subprocess.check_output(["findmnt", "--noheadings", "--output", "OPTIONS", point], text=True)
    return set(found.strip().split(","))


def reboot(node: Node) -> None:
    """What a reboot does to the mounts."""
    assert node.mounts() == cleanup(node.state_dir)
    assert [] == loop_devices(node.state_dir)


def test_a_claim_gets_a_volume_of_its_own(node: Node) -> None:
    """A file system of the asked size is mounted, and the PersistentVolume says where, for whom and on which node."""
    node.pvc("login", size="100M")

    volume = node.bound("login")

    pvc = node.get("pvc", "login")
    path = Path(volume["spec"]["local"]["path"])
    room = os.statvfs(path)
    assert f"pvc-{pvc['metadata']['uid']}" == volume["metadata"]["name"]
    assert PROVISIONER == volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"]
    assert {"storage": "96Mi"} == volume["spec"]["capacity"]
    assert ["ReadWriteOncePod"] == volume["spec"]["accessModes"]
    assert CLASS == volume["spec"]["storageClassName"]
    assert [FINALIZER] == [name for name in volume["metadata"]["finalizers"] if "provisioner" in name]
    assert [node.name] == volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0][
        "values"
    ]
    assert [path.parent] == node.mounts()
    assert {"rw", "nosuid", "nodev", "noatime", "discard"} <= options(path.parent)
    assert [] == list(path.iterdir())
    assert 75 * 1024**2 < room.f_blocks * room.f_frsize < 96 * 1024**2


def test_a_claim_without_a_pod_costs_nothing(node: Node) -> None:
    """As long as the scheduler chose no node, or another one, nothing is made; a claim beside it is served."""
    node.pvc("unused", node="")
    node.pvc("elsewhere", node="another-node")

    volume = node.made("used")

    assert "Pending" == node.get("pvc", "unused")["status"]["phase"]
    assert "Pending" == node.get("pvc", "elsewhere")["status"]["phase"]
    assert [node.file(volume)] == node.files()


def test_a_claim_is_bound_within_half_a_second(node: Node) -> None:
    """From the claim's creation to its binding, by the API server's own clock, the controller manager's part included.

    The quickest of at most twenty, for the machine may have more to do than this test.
    """
    taken: list[float] = []
    while len(taken) < 20 and min(taken, default=1) >= 0.5:
        name = f"login-{len(taken)}"
        node.made(name)
        taken.append(_seconds_until_bound(node, name))

    assert min(taken) < 0.5, taken


def _seconds_until_bound(node: Node, pvc: str) -> float:
    begun, bound = None, None
    for line in node.cluster.audit_log.read_text().splitlines():
        entry = json.loads(line)
        what = entry.get("objectRef", {})
        if (what.get("resource"), what.get("namespace")) != ("persistentvolumeclaims", node.namespace):
            continue
        if what.get("name") == pvc and entry["verb"] == "create":
            begun = dt.datetime.fromisoformat(entry["requestReceivedTimestamp"])
        elif what.get("name") == pvc and what.get("subresource") == "status":
            bound = dt.datetime.fromisoformat(entry["stageTimestamp"])
    assert begun is not None
    assert bound is not None
    return (bound - begun).total_seconds()


def test_a_new_volume_takes_hardly_any_space(node: Node) -> None:
    """A claim of a gibibyte that is never written to costs less than a megabyte, and nobody but root can read it."""
    file = node.file(node.made("login", size="1Gi"))
    os.sync()

    assert 1024**3 == file.stat().st_size
    assert 1024**2 > file.stat().st_blocks * 512
    assert 0o600 == file.stat().st_mode & 0o777
    assert 0o700 == node.state_dir.stat().st_mode & 0o777


def test_the_size_is_a_limit(node: Node) -> None:
    """Writing more than the claim asked for fails with "no space left", and the host's disk does not notice."""
    volume = node.made("login")

    with pytest.raises(OSError) as raised:  # noqa: PT011 - the number is looked at
        fill(node.data(volume), megabytes=80)

    assert errno.ENOSPC == raised.value.errno
    assert 64 * 1024**2 >= node.file(volume).stat().st_blocks * 512


def test_deleted_files_give_their_space_back_to_the_host(node: Node) -> None:
    """The volume's file shrinks again: a browser's cache that was emptied is not paid for ever."""
    volume = node.made("login")
    file = node.file(volume)
    fill(node.data(volume), megabytes=20)
    full = file.stat().st_blocks * 512

    (node.data(volume) / "fill").unlink()
    os.sync()

    assert 20 * 1024**2 <= full
    soon(lambda: file.stat().st_blocks * 512 < full - 15 * 1024**2)


def test_a_deleted_claim_leaves_nothing(node: Node) -> None:
    """PersistentVolume, mount, loop device and file go with the claim; its neighbour stays."""
    volume, other = node.made("login"), node.made("other")

    node.delete_pvc("login")

    soon(lambda: not node.get("pv", volume))
    assert [node.mount_point(other)] == node.mounts()
    assert [node.file(other)] == node.files()
    soon(lambda: len(loop_devices(node.state_dir)) == 1)


def test_a_volume_deleted_before_its_claim_goes_with_it(node: Node) -> None:
    """A person deletes the PersistentVolume first: it lives as long as its claim, then its file goes too."""
    volume = node.made("login")
    node.cluster.kubectl("delete", "pv", volume, "--wait=false")

    node.delete_pvc("login")

    soon(lambda: not node.get("pv", volume))
    assert [] == node.files()


def test_a_retained_volume_is_kept_for_a_person(node: Node) -> None:
    """With the policy changed to Retain, the data outlives claim and PersistentVolume, out of the way and unmounted."""
    volume = node.made("login")
    (node.data(volume) / "session").write_text("linked")
    node.cluster.kubectl("patch", "pv", volume, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}')

    node.delete_pvc("login")
    soon(lambda: node.get("pv", volume)["status"]["phase"] == "Released")
    node.cluster.kubectl("delete", "pv", volume, "--wait=false")

    soon(lambda: [node.file(volume, stage="retained")] == node.files())
    assert [] == node.mounts()


def test_a_volume_whose_object_was_removed_by_force_is_kept(node: Node) -> None:
    """Nobody said Delete of its data: it is put aside, unmounted, once its claim is gone too."""
    volume = node.made("login")
    (node.data(volume) / "session").write_text("linked")
    node.cluster.kubectl("delete", "pv", volume, "--wait=false")
    node.cluster.kubectl("patch", "pv", volume, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    soon(lambda: not node.get("pv", volume))

    node.delete_pvc("login")
    node.end()
    node.start()

    soon(lambda: [node.file(volume, stage="retained")] == node.files())
    soon(lambda: not node.mounts())


def test_a_claim_that_was_half_served_is_taken_up(node: Node) -> None:
    """The process ended between the file and its object, or in the middle of the file: the claim is served all the same."""
    node.end()
    for name in ("one", "two"):
        node.pvc(name)
    one, two = (f"pvc-{node.get('pvc', name)['metadata']['uid']}" for name in ("one", "two"))
    node.file(one, stage="new").write_bytes(b"half a file system" * 1000)
    with node.file(two).open("wb") as file:
        file.truncate(64 * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", node.file(two)], check=True)

    node.start()

    assert one == node.bound("one")["metadata"]["name"]
    assert two == node.bound("two")["metadata"]["name"]
    assert {node.mount_point(one), node.mount_point(two)} == set(node.mounts())
    assert {node.file(one), node.file(two)} == set(node.files())


def test_after_a_reboot_the_data_is_back_without_the_api_server(node: Node) -> None:
    """The mounts are gone and the API server is not up yet: the volumes are mounted all the same."""
    volume = node.made("login")
    (node.data(volume) / "session").write_text("linked")
    node.end(kill=True)
    reboot(node)
    config = node.kubeconfig.read_text()
    node.kubeconfig = node.state_dir.parent / "dead.kubeconfig"
    node.kubeconfig.write_text(config.replace(node.cluster.url, "https://127.0.0.1:1"))

    node.start()

    soon(node.mounts)
    assert "linked" == (node.data(volume) / "session").read_text()


def test_where_the_mount_is_missing_the_path_is_missing(node: Node) -> None:
    """An unmounted volume must stop its pod instead of letting it write to the host's disk."""
    volume = node.made("login")
    node.end()

    reboot(node)

    assert not node.data(volume).exists()


def test_a_damaged_file_system_is_mended_before_it_is_mounted(node: Node) -> None:
    """After a reboot with a broken superblock the file system's spare one is used, and the data is there."""
    volume = node.made("login")
    (node.data(volume) / "session").write_text("linked")
    node.end()
    reboot(node)
    with node.file(volume).open("r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))

    node.start()

    soon(node.mounts)
    assert "linked" == (node.data(volume) / "session").read_text()


def test_it_ends_at_once_and_leaves_the_volumes_mounted(node: Node) -> None:
    """SIGTERM ends it well; running pods keep their volumes, and the next start has nothing to do."""
    volume = node.made("login")

    assert 0 == node.end()

    assert [node.mount_point(volume)] == node.mounts()
    node.start()
    soon(lambda: node.log.count("following claims") == 2)
    assert 1 == node.log.count("volume mounted")


def test_its_few_rights_are_enough(node: Node) -> None:
    """Over a whole life no request of its account is refused, by the API server's own audit log."""
    volume = node.made("login")
    node.delete_pvc("login")
    soon(lambda: not node.get("pv", volume))

    entries = [json.loads(line) for line in node.cluster.audit_log.read_text().splitlines()]
    ours = [entry for entry in entries if entry.get("userAgent") == USER_AGENT]
    refused = [entry for entry in ours if entry.get("responseStatus", {}).get("code") == 403]

    assert ours != []
    assert refused == []


def test_its_account_can_do_no_more_than_it_must(node: Node) -> None:
    """What it does not need is refused by the API server."""
    forbidden = ("get secrets", "get pods", "get nodes", "delete pvc x", "create ns x")

    answers = [
        node.cluster.kubectl("--kubeconfig", str(node.kubeconfig), *arguments.split(), check=False)
        for arguments in forbidden
    ]

    assert ["Forbidden" in answer for answer in answers] == [True] * len(forbidden)
