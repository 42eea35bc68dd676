"""policies/labels.yaml: in a namespace that an operator serves, nobody else writes its labels on pods."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from api_client import ApiClient
from local_cluster.light import LightCluster
from manifests.asking import TAKEN, create, delete, patch
from manifests.rendering import INSTALL, documents, render
from support.waiting import until

FIRST, SECOND = "policy-first", "policy-second"
OURS = {"app.kubernetes.io/managed-by": "whatsapp-session-operator"}
UID = "wasession.dev/session-uid"


def account(cluster: LightCluster, name: str) -> ApiClient:
    """The account of the operator of this name, in the namespace of the same name."""
    return ApiClient(
        cluster, f"system:serviceaccount:{name}:{name}", "system:serviceaccounts", f"system:serviceaccounts:{name}"
    )


def pod(
    namespace: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None
) -> dict[str, Any]:
    """A pod as a team makes one."""
    metadata = {"name": "mine", "namespace": namespace, "labels": labels or {}, "annotations": annotations or {}}
    spec = {"containers": [{"name": "main", "image": "x"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def refusal(namespace: str, *keys: str) -> str:
    """The words."""
    return f"only the WhatsApp operator that serves namespace {namespace} may set, change or remove {', '.join(keys)} on a pod"


class TwoOperators(NamedTuple):
    """A cluster with the operator and a second one of INSTANCE demo, a namespace of each, and who asks."""

    cluster: LightCluster
    admin: ApiClient
    first: ApiClient
    second: ApiClient


@pytest.fixture(scope="module")
def both(installed: LightCluster) -> Iterator[TwoOperators]:
    """Two operators side by side, each with its own policies."""
    overlay = render("overlays/instance-demo")
    installed.kubectl("apply", "--filename=-", input=overlay)
    for namespace in (FIRST, SECOND):
        installed.kubectl("create", "namespace", namespace)
        installed.kubectl("create", "serviceaccount", "default", "-n", namespace)
    installed.kubectl("label", "namespace", SECOND, "wasession.dev/instance=demo")
    two = TwoOperators(
        installed,
        ApiClient(installed),
        account(installed, "whatsapp-operator"),
        account(installed, "whatsapp-operator-demo"),
    )
    for namespace in (FIRST, SECOND):
        until(
            f"the policy is in force in {namespace}",
            partial(create, two.admin, pod(namespace, OURS)),
            bool,
        )
    yield two
    installed.kubectl("delete", "--filename=-", "--wait=false", input=overlay)
    installed.kubectl("delete", f"namespace/{FIRST}", f"namespace/{SECOND}", "--wait=false")


@pytest.mark.parametrize("namespace", [FIRST, SECOND])
@pytest.mark.parametrize(
    "labels",
    [OURS, {UID: "11111111-1111-1111-1111-111111111111"}, {"wasession.dev/key-id": "old"}, {"wasession.dev/anything": ""}],
    ids=["managed-by", "session-uid", "key-id", "any other"],
)  # fmt: skip
def test_nobody_else_makes_a_pod_with_our_labels(both: TwoOperators, namespace: str, labels: dict[str, str]) -> None:
    """Not even an admin of the cluster: the label is the operator's word."""
    assert refusal(namespace, *labels) in create(both.admin, pod(namespace, {"app": "x"} | labels))


def test_nor_with_our_annotations(both: TwoOperators) -> None:
    """A quota or a seal is as much the operator's word as a label."""
    asked = pod(FIRST, annotations={"wasession.dev/quota": "theirs"})

    assert refusal(FIRST, "wasession.dev/quota") in create(both.admin, asked)


@pytest.mark.parametrize(
    "labels",
    [{}, {"app.kubernetes.io/managed-by": "helm"}, {"wasession.development/x": "y"}, {"wasession.dev/client": "true"}],
)
def test_other_pods_are_nobodys_business(both: TwoOperators, labels: dict[str, str]) -> None:
    """A team's own pods are made as ever, whatever else they carry."""
    assert [TAKEN, TAKEN] == [create(both.admin, pod(namespace, labels)) for namespace in (FIRST, SECOND)]


def test_each_operator_writes_where_it_serves(both: TwoOperators) -> None:
    """And the other one is somebody else there."""
    answers = {
        (namespace, who): create(client, pod(namespace, OURS))
        for namespace in (FIRST, SECOND)
        for who, client in (("first", both.first), ("second", both.second))
    }

    # The own account is held to what it makes by another policy, which speaks of the pod and not of the label.
    assert {(FIRST, "second"), (SECOND, "first")} == {
        where for where, answer in answers.items() if refusal(where[0], "app.kubernetes.io/managed-by") in answer
    } | {where for where, answer in answers.items() if "does not serve namespace" in answer}
    assert "with the session as its owner" in answers[FIRST, "first"]
    assert "with the session as its owner" in answers[SECOND, "second"]


