"""What goes wrong: a claim that cannot be served, a disk that fails, a second provisioner, a machine that lacks something."""

import shutil
import subprocess
from pathlib import Path

import pytest
from integration.provisioner.conftest import Node, wait_until
from local_cluster.provisioner.cleanup import cleanup, loop_devices
from local_cluster.provisioner.layout import Layout

pytestmark = pytest.mark.root


def test_a_refusal_is_an_event_on_the_claim(node: Node) -> None:
    """The owner reads in `kubectl describe pvc` what is wrong and what to do; a repetition counts up."""
    node.claim("shared", accessModes=["ReadWriteMany"])

    event = wait_until(lambda: next((event for event in node.events("shared") if event["count"] > 1), None))

    assert ("Warning", "ProvisioningFailed") == (event["type"], event["reason"])
    assert "ask for ReadWriteOncePod or ReadWriteOnce" in event["message"]
    assert 1 == len(node.events("shared"))


def test_a_claim_larger_than_the_disk_is_refused(node: Node) -> None:
    """Nothing is promised that the host's disk does not have; the message names both figures."""
    node.claim("huge", size="1Pi")

    event = wait_until(lambda: next(iter(node.events("huge")), None))

    assert "the claim asks for 1048576.0 GiB, but the host's disk has only" in event["message"]
    assert [] == list(node.state_dir.glob("*/*.img"))


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
    node.claim("login")
    event = wait_until(lambda: next(iter(node.events("login")), None))

    broken.unlink()

    assert "ProvisioningFailed" == event["reason"]
    assert "mkfs.ext4 ended with 3: the disk is on fire" == event["message"]
    assert "pvc-" in node.bound("login")["metadata"]["name"]
    wait_until(lambda: "ProvisioningSucceeded" in {event["reason"] for event in node.events("login")})


def test_a_lost_file_is_told_to_its_owner(node: Node) -> None:
    """Somebody deleted the file of an unmounted volume: the claim's owner learns that the data is gone."""
    node.made("login")
    node.end()
    cleanup(node.state_dir)
    for file in node.state_dir.glob("*/*.img"):
        file.unlink()

    node.start()

    event = wait_until(lambda: next((e for e in node.events("login") if e["reason"] == "VolumeLost"), None))
    assert "its data is lost, delete the claim" in event["message"]


def test_a_second_provisioner_on_the_folder_is_refused(node: Node) -> None:
    """Two of them would make and delete each other's files."""
    second = subprocess.run(node.command(), capture_output=True, text=True, check=False, timeout=20)

    assert 1 == second.returncode
    assert f"another provisioner works on {node.state_dir}: end it first" in second.stderr


def test_it_says_that_it_needs_root(node: Node) -> None:
    """An ordinary user learns at once why it does not start."""
    # The clone may lie where root alone can read, below /root say: reading it is all that this user may do more.
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
    assert [] == loop_devices(node.layout)
    assert 2 == len(list(node.state_dir.glob("volumes/*.img")))


def test_cleanup_frees_what_a_process_still_uses(node: Node) -> None:
    """A process that stands in a volume does not keep `down` from finishing."""
    volume = node.made("login")
    with subprocess.Popen(["sleep", "60"], cwd=node.layout.data(volume)) as visitor:
        node.end()

        cleanup(node.state_dir)

        assert [] == node.mounts()
        visitor.terminate()
    wait_until(lambda: not loop_devices(node.layout))


def test_cleanup_of_a_folder_that_never_was(tmp_path: Path) -> None:
    """`down` before the first `up` is fine."""
    assert [] == cleanup(tmp_path / "nothing")
    assert [] == loop_devices(Layout(root=tmp_path / "nothing"))
