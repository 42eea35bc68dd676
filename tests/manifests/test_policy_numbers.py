"""policies/numbers.yaml: whoever names a session after what may be a telephone number is warned, and refused nothing."""

import json
from collections.abc import Iterator

import pytest
from local_cluster.light import LightCluster, Programs
from manifests.people import Person
from support.waiting import until
from whatsapp_operator.runtime.metrics.labels import name_label

NAMESPACE = "policy-numbers"
THEIRS = "policy-numbers-theirs"
NAMES = (
    "sales",
    "shop-2026",
    "team-123456",
    "a1b2c3d4e5f6",
    "4915112345678",
    "wa-555-12-34",
    "a1b2c3d4e5f6g7",
    "1234567",
)


def apply(person: Person, name: str, namespace: str = NAMESPACE, *flags: str) -> tuple[int, str]:
    """Apply a session; return the status of kubectl and what it says beside its output."""
    manifest = {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {},
    }
    done = person.kubectl("apply", *flags, "--filename=-", text=json.dumps(manifest))
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def admin(installed: LightCluster, light_programs: Programs) -> Iterator[Person]:
    """Somebody who may do anything, with a namespace where the policy is in force and one of another operator."""
    for namespace in (NAMESPACE, THEIRS):
        installed.kubectl("create", "namespace", namespace)
    installed.kubectl("label", "namespace", THEIRS, "wasession.dev/instance=theirs")
    admin = Person(program=light_programs.kubectl, kubeconfig=installed.kubeconfig_for("jo", "system:masters"))
    until(
        "the policy is in force",
        lambda: apply(admin, "s-1234567", NAMESPACE, "--dry-run=server")[1],
        lambda warning: "seven digits" in warning,
    )
    yield admin
    installed.kubectl("delete", "namespace", NAMESPACE, THEIRS, "--wait=false")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_may_be_a_number_is_warned_of(admin: Person, name: str) -> None:
    """It is taken all the same; and what is warned of is what metrics show as a hash."""
    status, warning = apply(admin, name, NAMESPACE, "--dry-run=server")

    assert 0 == status
    assert (name_label(name, "uid") != name) == ("Warning: Validation failed for ValidatingAdmissionPolicy" in warning)
    assert (f"the name {name} has seven digits or more" in warning) == ("Warning" in warning)


def test_the_warning_comes_once(admin: Person) -> None:
    """A name never changes, and GitOps applies it again every few minutes."""
    first, again = (
        apply(admin, "4915112345679"),
        apply(admin, "4915112345679", NAMESPACE, "--server-side", "--force-conflicts"),
    )

    assert (0, 0) == (first[0], again[0])
    assert "seven digits" in first[1]
    assert "seven digits" not in again[1]


def test_another_operators_namespace_is_its_own_policys(admin: Person) -> None:
    """So that nobody is told twice."""
    assert (0, "") == apply(admin, "4915112345678", THEIRS, "--dry-run=server")
