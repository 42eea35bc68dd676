"""Sessions that lie in git, on a real API server: applied again and again, by several hands, waited for and pruned."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from api_client import session
from integration.api.test_kubectl import FULL, write_status
from local_cluster.light import LightCluster
from whatsapp_operator.api.constants import API_VERSION, RESTART_AT, SESSION_KIND

Json = dict[str, Any]

OPERATOR_STATUS: Json = {
    "observedGeneration": 1,
    "state": "Connected",
    "podName": "sales",
    "replicas": 1,
    "selector": "wasession.dev/session=sales",
    "conditions": [
        {
            "type": kind,
            "status": status,
            "reason": "Connected",
            "message": "",
            "lastTransitionTime": "2026-01-31T12:00:00Z",
            "observedGeneration": 1,
        }
        for kind, status in (("Ready", "True"), ("Suspended", "False"), ("Stalled", "False"))
    ],
}
HOW = pytest.mark.parametrize(
    "how",
    [("--field-manager=argocd-controller",), ("--server-side", "--field-manager=kustomize-controller")],
    ids=["as Argo CD does", "as Flux does"],
)


@pytest.fixture
def namespace(cluster: LightCluster, make_namespace: Callable[[LightCluster], str]) -> str:
    """A namespace of this test's own."""
    return make_namespace(cluster)


def apply(cluster: LightCluster, manifest: Json, *how: str, check: bool = True) -> str:
    """Apply a manifest."""
    return cluster.kubectl("apply", *how, "--filename=-", input=yaml.safe_dump(manifest), check=check)


def stored(cluster: LightCluster, namespace: str, name: str = "sales") -> Json:
    """Return a session as it is stored."""
    found: Json = json.loads(
        cluster.kubectl("get", "was", name, "-n", namespace, "-o", "json", "--show-managed-fields")
    )
    return found


def test_what_nobody_has_seen_says_so(cluster: LightCluster, namespace: str) -> None:
    """The API server itself writes it, so that no tool takes a session for done that has just been created."""
    apply(cluster, session({}, namespace=namespace))

    assert {"observedGeneration": -1} == stored(cluster, namespace)["status"]


@HOW
def test_before_there_is_a_status_nothing_differs(cluster: LightCluster, namespace: str, how: tuple[str, ...]) -> None:
    """What the API server filled in is nobody's field, and is stored by one write at most: from then on there is none."""
    manifest = session({}, namespace=namespace)
    apply(cluster, manifest, *how)
    created = stored(cluster, namespace)

    difference = cluster.kubectl("diff", *how, "--filename=-", input=yaml.safe_dump(manifest))
    seen = []
    for _ in range(3):
        apply(cluster, manifest, *how)
        seen.append(stored(cluster, namespace))

    assert "" == difference
    assert 1 == len({found["metadata"]["resourceVersion"] for found in seen})
    assert [created["status"]] * 3 == [found["status"] for found in seen]
    assert [] == [
        entry for found in seen for entry in found["metadata"]["managedFields"] if "f:status" in entry["fieldsV1"]
    ]
    assert 1 == len(seen[-1]["metadata"]["managedFields"])


@HOW
@pytest.mark.parametrize("spec", [{}, FULL], ids=["empty", "full"])
def test_what_the_operator_writes_is_no_difference(
    cluster: LightCluster, namespace: str, how: tuple[str, ...], spec: Json
) -> None:
    """With a status, and with a request that a person made by hand: nothing to apply, nothing is written."""
    manifest = session(spec, namespace=namespace)
    apply(cluster, manifest, *how)
    write_status(cluster, "was/sales", OPERATOR_STATUS, "-n", namespace)
    cluster.kubectl("annotate", "was/sales", "-n", namespace, f"{RESTART_AT}=2026-01-31T12:00:00Z")
    before = stored(cluster, namespace)

    difference = cluster.kubectl("diff", *how, "--filename=-", input=yaml.safe_dump(manifest))
    apply(cluster, manifest, *how)

    after = stored(cluster, namespace)
    assert "" == difference
    assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    assert "2026-01-31T12:00:00Z" == after["metadata"]["annotations"][RESTART_AT]
    assert "Connected" == after["status"]["state"]


