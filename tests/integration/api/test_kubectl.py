"""What a person sees who types kubectl: apply, get, scale, explain, wait."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from api_client import ApiClient, session
from local_cluster.light import LightCluster
from session_protocol.quantities import MI
from support.waiting import until
from whatsapp_operator.api.conditions import Condition, ConditionStatus, set_condition
from whatsapp_operator.api.constants import API_VERSION, GROUP, QUOTA_KIND
from whatsapp_operator.api.crd.definitions import KINDS, Kind
from whatsapp_operator.api.quota import QuotaStatus
from whatsapp_operator.api.session import LinkStatus, RecoveryStatus, SessionStatus

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

FULL: dict[str, Any] = {
    "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": 1, "memory": "1024Mi"}},
    "profile": {"size": "2048Mi"},
    "timeouts": {"startup": "120s"},
    "pod": {"imagePullSecrets": [{"name": "a"}], "tolerations": [{"operator": "Exists"}], "labels": {"team": "a"}},
}


@pytest.fixture
def namespace(cluster: LightCluster, make_namespace: Callable[[LightCluster], str]) -> str:
    """A namespace of this test's own."""
    return make_namespace(cluster)


@pytest.fixture
def quota(cluster: LightCluster) -> Iterator[str]:
    """A quota of this test's own, with a status; its name."""
    name = "columns"
    manifest = {
        "apiVersion": API_VERSION,
        "kind": QUOTA_KIND,
        "metadata": {"name": name},
        "spec": {"sessions": 10, "memory": "8Gi"},
    }
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(manifest))
    write_status(cluster, f"wasq/{name}", QuotaStatus(admitted=3, waiting=1, memory_reserved=2304 * MI).to_dict())
    yield name
    cluster.kubectl("delete", "wasq", name)


def write_status(cluster: LightCluster, target: str, status: dict[str, Any], *where: str) -> None:
    """Write a status as the operator does."""
    cluster.kubectl(
        "patch", target, *where, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
    )


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
@pytest.mark.parametrize("spec", [{}, FULL], ids=["empty", "full"])
def test_applying_twice_changes_nothing(
    cluster: LightCluster, namespace: str, how: tuple[str, ...], spec: dict[str, Any]
) -> None:
    """Defaults and spellings of amounts are no difference; the object is not even written."""
    manifest = yaml.safe_dump(session(spec, namespace=namespace))
    version = ("get", "was", "sales", "-n", namespace, "-o", "jsonpath={.metadata.resourceVersion}")

    cluster.kubectl("apply", *how, "--filename", "-", input=manifest)
    # The default of the status is stored with the first write after the creation, which is the operator's.
    write_status(cluster, "was/sales", {"observedGeneration": 1}, "-n", namespace)
    first = cluster.kubectl(*version)
    output = cluster.kubectl("apply", *how, "--filename", "-", input=manifest)

    assert first == cluster.kubectl(*version)
    if not how:
        assert output.strip().endswith("unchanged")
    assert cluster.kubectl("diff", *how, "--filename", "-", input=manifest) == ""


def test_two_appliers_share_the_lists_that_are_maps(cluster: LightCluster, namespace: str) -> None:
    """Server-side apply of one pull secret each keeps both, without a conflict."""
    for manager in ("one", "two"):
        manifest = session({"pod": {"imagePullSecrets": [{"name": manager}]}}, namespace=namespace)
        cluster.kubectl(
            "apply", "--server-side", f"--field-manager={manager}", "--filename", "-", input=yaml.safe_dump(manifest)
        )

    names = cluster.kubectl(
        "get", "was", "sales", "-n", namespace, "-o", "jsonpath={.spec.pod.imagePullSecrets[*].name}"
    )
    assert names == "one two"


def test_a_session_cannot_be_scaled_away(cluster: LightCluster, namespace: str) -> None:
    """The text says how to stop a session; scaling to one is what it always is."""
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(session({}, namespace=namespace)))

    refused = cluster.kubectl("scale", "was/sales", "-n", namespace, "--replicas=0", check=False)

    assert "a session has exactly one pod: to stop it set spec.operatingMode to Suspended" in refused
    assert "scaled" in cluster.kubectl("scale", "was/sales", "-n", namespace, "--replicas=1")


def test_the_scale_subresource_counts_for_a_disruption_budget(cluster: LightCluster, namespace: str) -> None:
    """Wanted, present and the selector: what the disruption controller asks."""
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(session({}, namespace=namespace)))
    status = SessionStatus(replicas=1, selector=f"{GROUP}/session=sales").to_dict()
    write_status(cluster, "was/sales", status, "-n", namespace)

    path = f"/apis/{API_VERSION}/namespaces/{namespace}/whatsappsessions/sales/scale"
    scale = json.loads(cluster.kubectl("get", "--raw", path))

    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 1, "selector": f"{GROUP}/session=sales"}


