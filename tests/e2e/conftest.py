"""One cluster for all end-to-end tests, a namespace and a quota for each, and what a failure looks like from inside."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import ClusterHarness, testbed
from e2e.tenant import Tenant
from e2e.trio import make, settle, wait_durable
from session_devtools.errors import ToolError

ORDER = {"test_demo": 0, "test_modern": 1, "test_rights": 3, "test_attack": 4, "test_soak": 5, "test_logs": 6}
""" The demo counts the phone's devices and the other page forgets them, so they come before sessions that are shared;
the rights are judged by all that was done, and not by what attackers and mishaps provoke; the logs by all that was
written. Between them the order is any. """
ANY_TIME = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and put the few that have a place into it."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.root)
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.chromium)
        item.add_marker(pytest.mark.timeout(1800))
    ours.sort(key=lambda item: ORDER.get(item.path.stem, ANY_TIME))
    items[:] = [*(item for item in items if item not in ours), *ours]


@pytest.fixture(scope="session")
def e2e(request: pytest.FixtureRequest) -> Iterator[ClusterHarness]:
    """The cluster with operator and stand-in, told step by step as it comes up, and removed at the end."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    with testbed("e2e" if worker is None else f"e2e-{worker}") as everything:
        request.config.stash[_TESTBED] = everything
        yield everything


@pytest.fixture
def make_tenant(e2e: ClusterHarness) -> Iterator[Callable[..., Tenant]]:
    """A function that makes a namespace with a quota; all of it goes after the test."""

    def make(**limits: Any) -> Tenant:
        tenant = Tenant.make(e2e.kubectl, e2e.phone, **limits)
        made.callback(tenant.close)
        return tenant

    with ExitStack() as made:  # one that can not be removed keeps no other
        yield make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A namespace with a quota that limits nothing."""
    return make_tenant()


@pytest.fixture(scope="session")
def shared_trio(e2e: ClusterHarness) -> Iterator[Tenant]:
    """Three linked sessions."""
    tenant = Tenant.make(e2e.kubectl, e2e.phone)
    make(tenant)
    yield tenant
    tenant.close()


@pytest.fixture(name="trio")
def settled_trio(shared_trio: Tenant) -> Tenant:
    """The shared three, all of them Connected."""
    settle(shared_trio)
    return shared_trio


@pytest.fixture
def durable_trio(trio: Tenant) -> Tenant:
    """The same three, whose logins outlive a browser that is killed."""
    wait_durable(trio)
    return trio


_TESTBED = pytest.StashKey[ClusterHarness]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure shows what the cluster says: the operator's log, sessions, pods and events."""
    report: pytest.TestReport = yield
    everything = item.config.stash.get(_TESTBED, None)
    if report.when == "call" and report.failed and everything is not None:
        report.sections.extend(_views(everything))
    return report


def _views(everything: ClusterHarness) -> Iterator[tuple[str, str]]:
    kubectl = everything.kubectl
    views: dict[str, Callable[[], str]] = {
        "operator": everything.operator.log,
        "sessions": lambda: kubectl("get", "was", "-A", "-o", "wide"),
        "pods": lambda: kubectl("describe", "pods", "-A", "--selector=wasession.dev/session"),
        "events": lambda: kubectl("get", "events", "-A", "--sort-by=.metadata.creationTimestamp"),
    }
    for name, view in views.items():
        try:
            yield name, "\n".join(view().splitlines()[-150:])
        except ToolError as error:
            yield name, str(error)
