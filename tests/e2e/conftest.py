"""A cluster for each worker that plays end-to-end tests, a namespace and a quota for each test, and what a failure looks like."""

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

FIRST = ("test_demo", "test_modern", "test_alerts")
""" The demo counts the phone's devices and the other page forgets them, so they come before other sessions; what is
accelerated comes before another worker has come to the attack, which takes all that the machine has. """
LAST = ("test_rights", "test_attack", "test_soak", "test_logs")
""" The rights are judged by all that was done, and not by what attackers and mishaps provoke; the logs by all that was
written. Between first and last the order is any, but that logins are given time to become durable. """
SHARED, OWN = "shared sessions", "own sessions"
OWN_CLUSTERS = ("test_demo_current", "test_network")
""" They bring up what they need themselves. """


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and put the few that have a place into it."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.root)
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.chromium)
        item.add_marker(pytest.mark.timeout(1800))
    ours.sort(key=_place)
    items[:] = [*(item for item in items if item not in ours), *ours]


def _place(item: pytest.Item) -> tuple[int, int]:
    module = item.path.stem
    if module in FIRST:
        return 0, FIRST.index(module)
    if module in LAST:
        return 3, LAST.index(module)
    return 2 if {"durable_trio", "crammed"}.intersection(_fixtures(item)) else 1, 0


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test its worker: most of the time is waiting, so three of them share two cores.

    The tests with the shared sessions have one cluster, those with sessions of their own another.
    """
    group = "own clusters" if item.path.stem in OWN_CLUSTERS else SHARED if "linked_early" in _fixtures(item) else OWN
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get("every_cluster") if callspec is not None else None
    item.add_marker(pytest.mark.xdist_group(chosen or group))


def _fixtures(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


@pytest.fixture(scope="session")
def e2e(request: pytest.FixtureRequest, worker_id: str) -> Iterator[ClusterHarness]:
    """The cluster with operator and stand-in, told step by step as it comes up, and removed at the end."""
    with testbed("e2e" if worker_id == "master" else f"e2e-{worker_id}") as everything:
        request.config.stash[_TESTBED] = everything
        yield everything


@pytest.fixture(params=[OWN, SHARED])
def every_cluster(e2e: ClusterHarness) -> ClusterHarness:
    """The cluster of one worker and that of another, for what is judged of each; by a single worker the same one twice."""
    return e2e


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