def test_the_columns_show_state_and_cause(cluster: LightCluster, namespace: str) -> None:
    """One line per session; more with -o wide, where a moment to come is shown as a time."""
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(session({}, namespace=namespace)))
    status = SessionStatus(
        state="Recovering",
        pod_name="sales",
        node_name="node1",
        browser_version="156.0.7204.49",
        link=LinkStatus(account_hash="0123456789abcdef", account_key_id="k1"),
        conditions=set_condition(
            (),
            Condition(type="Ready", status=ConditionStatus.FALSE, reason="Crashed", message="The page crashed."),
            NOW,
        ),
        recovery=RecoveryStatus(restarts=2, next_attempt_time=NOW.replace(year=2099)),
    )
    write_status(cluster, "was/sales", status.to_dict(), "-n", namespace)

    header, line = cluster.kubectl("get", "was", "-n", namespace).splitlines()
    assert ["NAME", "STATE", "READY", "QUOTA", "NODE", "RESTARTS", "AGE"] == header.split()
    assert ["sales", "Recovering", "False", "default", "node1", "2"] == line.split()[:-1]

    header, line = cluster.kubectl("get", "was", "-n", namespace, "-o", "wide").splitlines()
    assert header.split()[-6:] == ["POD", "BROWSER", "ACCOUNT", "NEXT", "ATTEMPT", "MESSAGE"]
    assert line.split()[-7:] == [
        "sales",
        "156.0.7204.49",
        "0123456789abcdef",
        "2099-01-31T12:00:00Z",
        "The",
        "page",
        "crashed.",
    ]


def test_a_quotas_columns_show_what_is_used(cluster: LightCluster, quota: str) -> None:
    """Limits beside what is taken."""
    header, line = cluster.kubectl("get", "wasq", quota).splitlines()

    assert ["NAME", "SESSIONS", "MEMORY", "ADMITTED", "WAITING", "MEMORY", "RESERVED", "AGE"] == header.split()
    assert [quota, "10", "8Gi", "3", "1", "2304Mi"] == line.split()[:-1]


def test_the_category_shows_both_kinds(cluster: LightCluster, namespace: str, quota: str) -> None:
    """`kubectl get whatsapp` is the overview."""
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(session({}, namespace=namespace)))

    shown = cluster.kubectl("get", "whatsapp", "-n", namespace, "-o", "name").split()

    assert {f"whatsappsession.{GROUP}/sales", f"whatsappsessionquota.{GROUP}/{quota}"} <= set(shown)


def test_sessions_can_be_picked_by_field(cluster: LightCluster, namespace: str) -> None:
    """By state, quota, mode and node, on the server's side."""
    for name in ("one", "two"):
        manifest = session({"quotaName": name}, name=name, namespace=namespace)
        cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(manifest))
    write_status(cluster, "was/two", {"state": "QRPending", "nodeName": "node1"}, "-n", namespace)

    def picked(selector: str) -> str:
        return cluster.kubectl(
            "get", "was", "-n", namespace, "--field-selector", selector, "-o", "jsonpath={.items[*].metadata.name}"
        )

    assert picked("status.state=QRPending") == "two"
    assert picked("spec.quotaName=one") == "one"
    assert picked("spec.operatingMode=Running") == "one two"
    assert picked("status.nodeName=node1") == "two"


def test_waiting_for_ready_sees_the_condition(cluster: LightCluster, namespace: str) -> None:
    """`kubectl wait` reads our conditions, and the generation they were decided for."""
    cluster.kubectl("apply", "--filename", "-", input=yaml.safe_dump(session({}, namespace=namespace)))
    ready = Condition(type="Ready", status=ConditionStatus.TRUE, reason="Connected", observed_generation=1)
    status = SessionStatus(observed_generation=1, conditions=set_condition((), ready, NOW))
    write_status(cluster, "was/sales", status.to_dict(), "-n", namespace)
    wait = ("wait", "was/sales", "-n", namespace, "--for=condition=Ready")

    assert "condition met" in cluster.kubectl(*wait, "--timeout=10s")

    cluster.kubectl("patch", "was/sales", "-n", namespace, "--type=merge", "-p", '{"spec": {"priority": 1}}')
    assert "timed out" in cluster.kubectl(*wait, "--timeout=1s", check=False)


def published(api: ApiClient) -> dict[str, Any]:
    """Return the schemas that the API server publishes: for both kinds only a moment after they are served."""
    path = f"/openapi/v3/apis/{API_VERSION}"

    def schemas() -> dict[str, Any]:
        answer = api.request("GET", path)
        return dict(answer.body["components"]["schemas"]) if answer.accepted else {}

    def has_both(found: dict[str, Any]) -> bool:
        return {kind.kind for kind in KINDS} <= {name.rpartition(".")[2] for name in found}

    return until(f"{path} holds both kinds", schemas, has_both)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_published_field_has_a_description(api: ApiClient, kind: Kind) -> None:
    """The document that `kubectl explain` reads, walked field by field."""
    schemas = published(api)
    [root] = [
        schema
        for schema in schemas.values()
        if {"group": GROUP, "kind": kind.kind, "version": "v1alpha1"}
        in schema.get("x-kubernetes-group-version-kind", [])
    ]

    def bare(schema: dict[str, Any], path: str) -> Iterator[str]:
        for name, field in schema.get("properties", {}).items():
            if "description" not in field:
                yield f"{path}.{name}"
            yield from bare(field, f"{path}.{name}")
            yield from bare(field.get("items", {}), f"{path}.{name}[]")

    assert {"spec", "status"} <= root["properties"].keys()
    assert [] == [path for path in bare(root, kind.short) if not path.endswith(".metadata")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("was", "One WhatsApp Web session"),
        ("was.spec.profile.size", "It may only grow"),
        ("was.spec.pod.affinity.nodeAffinity", "Which nodes the pod may or should run on"),
        ("was.status.conditions.lastTransitionTime", "When the status last changed"),
        ("wasq.spec.sessions", "0 admits none"),
    ],
)
def test_kubectl_explains(cluster: LightCluster, api: ApiClient, path: str, text: str) -> None:
    """Samples through kubectl itself, at every depth."""
    published(api)

    assert text in " ".join(cluster.kubectl("explain", path).split())
