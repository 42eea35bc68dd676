"""pytest fixtures that give a test a real API server: a conftest imports those that its folder needs.

One light cluster serves all tests of a session that ask for it, and each xdist worker is a session of its own. Tests
keep apart by namespaces from `make_namespace`; what a test makes outside of one it removes itself.
"""

import uuid
from collections.abc import Callable, Iterator

import pytest
from session_devtools.errors import CommandError
from session_devtools.progress import ConsoleProgress

from local_cluster.light import LightCluster, Programs, find_programs

__all__ = [
    "light_cluster",
    "light_cluster_with_controllers",
    "light_programs",
    "make_namespace",
]


@pytest.fixture(scope="session")
def light_programs() -> Programs:
    """The programs, built first when nobody has: minutes, once."""
    return find_programs(progress=ConsoleProgress())


@pytest.fixture(scope="session")
def light_cluster(light_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightCluster]:
    """An API server with its etcd: objects are stored, validated and watched, and nothing acts on them.

    Nothing: aggregated roles (view, edit, admin) stay empty, deleted namespaces stay in Terminating.
    """
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path_factory.mktemp("light")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def light_cluster_with_controllers(
    light_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LightCluster]:
    """The same with a controller manager: garbage collection, service accounts, volume binding."""
    if light_programs.controller_manager is None:
        pytest.skip("KUBEBUILDER_ASSETS holds no kube-controller-manager; unset it to run the tests that need one")
    folder = tmp_path_factory.mktemp("light")
    with LightCluster.start(programs=light_programs, controllers=True, parent_folder=folder) as cluster:
        yield cluster


@pytest.fixture
def make_namespace() -> Iterator[Callable[[LightCluster], str]]:
    """A function that makes a namespace of a name used nowhere else, and deletes it after the test."""
    made: list[tuple[LightCluster, str]] = []

    def make(cluster: LightCluster) -> str:
        name = f"test-{uuid.uuid4().hex[:10]}"
        cluster.kubectl("create", "namespace", name)
        made.append((cluster, name))
        return name

    yield make
    for cluster, name in made:
        try:
            cluster.kubectl("delete", "namespace", name, "--wait=false")
        except CommandError as error:
            if "NotFound" not in error.output:  # the test may have deleted it itself
                raise
