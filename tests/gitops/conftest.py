"""Flux and the operator on one light cluster: each test has a namespace of its own, with a repository for it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from gitops.controller import Flux, build
from gitops.repository import Outcome, Repository
from integration.operator.conftest import OperatorHarness, harness, operator_cluster, operator_kubeconfig
from local_cluster.light import LightCluster
from local_cluster.testing import light_cluster, light_programs
from session_devtools.progress import ConsoleProgress

__all__ = ["harness", "light_cluster", "light_programs", "operator_cluster", "operator_kubeconfig"]

OUTCOMES: Final = pytest.StashKey[dict[str, list[Outcome]]]()
""" What Flux said of each test's commits, to be shown at the end. """


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty account."""
    config.stash[OUTCOMES] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show each commit's end in Flux' own words."""
    for test, outcomes in config.stash[OUTCOMES].items():
        terminalreporter.write_line(f"\n{test}")
        for number, outcome in enumerate(outcomes, 1):
            message = outcome.message.replace("\n", " ")
            terminalreporter.write_line(f"  commit {number}, {outcome.seconds:4.1f} s: {outcome.reason}: {message}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that Flux takes: it looks every five seconds."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def flux(operator_cluster: LightCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """The controller, for all tests."""
    running = Flux.start(operator_cluster, build(progress=ConsoleProgress()), tmp_path_factory.mktemp("flux"))
    yield running
    running.daemons.stop()


@pytest.fixture
async def repository(flux: Flux, harness: OperatorHarness, request: pytest.FixtureRequest) -> AsyncIterator[Repository]:
    """A repository for the test's namespace."""
    opened = await Repository.open(flux, harness.admin, harness.namespace)
    yield opened
    request.config.stash[OUTCOMES][request.node.name] = opened.outcomes
    await opened.close()
