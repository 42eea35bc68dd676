"""examples/quota-policy.yaml: a team's sessions count against the team's quota, whatever they say."""

import json
from collections.abc import Iterator

import pytest
from local_cluster.light import LightCluster
from manifests.rendering import MANIFESTS
from support.waiting import until

POLICY = MANIFESTS / "examples" / "quota-policy.yaml"


def create(cluster: LightCluster, namespace: str, quota: str) -> str:
    """Ask for a session that names this quota; returns what the API server says."""
    session = {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": "sales", "namespace": namespace},
        "spec": {"quotaName": quota},
    }
    return cluster.kubectl("create", "--dry-run=server", "--filename=-", input=json.dumps(session), check=False)


@pytest.fixture(scope="module")
def governed(installed: LightCluster) -> Iterator[LightCluster]:
    """The policy in force, a namespace with the label and one without."""
    installed.kubectl("create", "namespace", "policy-shop")
    installed.kubectl("create", "namespace", "policy-free")
    installed.kubectl("label", "namespace", "policy-shop", "wasession.dev/quota=shop")
    installed.kubectl("apply", "--filename", str(POLICY))
    # A policy is in force a moment after it is stored.
    until(
        "the policy is in force",
        lambda: create(installed, "policy-shop", "other"),
        lambda output: "created" not in output,
        within=30,
    )
    yield installed
    installed.kubectl("delete", "--filename", str(POLICY))
    installed.kubectl("delete", "namespace", "policy-shop", "policy-free", "--wait=false")


def test_another_teams_quota_is_refused(governed: LightCluster) -> None:
    """The refusal says which quota it has to be."""
    output = create(governed, "policy-shop", "other")

    assert "sessions in namespace policy-shop count against quota shop: set spec.quotaName to it" in output


def test_the_own_quota_is_fine(governed: LightCluster) -> None:
    """The named quota is the label's."""
    assert "created (server dry run)" in create(governed, "policy-shop", "shop")


def test_a_namespace_without_the_label_is_free(governed: LightCluster) -> None:
    """Nobody is governed who was not asked to be."""
    assert "created (server dry run)" in create(governed, "policy-free", "other")
