"""Fixtures of the manifests' tests: the installed API server, and people to ask it as."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_cluster.light import LightCluster, Programs
from local_cluster.testing import light_cluster, light_cluster_with_controllers, light_programs, make_namespace
from manifests.checkers import KUBE_SCORE, KUBECONFORM
from manifests.engines import engines
from manifests.people import Person
from manifests.prometheus_operator import KINDS, crds
from manifests.rendering import INSTALL
from session_devtools.build.go import go_tool
from session_devtools.installation.constants import CRDS
from session_devtools.progress import ConsoleProgress

__all__ = ["light_cluster", "light_cluster_with_controllers", "light_programs", "make_namespace"]

PROMETHEUS_CRDS = [f"{kind}.monitoring.coreos.com" for kind in KINDS]
OPERATOR = "system:serviceaccount:whatsapp-operator:whatsapp-operator"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let two workers share the tests: those with the same API server are one worker's."""
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else ()
    for cluster in ("light_cluster", "light_cluster_with_controllers"):
        if cluster in fixtures:
            item.add_marker(pytest.mark.xdist_group(cluster))


@pytest.fixture(scope="session")
def kubeconform() -> Path:
    """The program, built first when nobody has."""
    return go_tool(KUBECONFORM, progress=ConsoleProgress())


@pytest.fixture(scope="session")
def kube_score() -> Path:
    """The program, built first when nobody has."""
    return go_tool(KUBE_SCORE, progress=ConsoleProgress())


@pytest.fixture(scope="session")
def gitops_engines() -> Path:
    """The program that has the engines of Argo CD and Flux, built first when nobody has."""
    return engines(progress=ConsoleProgress())


@pytest.fixture(scope="session")
def installed(light_cluster: LightCluster) -> Iterator[LightCluster]:
    """A real API server with install.yaml applied to it, as a cluster's admin would."""
    light_cluster.kubectl("apply", "--filename", str(INSTALL))
    foreign = [f"--filename={file}" for file in crds()]
    light_cluster.kubectl("apply", "--server-side", *foreign)
    light_cluster.kubectl.wait_established(*CRDS, *PROMETHEUS_CRDS)
    yield light_cluster
    light_cluster.kubectl("delete", "--filename", str(INSTALL), "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="session")
def operator(installed: LightCluster, light_programs: Programs) -> Person:
    """The operator's account, as the API server sees its token."""
    groups = ("system:serviceaccounts", "system:serviceaccounts:whatsapp-operator")
    return Person(program=light_programs.kubectl, kubeconfig=installed.kubeconfig_for(OPERATOR, *groups))


@pytest.fixture(scope="session")
def tenant(installed: LightCluster, light_programs: Programs) -> Person:
    """Somebody with no role at all, who can log in."""
    return Person(program=light_programs.kubectl, kubeconfig=installed.kubeconfig_for("jo", "shop-team"))


def run(*command: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a checker over a text; its status is the caller's business."""
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
