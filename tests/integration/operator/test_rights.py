"""What the operator's account may not do, and how its keys are kept."""

import base64

import pytest
from api_client import ApiClient
from integration.operator.admin import Admin, Refused
from integration.operator.conftest import Bench
from integration.operator.process import ACCOUNT, NAMESPACE, OperatorProcess
from local_cluster.light import LightCluster

READING = [
    ("GET", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("GET", "/api/v1/namespaces/{0}/secrets", {}),
    ("GET", "/api/v1/secrets", {}),
    ("GET", "/api/v1/namespaces/{0}/secrets", {"watch": "true", "timeoutSeconds": "1"}),
    ("PUT", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("PATCH", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("DELETE", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("DELETE", "/api/v1/namespaces/{0}/secrets", {}),
    ("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/other", {}),
    ("PATCH", f"/api/v1/namespaces/{NAMESPACE}/secrets/whatsapp-operator-keys", {}),
]


def operators_account(cluster: LightCluster) -> Admin:
    """Calls with the rights of the operator's account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
    return Admin(ApiClient(cluster, ACCOUNT, *groups))


@pytest.mark.parametrize(("method", "path", "query"), READING)
async def test_no_verb_gives_a_foreign_secret_away(bench: Bench, method: str, path: str, query: dict[str, str]) -> None:
    """Every verb on Secrets but create is refused, so that no answer can hold a foreign Secret's bytes."""
    secret = {"metadata": {"name": "bank"}, "stringData": {"pin": "treasure"}}
    await bench.admin.create("secrets", bench.namespace, secret)
    account = operators_account(bench.cluster)
    body = {"apiVersion": "v1", "kind": "Secret", **secret} if method in ("PUT", "PATCH") else None
    content = "application/merge-patch+json" if method == "PATCH" else "application/json"

    with pytest.raises(Refused) as refused:
        await account.call(method, path.format(bench.namespace), body, content_type=content, **query)

    assert 403 == refused.value.status
    assert "treasure" not in str(refused.value)


async def test_creating_an_existing_secret_gives_nothing_away(bench: Bench) -> None:
    """Create is the one verb it has: on a taken name it says so and returns nothing of the object."""
    secret = {"metadata": {"name": "bank"}, "stringData": {"pin": "treasure"}}
    await bench.admin.create("secrets", bench.namespace, secret)
    with pytest.raises(Refused) as refused:
        await operators_account(bench.cluster).create("secrets", bench.namespace, {"metadata": {"name": "bank"}})

    assert (409, False) == (refused.value.status, "treasure" in str(refused.value))


async def test_a_rotated_key_serves_the_pods_made_afterwards(bench: Bench) -> None:
    """Old pods keep their tokens and are listened to; a new pod gets tokens of the new key."""
    await bench.quota(sessions=2)
    await bench.operator(RESYNC_INTERVAL="1s")
    await bench.session("old")
    await bench.reaches("old", "QRPending")

    rotation = OperatorProcess.command("rotate-key", kubeconfig=bench.kubeconfig, log=bench.folder / "rotation.log")
    assert 0 == await rotation.ended(within=30)
    await bench.operators[0].said("Another key is current")
    await bench.session("new")
    await bench.reaches("new", "QRPending")

    keys = (await bench.admin.get("secrets", NAMESPACE, "whatsapp-operator-keys"))["data"]
    labels = {
        name: (await bench.pod(name) or {})["metadata"]["labels"]["wasession.dev/key-id"] for name in ("old", "new")
    }
    assert labels["old"] != labels["new"]
    assert labels["new"] == base64.b64decode(keys["current"]).decode()
    assert {*labels.values()} <= set(keys)
