"""What the operator's account may not do, and how its keys are kept."""

import base64

import pytest
from api_client import ApiClient
from integration.operator.admin import Admin, Refused
from integration.operator.conftest import OperatorHarness
from integration.operator.process import OperatorProcess
from local_cluster.light import LightCluster
from session_devtools.installation.constants import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE

READING = [
    ("GET", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("GET", "/api/v1/namespaces/{0}/secrets", {}),
    ("GET", "/api/v1/secrets", {}),
    ("GET", "/api/v1/namespaces/{0}/secrets", {"watch": "true", "timeoutSeconds": "1"}),
    ("PUT", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("PATCH", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("DELETE", "/api/v1/namespaces/{0}/secrets/bank", {}),
    ("DELETE", "/api/v1/namespaces/{0}/secrets", {}),
    ("GET", f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets/other", {}),
    ("PATCH", f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets/whatsapp-operator-keys", {}),
]


def operators_account(cluster: LightCluster) -> Admin:
    """Calls with the rights of the operator's account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{OPERATOR_NAMESPACE}")
    return Admin(ApiClient(cluster, OPERATOR_ACCOUNT, *groups))


@pytest.mark.parametrize(("method", "path", "query"), READING)
async def test_no_verb_gives_a_foreign_secret_away(
    harness: OperatorHarness, method: str, path: str, query: dict[str, str]
) -> None:
    """Every verb on Secrets but create is refused, so that no answer can hold a foreign Secret's bytes."""
    secret = {"metadata": {"name": "bank"}, "stringData": {"pin": "treasure"}}
    await harness.admin.create("secrets", harness.namespace, secret)
    account = operators_account(harness.cluster)
    body = {"apiVersion": "v1", "kind": "Secret", **secret} if method in ("PUT", "PATCH") else None
    content = "application/merge-patch+json" if method == "PATCH" else "application/json"

    with pytest.raises(Refused) as refused:
        await account.call(method, path.format(harness.namespace), body, content_type=content, **query)

    assert 403 == refused.value.status
    assert "treasure" not in str(refused.value)


async def test_creating_an_existing_secret_gives_nothing_away(harness: OperatorHarness) -> None:
    """Create is the one verb it has: a Secret that is no session's is refused, and the answer has nothing of the object."""
    secret = {"metadata": {"name": "bank"}, "stringData": {"pin": "treasure"}}
    await harness.admin.create("secrets", harness.namespace, secret)
    with pytest.raises(Refused) as refused:
        await operators_account(harness.cluster).create("secrets", harness.namespace, {"metadata": {"name": "bank"}})

    assert (403, False) == (refused.value.status, "treasure" in str(refused.value))


async def test_a_sessions_secret_that_is_there_gives_nothing_away(harness: OperatorHarness) -> None:
    """Of the one shape that it may create, a taken name is told, and nothing of what the object holds."""
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a")
    name = (await harness.wait_for_state("a", "QRPending"))["tokenSecretName"]
    secret = await harness.admin.get("secrets", harness.namespace, name)
    metadata = {key: secret["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    with pytest.raises(Refused) as refused:
        await operators_account(harness.cluster).create(
            "secrets", harness.namespace, {"metadata": metadata, "immutable": True, "data": {"state": "eA=="}}
        )

    answer = str(refused.value)
    held = [text for value in secret["data"].values() for text in (value, base64.b64decode(value).decode())]
    assert (409, []) == (refused.value.status, [text for text in held if text in answer])


async def test_a_rotated_key_serves_the_pods_made_afterwards(harness: OperatorHarness) -> None:
    """Old pods keep their tokens and are listened to; a new pod gets tokens of the new key."""
    await harness.quota(sessions=2)
    await harness.operator(RESYNC_INTERVAL="1s")
    await harness.session("old")
    await harness.wait_for_state("old", "QRPending")

    rotation = OperatorProcess.command("rotate-key", kubeconfig=harness.kubeconfig, log=harness.folder / "rotation.log")
    assert 0 == await rotation.wait_for_exit(within=30)
    await harness.operators[0].wait_for_log("Another key is current")
    await harness.session("new")
    await harness.wait_for_state("new", "QRPending")

    keys = (await harness.admin.get("secrets", OPERATOR_NAMESPACE, "whatsapp-operator-keys"))["data"]
    labels = {
        name: (await harness.pod(name) or {})["metadata"]["labels"]["wasession.dev/key-id"] for name in ("old", "new")
    }
    assert labels["old"] != labels["new"]
    assert labels["new"] == base64.b64decode(keys["current"]).decode()
    assert {*labels.values()} <= set(keys)
