"""An operator with the rights of overlays/namespaced: it serves its namespace, and asks for nothing beyond."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from integration.operator.conftest import OperatorHarness
from manifests.rendering import documents, render
from session_devtools.installation.constants import OPERATOR_NAMESPACE

ACCOUNT = "namespaced"
RIGHTS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def objects(namespace: str) -> list[dict[str, Any]]:
    """The overlay's rights, for another account and another namespace than its example has."""
    made = []
    for item in documents(render("overlays/namespaced")):
        if item["kind"] not in RIGHTS or not item["metadata"]["name"].startswith("whatsapp-operator"):
            continue
        metadata = {"name": f"{item['metadata']['name']}-{namespace}"}
        if "namespace" in item["metadata"]:
            old = item["metadata"]["namespace"]
            metadata["namespace"] = namespace if old == "shop" else old
        found = {**item, "metadata": metadata}
        if "roleRef" in item:
            found["roleRef"] = item["roleRef"] | {"name": f"{item['roleRef']['name']}-{namespace}"}
            found["subjects"] = [each | {"name": ACCOUNT} for each in item["subjects"]]
        made.append(found)
    return made


@pytest.fixture
async def narrow(harness: OperatorHarness) -> AsyncIterator[OperatorHarness]:
    """The harness with an operator that has these rights alone."""
    kubectl = harness.cluster.kubectl
    made = objects(harness.namespace)
    for item in made:
        kubectl("apply", "--filename=-", input=json.dumps(item))
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{OPERATOR_NAMESPACE}")
    harness.kubeconfig = harness.cluster.kubeconfig_for(
        f"system:serviceaccount:{OPERATOR_NAMESPACE}:{ACCOUNT}", *groups
    )
    yield harness
    for operator in harness.operators:  # before its rights go: what it asked for afterwards would be refused
        operator.kill()
    for item in made:
        where = ["--namespace", item["metadata"]["namespace"]] if "namespace" in item["metadata"] else []
        kubectl("delete", f"{item['kind']}/{item['metadata']['name']}", *where)


async def test_a_session_lives_with_rights_in_its_namespace_alone(narrow: OperatorHarness) -> None:
    """Made, recovered, suspended, resumed, deleted, over resyncs; afterwards no request was refused (see `harness`)."""
    await narrow.quota(sessions=1)
    operator = await narrow.operator(RESYNC_INTERVAL="1s")
    await narrow.session("a")
    first = await narrow.wait_for_state("a", "QRPending")

    await narrow.admin.delete("pods", narrow.namespace, "a")
    await narrow.wait_for_new_pod("a", first["podUID"])
    await narrow.wait_for_state("a", "QRPending")
    await narrow.edit("a", {"spec": {"operatingMode": "Suspended"}})
    await narrow.wait_for_pod_gone("a")
    await narrow.admin.delete("whatsappsessions", narrow.namespace, "a")

    async def service_gone() -> bool:
        return [] == await narrow.admin.list("services", narrow.namespace)

    await narrow.until("the Service to be gone", service_gone)
    assert [] == [line for line in operator.log.read_text().splitlines() if "forbidden" in line.lower()]