def test_two_managers_see_each_other(cluster: LightCluster, namespace: str) -> None:
    """What git says wins over a hand when it insists, as Flux does; what git leaves out is the hand's for good."""
    flux = ("--server-side", "--field-manager=kustomize-controller")
    in_git = session({"operatingMode": "Running"}, namespace=namespace)
    apply(cluster, in_git, *flux)
    by_hand = {"spec": {"operatingMode": "Suspended", "priority": 7}}
    cluster.kubectl(
        "patch", "was/sales", "-n", namespace, "--type=merge", "-p", json.dumps(by_hand), "--field-manager=jo"
    )

    refused = apply(cluster, in_git, *flux, check=False)
    kept = stored(cluster, namespace)["spec"]
    apply(cluster, in_git, *flux, "--force-conflicts")
    insisted = stored(cluster, namespace)["spec"]

    assert 'conflict with "jo"' in refused
    assert ".spec.operatingMode" in refused
    assert ("Suspended", 7) == (kept["operatingMode"], kept["priority"])
    assert ("Running", 7) == (insisted["operatingMode"], insisted["priority"])


def test_two_tools_that_say_the_same_share_it(cluster: LightCluster, namespace: str) -> None:
    """Nothing differs for either, neither writes again, and what one takes out of git the other keeps."""
    tools = [("--server-side", f"--field-manager={name}") for name in ("kustomize-controller", "argocd-controller")]
    in_git = session({"operatingMode": "Running", "priority": 7}, namespace=namespace)
    for tool in tools:
        apply(cluster, in_git, *tool)
    write_status(cluster, "was/sales", OPERATOR_STATUS, "-n", namespace)
    before = stored(cluster, namespace)

    differences = [cluster.kubectl("diff", *tool, "--filename=-", input=yaml.safe_dump(in_git)) for tool in tools]
    for tool in tools:
        apply(cluster, in_git, *tool)
    again = stored(cluster, namespace)
    apply(cluster, session({"operatingMode": "Running"}, namespace=namespace), *tools[0])
    less = stored(cluster, namespace)["spec"]

    assert ["", ""] == differences
    assert before["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]
    assert 7 == less["priority"]


def test_what_leaves_git_is_pruned(cluster: LightCluster, namespace: str) -> None:
    """By its label, as kubectl does it; the other session stays as it is."""
    both = [session({}, name=name, namespace=namespace) for name in ("stays", "goes")]
    for manifest in both:
        manifest["metadata"]["labels"] = {"from": "git"}
        apply(cluster, manifest)
    before = stored(cluster, namespace, "stays")

    prune = ("--prune", "--selector=from=git", f"--prune-allowlist={API_VERSION}/{SESSION_KIND}", "-n", namespace)
    output = apply(cluster, both[0], *prune)

    assert "goes pruned" in output
    assert before == stored(cluster, namespace, "stays")


@pytest.mark.parametrize(
    ("awaited", "status"),
    [
        ("condition=Ready", {}),
        ("condition=PodReady", {"conditions": [{**OPERATOR_STATUS["conditions"][0], "type": "PodReady"}]}),
        ("condition=Suspended", {"conditions": [{**OPERATOR_STATUS["conditions"][0], "type": "Suspended"}]}),
        ("jsonpath={.status.state}=QRPending", {"state": "QRPending"}),
    ],
)
def test_what_kubectl_waits_for(cluster: LightCluster, namespace: str, awaited: str, status: Json) -> None:
    """As the docs have it: no error before there is a status, and done once it says so."""
    apply(cluster, session({}, namespace=namespace))
    wait = ("wait", "was/sales", "-n", namespace, f"--for={awaited}")

    early = cluster.kubectl(*wait, "--timeout=1s", check=False)
    write_status(cluster, "was/sales", OPERATOR_STATUS | status, "-n", namespace)
    done = cluster.kubectl(*wait, "--timeout=10s")

    assert "timed out waiting for the condition" in early
    assert "condition met" in done
