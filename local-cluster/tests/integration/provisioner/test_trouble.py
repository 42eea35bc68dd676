"""What goes wrong: a claim that cannot be served, a disk that fails, a second provisioner, a machine that lacks something."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.provisioner.conftest import Node, soon
from local_cluster.volumes import cleanup, loop_devices

pytestmark = pytest.mark.root


def test_a_refusal_is_an_event_on_the_claim(node: Node) -> None:
    """The owner reads in `kubectl describe pvc` what is wrong and what to do; a repetition counts up."""
    node.pvc("shared", accessModes=["ReadWriteMany"])

    node.event("shared")
    soon(lambda: node.event("shared")["count"] > 1)
    event = node.event("shared")

    assert "Warning" == event["type"]
    assert "ask for ReadWriteOncePod or ReadWriteOnce" in event["message"]
    assert 1 == [event["reason"] for event in node.events("shared")].count("ProvisioningFailed")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"volumeMode": "Block"}, "ask for Filesystem"),
        ({"selector": {"matchLabels": {"a": "b"}}}, "remove spec.selector"),
        ({"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}}, "remove spec.dataSource"),
    ],
)
def test_what_is_not_offered_is_refused(node: Node, spec: dict[str, Any], expected: str) -> None:
    """The owner is told what to ask for instead, and no disk is used."""
    node.pvc("wrong", **spec)

    assert expected in node.event("wrong")["message"]
    assert [] == node.files()


def test_a_claim_larger_than_the_disk_is_refused(node: Node) -> None:
    """Nothing is promised that the host's disk does not have; the message names both figures."""
    node.pvc("huge", size="1Pi")

    event = node.event("huge")

    assert "the claim asks for 1048576.0 GiB, but the host's disk has only" in event["message"]
    assert [] == node.files()


def test_a_failing_disk_is_tried_again(node: Node, tmp_path: Path) -> None:
    """Mkfs fails: an event says so. Once it works again the claim is served, with nothing left of the failure."""
    broken, real = tmp_path / "broken", shutil.which("mkfs.ext4")
    broken.touch()
    program = tmp_path / "bin" / "mkfs.ext4"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ ! -e {broken} ] || {{ echo "the disk is on fire" >&2; exit 3; }}\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    node.end()
    node.path = f"{program.parent}:{node.path}"
    node.start()
    node.pvc("login")
    event = node.event("login")

    broken.unlink()

    assert "mkfs.ext4 ended with 3: the disk is on fire" == event["message"]
    assert "pvc-" in node.bound("login")["metadata"]["name"]
    assert "Normal" == node.event("login", "ProvisioningSucceeded")["type"]


def test_a_lost_file_is_reported_to_its_owner(node: Node) -> None:
    """Somebody deleted the file of an unmounted volume: the claim's owner learns that the data is gone."""
    node.made("login")
    node.end()
    cleanup(node.state_dir)
    for file in node.files():
        file.unlink()

    node.start()

    assert "its data is lost, delete the claim" in node.event("login", "VolumeLost")["message"]


def test_what_cannot_be_mended_stays_as_it_is(node: Node) -> None:
    """A file that is no file system any more: the tool's words are in the log, nothing is written, others are mounted."""
    broken, whole = node.made("broken"), node.made("whole")
    node.end()
    cleanup(node.state_dir)
    node.file(broken).write_bytes(b"x" * 1024**2)

    node.start()

    soon(lambda: [node.mount_point(whole)] == node.mounts())
    soon(lambda: "e2fsck ended with" in node.log)
    assert b"x" * 1024**2 == node.file(broken).read_bytes()


def test_a_volume_that_somebody_stands_in_is_removed_later(node: Node) -> None:
    """Its data is not deleted under him: the PersistentVolume says why it is still there, and goes once he has left."""
    volume = node.made("login")
    with subprocess.Popen(["sleep", "60"], cwd=node.data(volume)) as visitor:
        node.delete_pvc("login")
        soon(lambda: "umount ended with" in node.log)
        still_there = node.file(volume).exists()
        visitor.terminate()

    assert still_there
    soon(lambda: not node.get("pv", volume))
    assert [] == node.files()


def test_a_second_provisioner_on_the_folder_is_refused(node: Node) -> None:
    """Two of them would make and delete each other's files."""
    second = subprocess.run(node.command(), capture_output=True, text=True, check=False, timeout=20)

    assert 1 == second.returncode
    assert f"another provisioner works on {node.state_dir}: end it first" in second.stderr


def test_it_says_that_it_needs_root(node: Node) -> None:
    """An ordinary user learns at once why it does not start."""
    # The cache may lie where root alone can read, below /root say: reading it is all that this user may do more.
    reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    alone = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads, "--", *node.command()],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert 1 == alone.returncode
    assert "mounting volumes needs root" in alone.stderr


def test_it_names_missing_programs(node: Node) -> None:
    """A machine without mkfs gets the command that helps."""
    lacking = subprocess.run(
        node.command(), capture_output=True, text=True, check=False, timeout=20, env={"PATH": "/nonexistent"}
    )

    assert 1 == lacking.returncode
    assert "mkfs.ext4, e2fsck, mount, umount, losetup not found: apt-get install" in lacking.stderr


def test_cleanup_frees_everything_and_can_be_repeated(node: Node) -> None:
    """After `down` no mount and no loop device is left, also when the provisioner was killed; files stay."""
    node.made("one")
    node.made("two")
    node.end(kill=True)

    first, second = cleanup(node.state_dir), cleanup(node.state_dir)

    assert (2, 0) == (len(first), len(second))
    assert [] == node.mounts()
    assert [] == loop_devices(node.state_dir)
    assert 2 == len(list(node.state_dir.glob("volumes/*.img")))


def test_cleanup_frees_what_a_process_still_uses(node: Node) -> None:
    """A process that stands in a volume does not keep `down` from finishing."""
    volume = node.made("login")
    with subprocess.Popen(["sleep", "60"], cwd=node.data(volume)) as visitor:
        node.end()

        cleanup(node.state_dir)

        assert [] == node.mounts()
        visitor.terminate()
    soon(lambda: not loop_devices(node.state_dir))


def test_cleanup_of_a_folder_that_never_was(tmp_path: Path) -> None:
    """`down` before the first `up` is fine."""
    assert [] == cleanup(tmp_path / "nothing")
    assert [] == loop_devices(tmp_path / "nothing")
