"""A real provisioner process with a real disk, on a real API server and controller manager.

There is no scheduler in light mode, so the tests write the selected-node annotation themselves.
"""

import dataclasses
import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from local_cluster.light import LightCluster, Programs
from local_cluster.testing import light_cluster_with_controllers, light_programs, make_namespace
from local_cluster.volumes import CLASS, PROVISIONER, USER, cleanup, manifests
from session_devtools.mounts import mounts_under
from session_devtools.waiting import wait_until

__all__ = ["light_cluster_with_controllers", "light_programs", "make_namespace"]

T = TypeVar("T")

SELECTED_NODE = "volume.kubernetes.io/selected-node"
FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let one worker run all tests of this folder: each would start a controller manager of its own."""
    item.add_marker(pytest.mark.xdist_group("provisioner"))


def soon(look: Callable[[], T | None]) -> T:
    """What is seen once it is true."""
    return wait_until("what the provisioner does", look, within=20, every=0.02)


@dataclasses.dataclass
class Node:
    """One node's provisioner: its process, its state folder, and the cluster that it follows."""

    program: Path
    cluster: LightCluster
    namespace: str
    state_dir: Path
    kubeconfig: Path
    name: str
    process: subprocess.Popen[bytes] | None = None
    path: str = os.environ["PATH"]

    def file(self, volume: str, *, stage: str = "volumes") -> Path:
        """The file of a volume, in the folder that says how far it came."""
        return self.state_dir / stage / f"{volume}.img"

    def mount_point(self, volume: str) -> Path:
        """Where a volume is mounted on the host."""
        return self.state_dir / "mounts" / volume

    def data(self, volume: str) -> Path:
        """The folder in it that pods get."""
        return self.mount_point(volume) / "data"

    def files(self) -> list[Path]:
        """All volumes' files, however far they came."""
        return list(self.state_dir.glob("*/*.img"))

    @property
    def log(self) -> str:
        """All that its processes said."""
        return (self.state_dir.parent / "log").read_text()

    def command(self) -> list[str]:
        """As the cluster's `up` starts it."""
        return [
            *(str(self.program), "--kubeconfig", str(self.kubeconfig)),
            *("--state-dir", str(self.state_dir), "--node", self.name),
        ]

    def start(self) -> "Node":
        """Start the process; it may take a moment until it follows the API server."""
        with (self.state_dir.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stderr=log, env={**os.environ, "PATH": self.path})
        return self

    def end(self, *, kill: bool = False) -> int:
        """End it by SIGTERM or SIGKILL; returns its exit status."""
        if self.process is None:
            raise AssertionError("it does not run")
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        status = self.process.wait(timeout=20)
        self.process = None
        return status

    def body(self, name: str, *, size: str = "64Mi", node: str | None = None, **spec: Any) -> dict[str, Any]:
        """A claim whose pod was scheduled to this node, or to `node` if it is given; "" for not at all."""
        selected = self.name if node is None else node
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "annotations": {SELECTED_NODE: selected} if selected else {},
            },
            "spec": {
                "storageClassName": CLASS,
                "accessModes": ["ReadWriteOncePod"],
                "resources": {"requests": {"storage": size}},
                **spec,
            },
        }

    def pvc(self, name: str, **what: Any) -> None:
        """Make a claim; see `body`."""
        self.cluster.kubectl("create", "-f", "-", input=json.dumps(self.body(name, **what)))

    def get(self, *what: str) -> dict[str, Any]:
        """An object of the test's namespace, or an empty dictionary."""
        answer = self.cluster.kubectl("get", "-n", self.namespace, *what, "-o", "json", "--ignore-not-found")
        found: dict[str, Any] = json.loads(answer or "{}")
        return found

    def bound(self, name: str) -> dict[str, Any]:
        """Wait for a claim to be bound; its PersistentVolume."""
        pvc = soon(lambda: (c := self.get("pvc", name))["status"]["phase"] == "Bound" and c)
        return self.get("pv", pvc["spec"]["volumeName"])

    def made(self, name: str, **what: Any) -> str:
        """Make a claim and wait until it is bound; the volume's name."""
        self.pvc(name, **what)
        return str(self.bound(name)["metadata"]["name"])

    def delete_pvc(self, name: str) -> None:
        """Delete a claim; no pod protects it here."""
        self.cluster.kubectl("delete", "pvc", "-n", self.namespace, name, "--wait=false")

    def mounts(self) -> list[Path]:
        """What is mounted for this node's volumes."""
        return mounts_under(self.state_dir / "mounts")

    def events(self, pvc: str) -> list[dict[str, Any]]:
        """The provisioner's events on a claim; the controller manager writes its own beside them."""
        listed = self.get("events", "--field-selector", f"involvedObject.name={pvc}").get("items", [])
        return [event for event in listed if event["source"]["component"].startswith(PROVISIONER)]

    def event(self, pvc: str, reason: str = "ProvisioningFailed") -> dict[str, Any]:
        """Wait for an event of this reason."""
        return soon(lambda: next((event for event in self.events(pvc) if event["reason"] == reason), None))


@pytest.fixture(scope="session")
def cluster(light_cluster_with_controllers: LightCluster) -> LightCluster:
    """A light cluster with the provisioner's class and rights."""
    objects = {"apiVersion": "v1", "kind": "List", "items": manifests()}
    light_cluster_with_controllers.kubectl("apply", "-f", "-", input=json.dumps(objects))
    return light_cluster_with_controllers


@pytest.fixture
def node(
    cluster: LightCluster,
    light_programs: Programs,
    make_namespace: Callable[[LightCluster], str],
    tmp_path: Path,
) -> Iterator[Node]:
    """A node whose provisioner runs; afterwards no process, mount or loop device of it is left."""
    made = Node(
        program=light_programs.kubectl.with_name("local-volume-provisioner"),
        cluster=cluster,
        namespace=make_namespace(cluster),
        state_dir=tmp_path / "state with a space",
        kubeconfig=cluster.kubeconfig_for(USER),
        name=f"node-{uuid.uuid4().hex[:8]}",
    ).start()
    try:
        soon(lambda: "following claims" in made.log)
        yield made
    finally:
        if made.process is not None:
            made.end()
        cleanup(made.state_dir)
        # Without their provisioner, the volumes of this test would wait for their finalizer for ever.
        for raw in made.get("pv").get("items", []):
            if raw["spec"].get("claimRef", {}).get("namespace") == made.namespace:
                name = raw["metadata"]["name"]
                cluster.kubectl("patch", "pv", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
                cluster.kubectl("delete", "pv", name, "--wait=false", "--ignore-not-found")
