"""A full cluster of these tests' own, which neither needs nor disturbs one that a demo left."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster.support import IMAGE, PREFIX, TOOLS, command_line, restricted_namespace
from local_cluster.full import oci
from local_cluster.full.cluster import FullCluster
from local_cluster.testing import light_cluster, light_cluster_with_controllers, light_programs, make_namespace
from session_devtools import packages

__all__ = ["light_cluster", "light_cluster_with_controllers", "light_programs", "make_namespace"]

BUSYBOX = Path("/bin/busybox")


def pytest_itemcollected(item: pytest.Function) -> None:
    """Let three workers share the tests: one has the full clusters, another one builds images, the third has the rest.

    With that go the network policies, which are in a cluster that no other test uses.
    """
    clusters, images = (name in item.fixturenames for name in ("make_cluster", "image"))
    others = item.path.stem != "test_full_policies"
    item.add_marker(pytest.mark.xdist_group("clusters" if clusters and others else "images" if images else "light"))


@pytest.fixture(scope="session")
def test_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a small image with a shell and a web server."""
    packages.ensure(["busybox-static"])
    program = BUSYBOX.read_bytes()
    files = {f"bin/{tool}": program for tool in TOOLS}
    path = tmp_path_factory.mktemp("image") / "busybox.tar"
    path.write_bytes(oci.archive(IMAGE, files, entrypoint=["/bin/sleep", "3600"]))
    return path


@pytest.fixture(scope="session")
def make_cluster(test_image: Path) -> Iterator[Callable[..., FullCluster]]:
    """A function that brings up another cluster with the test image in it; all of them are removed at the end.

    What it is given are options of `up`.
    """

    def make(*options: str) -> FullCluster:
        cluster = FullCluster(f"{PREFIX}{uuid.uuid4().hex[:6]}")
        made.callback(cluster.down)
        result = command_line("up", "--name", cluster.name, *options)
        assert result.returncode == 0, result.stderr
        cluster.load(test_image)
        return cluster

    with contextlib.ExitStack() as made:  # one that can not be removed keeps no other
        yield make


@pytest.fixture(scope="session")
def full_cluster(make_cluster: Callable[[], FullCluster]) -> FullCluster:
    """The cluster that most tests share."""
    return make_cluster()


@pytest.fixture
def namespace(full_cluster: FullCluster) -> Iterator[str]:
    """A restricted namespace in the shared cluster."""
    name = restricted_namespace(full_cluster)
    yield name
    full_cluster.kubectl("delete", "namespace", name, "--wait=false")
