"""A volume's life on a real disk and a real API server: made, used, lost sight of, released."""

import errno
import json
import os
import time
from pathlib import Path

import pytest
from integration.provisioner.conftest import Node, wait_until
from local_cluster.provisioner.cleanup import cleanup, loop_devices
from local_cluster.provisioner.kube import USER_AGENT, HttpKube, Kind
from local_cluster.provisioner.kubeconfig import load
from local_cluster.provisioner.layout import Stage
from local_cluster.provisioner.names import CLASS, PROVISIONER

pytestmark = pytest.mark.root

CLAIMS = "persistentvolumeclaims"


def fill(folder: Path, *, megabytes: int) -> None:
    """Write a file of this size, down to the disk."""
    with (folder / "fill").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1024**2))
        file.flush()
        os.fsync(file.fileno())


def reboot(node: Node) -> None:
    """What a reboot does to the mounts."""
    assert node.mounts() == cleanup(node.state_dir)
    assert [] == loop_devices(node.layout)


def test_a_claim_gets_a_volume_of_its_own(node: Node) -> None:
    """A file system of the asked size is mounted, and the PersistentVolume says where, for whom and on which node."""
    node.claim("login", size="100M")

    volume = node.bound("login")

    claim = node.get("pvc", "login")
    path = Path(volume["spec"]["local"]["path"])
    room = os.statvfs(path)
    assert f"pvc-{claim['metadata']['uid']}" == volume["metadata"]["name"]
    assert PROVISIONER == volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"]
    assert {"storage": "96Mi"} == volume["spec"]["capacity"]
    assert ["ReadWriteOncePod"] == volume["spec"]["accessModes"]
    assert CLASS == volume["spec"]["storageClassName"]
    assert [node.name] == volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0][
        "values"
    ]
    assert [path.parent] == node.mounts()
    assert [] == list(path.iterdir())
    assert 75 * 1024**2 < room.f_blocks * room.f_frsize < 96 * 1024**2


def test_a_claim_without_a_pod_costs_nothing(node: Node) -> None:
    """As long as the scheduler chose no node, or another one, nothing is made; a claim beside it is served."""
    node.claim("unused", node="")
    node.claim("elsewhere", node="another-node")

    volume = node.made("used")

    assert "Pending" == node.get("pvc", "unused")["status"]["phase"]
    assert "Pending" == node.get("pvc", "elsewhere")["status"]["phase"]
    assert [node.layout.file(Stage.IN_USE, volume)] == list(node.state_dir.glob("*/*.img"))


async def test_a_claim_is_bound_within_half_a_second(node: Node) -> None:
    """From the claim's creation to its binding, the controller manager's part included.

    The quickest of at most twenty, for the machine may have more to do than this test.
    """
    taken: list[float] = []
    async with HttpKube(load(node.cluster.kubeconfig)) as kube:
        while len(taken) < 20 and min(taken, default=1) >= 0.5:
            version = (await kube.list_all(Kind.CLAIMS)).version
            begin = time.monotonic()
            created = await kube.create(
                f"/api/v1/namespaces/{node.namespace}/{CLAIMS}", node.body(f"login-{len(taken)}")
            )
            async for change in kube.watch(Kind.CLAIMS, version=version):
                same = change.item["metadata"]["uid"] == created["metadata"]["uid"]
                if same and change.item["status"]["phase"] == "Bound":
                    break
            taken.append(time.monotonic() - begin)

    assert min(taken) < 0.5, taken


def test_the_size_is_a_limit(node: Node) -> None:
    """Writing more than the claim asked for fails with "no space left", and the host's disk does not notice."""
    volume = node.made("login")

    with pytest.raises(OSError) as raised:  # noqa: PT011 - the number is looked at
        fill(node.layout.data(volume), megabytes=80)

    assert errno.ENOSPC == raised.value.errno
    assert 64 * 1024**2 >= node.layout.file(Stage.IN_USE, volume).stat().st_blocks * 512


def test_deleted_files_give_their_space_back_to_the_host(node: Node) -> None:
    """The volume's file shrinks again: a browser's cache that was emptied is not paid for ever."""
    volume = node.made("login")
    file = node.layout.file(Stage.IN_USE, volume)
    fill(node.layout.data(volume), megabytes=20)
    full = file.stat().st_blocks * 512

    (node.layout.data(volume) / "fill").unlink()
    os.sync()

    assert 20 * 1024**2 <= full
    wait_until(lambda: file.stat().st_blocks * 512 < full - 15 * 1024**2)


