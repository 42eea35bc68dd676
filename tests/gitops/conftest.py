"""Flux and the operator on one light cluster: each test has a namespace of its own, with a repository for it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from gitops.flux import Flux, Repository, build
from integration.operator.conftest import OperatorHarness, harness, operator_cluster, operator_kubeconfig
from local_cluster.light import LightCluster
from local_cluster.testing import light_cluster, light_programs
from session_devtools.progress import ConsoleProgress

__all__ = ["harness", "light_cluster", "light_programs", "operator_cluster", "operator_kubeconfig"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that Flux takes: it looks every five seconds."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def flux(operator_cluster: LightCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """The controller, for all tests."""
    running = Flux.start(operator_cluster, build(progress=ConsoleProgress()), tmp_path_factory.mktemp("flux"))
    yield running
    running.daemons.stop()


@pytest.fixture
async def repository(flux: Flux, harness: OperatorHarness) -> AsyncIterator[Repository]:
    """A repository for the test's namespace."""
    opened = await Repository.open(flux, harness.namespace)
    yield opened
    await opened.close()