@pytest.fixture
def existing(both: TwoOperators) -> Iterator[dict[str, Any]]:
    """A pod of the operator's that is there already, as from before the policy."""
    made = pod(FIRST, OURS | {UID: "u", "team": "a"}, {"wasession.dev/quota": "q"})
    binding = "validatingadmissionpolicybinding/whatsapp-operator-labels"
    (saved,) = [
        item
        for item in documents(INSTALL.read_text())
        if (item["kind"], item["metadata"]["name"]) == ("ValidatingAdmissionPolicyBinding", "whatsapp-operator-labels")
    ]
    both.cluster.kubectl("delete", binding)
    until("the policy is away", lambda: create(both.admin, made), lambda answers: answers == TAKEN)
    assert TAKEN == create(both.admin, made, dry_run=False)
    both.cluster.kubectl("apply", "--filename=-", input=json.dumps(saved))
    until("the policy is back", lambda: create(both.admin, pod(FIRST, OURS)), lambda answers: "only the" in answers)
    yield made
    delete(both.admin, made, dry_run=False)


def test_a_pod_of_the_operators(both: TwoOperators, existing: dict[str, Any]) -> None:
    """Its labels stay as they are: what leaves them alone passes, what changes or removes one is refused."""
    admin = both.admin
    passing = {
        "another label": patch(admin, existing, {"metadata": {"labels": {"team": "b", "more": "x"}}}),
        "an annotation": patch(admin, existing, {"metadata": {"annotations": {"note": "x"}}}),
        "a finalizer": patch(admin, existing, {"metadata": {"finalizers": ["example.com/x"]}}),
        "the kubelet's status": patch(admin, existing, {"status": {"phase": "Running"}}, subresource="status"),
        "deletion": delete(admin, existing),
    }
    refused = {
        UID: patch(admin, existing, {"metadata": {"labels": {UID: "other"}}}),
        "app.kubernetes.io/managed-by": patch(
            admin, existing, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
        ),
        "wasession.dev/key-id": patch(admin, existing, {"metadata": {"labels": {"wasession.dev/key-id": "old"}}}),
        "wasession.dev/quota": patch(admin, existing, {"metadata": {"annotations": {"wasession.dev/quota": "b"}}}),
        "wasession.dev/x": patch(
            admin, existing, {"metadata": {"labels": {"wasession.dev/x": ""}}}, subresource="status"
        ),
    }

    assert dict.fromkeys(passing, TAKEN) == passing
    assert [] == [(key, answers) for key, answers in refused.items() if refusal(FIRST, key) not in answers]


def test_eviction_passes(both: TwoOperators, existing: dict[str, Any]) -> None:
    """A drain goes through the eviction's own resource."""
    path = f"/api/v1/namespaces/{FIRST}/pods/{existing['metadata']['name']}/eviction"
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": existing["metadata"]["name"], "namespace": FIRST},
    }

    answer = both.admin.request("POST", path, eviction, dryRun="All")

    assert answer.accepted, answer.body


def test_a_schedulers_binding(both: TwoOperators, existing: dict[str, Any]) -> None:
    """A binding's labels are copied to the pod: with ours it is refused, without it passes."""
    name = existing["metadata"]["name"]
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": FIRST},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "n"},
    }
    path = f"/api/v1/namespaces/{FIRST}/pods/{name}/binding"
    labelled = binding | {"metadata": {"name": name, "namespace": FIRST, "labels": {UID: "other"}}}

    refused = both.admin.request("POST", path, labelled, dryRun="All")
    taken = both.admin.request("POST", path, binding, dryRun="All")

    assert refusal(FIRST, UID) in str(refused.body.get("message"))
    assert taken.accepted, taken.body


def test_the_accounts_follow_the_overlay() -> None:
    """In each overlay the policies name the account that the overlay makes, and its instance."""
    for name, instance in (("base", ""), ("overlays/instance-demo", "demo"), ("overlays/demo-current", "demo")):
        found = list(documents(render(name)))
        (service_account,) = [item["metadata"] for item in found if item["kind"] == "ServiceAccount"]
        policies = [item for item in found if item["kind"] == "ValidatingAdmissionPolicy"]
        conditions = [each["expression"] for item in policies for each in item["spec"].get("matchConditions", ())]
        spelt = f"['system:serviceaccount', '{service_account['namespace']}', '{service_account['name']}'].join(':')"

        assert 4 == len(policies)
        assert [spelt in each for each in conditions] == [True, True], f"{name}: {conditions}"
        assert [f"'{instance}'"] == [
            each["expression"]
            for item in policies
            for each in item["spec"].get("variables", ())
            if each["name"] == "instance"
        ]