def test_a_deleted_claim_leaves_nothing(node: Node) -> None:
    """PersistentVolume, mount, loop device and file go with the claim; its neighbour stays."""
    volume, other = node.made("login"), node.made("other")

    node.delete_claim("login")

    wait_until(lambda: not node.get("pv", volume))
    assert [node.layout.mount_point(other)] == node.mounts()
    assert [node.layout.file(Stage.IN_USE, other)] == list(node.state_dir.glob("*/*.img"))
    wait_until(lambda: len(loop_devices(node.layout)) == 1)


def test_a_volume_deleted_before_its_claim_goes_with_it(node: Node) -> None:
    """A person deletes the PersistentVolume first: it lives as long as its claim, then its file goes too."""
    volume = node.made("login")
    node.cluster.kubectl("delete", "pv", volume, "--wait=false")

    node.delete_claim("login")

    wait_until(lambda: not node.get("pv", volume))
    assert [] == list(node.state_dir.glob("*/*.img"))


def test_a_retained_volume_is_kept_for_a_person(node: Node) -> None:
    """With the policy changed to Retain, the data outlives claim and PersistentVolume, out of the way and unmounted."""
    volume = node.made("login")
    (node.layout.data(volume) / "session").write_text("linked")
    node.cluster.kubectl("patch", "pv", volume, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}')

    node.delete_claim("login")
    wait_until(lambda: node.get("pv", volume)["status"]["phase"] == "Released")
    node.cluster.kubectl("delete", "pv", volume, "--wait=false")

    wait_until(lambda: not node.get("pv", volume))
    assert [] == node.mounts()
    assert [node.layout.file(Stage.RETAINED, volume)] == list(node.state_dir.glob("*/*.img"))


def test_after_a_reboot_the_data_is_back_without_the_api_server(node: Node) -> None:
    """The mounts are gone and the API server is not up yet: the volumes are mounted all the same."""
    volume = node.made("login")
    (node.layout.data(volume) / "session").write_text("linked")
    node.end(kill=True)
    reboot(node)
    config = node.kubeconfig.read_text()
    node.kubeconfig = node.state_dir.parent / "dead.kubeconfig"
    node.kubeconfig.write_text(config.replace(node.cluster.url, "https://127.0.0.1:1"))

    node.start()

    wait_until(node.mounts)
    assert "linked" == (node.layout.data(volume) / "session").read_text()


def test_where_the_mount_is_missing_the_path_is_missing(node: Node) -> None:
    """An unmounted volume must stop its pod instead of letting it write to the host's disk."""
    volume = node.made("login")
    node.end()

    reboot(node)

    assert not node.layout.data(volume).exists()


def test_a_damaged_file_system_is_mended_before_it_is_mounted(node: Node) -> None:
    """After a reboot with a broken superblock the file system's spare one is used, and the data is there."""
    volume = node.made("login")
    (node.layout.data(volume) / "session").write_text("linked")
    node.end()
    reboot(node)
    with node.layout.file(Stage.IN_USE, volume).open("r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))

    node.start()

    wait_until(node.mounts)
    assert "linked" == (node.layout.data(volume) / "session").read_text()


def test_it_ends_at_once_and_leaves_the_volumes_mounted(node: Node) -> None:
    """SIGTERM ends it well; running pods keep their volumes, and the next start has nothing to do."""
    volume = node.made("login")

    assert 0 == node.end()

    assert [node.layout.mount_point(volume)] == node.mounts()
    node.start()
    wait_until(lambda: node.log.count("following claims") == 2)
    assert 0 == node.log.count("mounted again")


def test_its_few_rights_are_enough(node: Node) -> None:
    """Over a whole life no request of its account is refused, by the API server's own audit log."""
    volume = node.made("login")
    node.delete_claim("login")
    wait_until(lambda: not node.get("pv", volume))

    entries = [json.loads(line) for line in node.cluster.audit_log.read_text().splitlines()]
    ours = [entry for entry in entries if entry.get("userAgent") == USER_AGENT]
    refused = [entry for entry in ours if entry.get("responseStatus", {}).get("code") == 403]

    assert ours != []
    assert refused == []


def test_its_account_can_do_no_more_than_it_must(node: Node) -> None:
    """What it does not need is refused by the API server."""
    forbidden = ("get secrets", "get pods", "get nodes", "delete pvc x", "create ns x")

    answers = [
        node.cluster.kubectl("--kubeconfig", str(node.kubeconfig), *words.split(), check=False) for words in forbidden
    ]

    assert ["Forbidden" in answer for answer in answers] == [True] * len(forbidden)
