"""One cluster for all end-to-end tests, a namespace and a quota for each, and what a failure looks like from inside."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import ClusterHarness, testbed
from e2e.tenant import Tenant
from e2e.trio import CRAMMED, make, settle, wait_durable
from session_devtools.errors import ToolError
from support.sessions import has_durable_login

ORDER = {"test_demo": 0, "test_modern": 1, "test_rights": 3, "test_attack": 4, "test_soak": 5, "test_logs": 6}
""" The demo counts the phone's devices and the other page forgets them, so they come before sessions that are shared;
the rights are judged by all that was done, and not by what attackers and mishaps provoke; the logs by all that was
written. Between them the order is any. """
ANY_TIME = 2
OWN_CLUSTERS = ("test_demo_current", "test_network")
""" They share nothing with the others, so `make test-e2e` lets a second worker run them meanwhile. """


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


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test its worker."""
    item.add_marker(pytest.mark.xdist_group("own clusters" if item.path.stem in OWN_CLUSTERS else "one cluster"))


@pytest.fixture(scope="session")
def e2e(request: pytest.FixtureRequest) -> Iterator[ClusterHarness]:
    """The cluster with operator and stand-in, told step by step as it comes up, and removed at the end."""
    with testbed("e2e") as everything:
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
def linked_early(e2e: ClusterHarness) -> Iterator[tuple[Tenant, Tenant]]:
    """The sessions whose logins are to be durable when a test wants them: the crammed one, and the three."""
    with ExitStack() as made:
        crammed, trio = (Tenant.make(e2e.kubectl, e2e.phone) for _ in range(2))
        made.callback(trio.close)
        made.callback(crammed.close)
        crammed.create(CRAMMED, profile={"size": "64Mi"})
        crammed.link(CRAMMED)
        make(trio)
        yield crammed, trio


@pytest.fixture(scope="session")
def shared_trio(linked_early: tuple[Tenant, Tenant]) -> Tenant:
    """Three linked sessions."""
    return linked_early[1]


@pytest.fixture
def crammed(linked_early: tuple[Tenant, Tenant]) -> Iterator[Tenant]:
    """A linked session with a volume that is soon full, for one test; it goes afterwards."""
    tenant = linked_early[0]
    tenant.wait_for(CRAMMED, has_durable_login())
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
