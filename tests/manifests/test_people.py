"""Kubernetes' own roles view, edit and admin include sessions, by a real aggregation."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml
from local_cluster.light import LightCluster, Programs
from manifests.people import Ask, Person
from manifests.rendering import INSTALL, documents
from support.waiting import until

GROUP = "wasession.dev"
READ = ["get", "list", "watch"]
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
NAMESPACE = "people-shop"
INSTALLED = [
    item for item in documents(INSTALL.read_text()) if item["kind"] in {"CustomResourceDefinition", "ClusterRole"}
]
""" What roles are made of. Not the policies: they would go on for a while in the cluster that other tests use, too. """


@dataclass(frozen=True)
class Team:
    """A namespace with a person for each role."""

    people: dict[str, Person]

    def verbs(self, role: str, resource: str) -> list[str]:
        """What the person with this role may do in the namespace."""
        return self.people[role].verbs(READ + WRITE, resource, group=GROUP, namespace=NAMESPACE)


@pytest.fixture(scope="module")
def team(light_cluster_with_controllers: LightCluster, light_programs: Programs) -> Iterator[Team]:
    """People with view, edit and admin in one namespace of a cluster whose controllers aggregate roles."""
    cluster = light_cluster_with_controllers
    cluster.kubectl.apply(*INSTALLED)
    cluster.kubectl("create", "namespace", NAMESPACE)
    people = {}
    for role in ("view", "edit", "admin"):
        user = f"{role}-person"
        cluster.kubectl(
            "create", "rolebinding", role, f"--clusterrole={role}", f"--user={user}", f"--namespace={NAMESPACE}"
        )
        people[role] = Person(program=light_programs.kubectl, kubeconfig=cluster.kubeconfig_for(user))
    made = Team(people)
    # The controller adds rules a moment after they appear.
    until("roles are aggregated", lambda: made.verbs("admin", "whatsappsessions"), within=30)
    yield made
    cluster.kubectl("delete", "--filename=-", input=yaml.safe_dump_all(INSTALLED))
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.mark.parametrize(("role", "expected"), [("view", READ), ("edit", READ + WRITE), ("admin", READ + WRITE)])
def test_sessions(team: Team, role: str, expected: list[str]) -> None:
    """View reads sessions, edit and admin also write them."""
    assert expected == team.verbs(role, "whatsappsessions")


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_status_is_the_operators(team: Team, role: str) -> None:
    """People read a status and never write one."""
    assert ["get"] == team.verbs(role, "whatsappsessions/status")


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_quotas_are_cluster_admins(team: Team, role: str) -> None:
    """No role in a namespace changes a limit, or tells how many sessions others run."""
    assert [] == team.people[role].verbs(READ + WRITE, "whatsappsessionquotas", group=GROUP)


def test_who_may_see_a_qr_code(team: Team) -> None:
    """Edit reads Secrets and forwards ports, which a QR code needs; view does neither."""
    able = {
        role: all(
            person.may(
                Ask("get", "secrets", namespace=NAMESPACE), Ask("create", "pods/portforward", namespace=NAMESPACE)
            )
        )
        for role, person in team.people.items()
    }

    assert {"view": False, "edit": True, "admin": True} == able
