"""policies/pod-fields.yaml: who sets what goes into a pod must be allowed to create pods."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from api_client import ApiClient
from local_cluster.light import LightCluster, Programs
from manifests.asking import TAKEN, create, patch
from manifests.rendering import INSTALL, MANIFESTS, documents
from support.waiting import until
from whatsapp_operator.api.profile import ProfileSpec
from whatsapp_operator.api.session import PodOptions, SessionSpec

NAMESPACE = "policy-fields"
FULL = yaml.safe_load((MANIFESTS / "examples" / "session-full.yaml").read_text())["spec"]


def session(name: str = "sales", **spec: Any) -> dict[str, Any]:
    """A session in the test's namespace."""
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def lacks(user: str, *fields: str) -> str:
    """The words of the refusal."""
    return (
        f"denied request: {user} may not set, change or remove {' and '.join(fields)}: it amounts to creating pods, and "
        f"needs the right to create pods in namespace {NAMESPACE}"
    )


def bind(cluster: LightCluster, name: str, *, user: str, namespace: str) -> None:
    """Give a user a ClusterRole in a namespace."""
    cluster.kubectl(
        "create", "rolebinding", f"{name}-{user}", f"--clusterrole={name}", f"--user={user}", "-n", namespace
    )


@pytest.fixture(scope="module")
def governed(installed: LightCluster) -> Iterator[LightCluster]:
    """A namespace where ed may write sessions, and mo may create pods, too; ed may do that in another one."""
    other = f"{NAMESPACE}-other"
    for namespace in (NAMESPACE, other):
        installed.kubectl("create", "namespace", namespace)
    installed.kubectl("create", "clusterrole", "pod-maker", "--verb=create", "--resource=pods")
    for user in ("ed", "mo"):
        for role in ("whatsapp-sessions-edit", "whatsapp-sessions-view"):
            bind(installed, role, user=user, namespace=NAMESPACE)
    bind(installed, "pod-maker", user="mo", namespace=NAMESPACE)
    bind(installed, "pod-maker", user="ed", namespace=other)
    asking = ApiClient(installed, "ed", "people")
    until("the policy is in force", lambda: create(asking, session(pod={"image": "x"})), lambda answer: answer != TAKEN)
    yield installed
    installed.kubectl("delete", "clusterrole/pod-maker", f"namespace/{NAMESPACE}", f"namespace/{other}", "--wait=false")


@pytest.fixture(scope="module")
def ed(governed: LightCluster) -> ApiClient:
    """Somebody with whatsapp-sessions-edit alone, who may create pods in another namespace."""
    return ApiClient(governed, "ed", "people")


@pytest.fixture(scope="module")
def mo(governed: LightCluster) -> ApiClient:
    """Somebody who may create pods, too."""
    return ApiClient(governed, "mo", "people")


@pytest.fixture
def stored(governed: LightCluster) -> Iterator[dict[str, Any]]:
    """A session with an image, stored by an admin."""
    admin = ApiClient(governed)
    made = session("stored", pod={"image": "example.com/runner:1", "nodeSelector": {"disk": "ssd"}})
    assert TAKEN == create(admin, made, dry_run=False)
    yield made
    admin.request("DELETE", f"/apis/wasession.dev/v1alpha1/namespaces/{NAMESPACE}/whatsappsessions/stored")


def test_a_plain_session_needs_no_further_right(ed: ApiClient) -> None:
    """Everything but the pod's fields is for whoever may write sessions."""
    spec = {key: value for key, value in FULL.items() if key != "pod"}
    spec["proxy"] = {key: value for key, value in FULL["proxy"].items() if key != "loginSecretName"}
    spec["link"] = {key: value for key, value in FULL["link"].items() if key != "phoneNumberSecretName"}
    spec["webhooks"] = [{key: hook[key] for key in hook if key != "secretName"} for hook in FULL["webhooks"]]

    tried: list[dict[str, Any]] = [{}, spec, {"pod": {}}]

    assert [TAKEN, TAKEN, TAKEN] == [create(ed, session(**each)) for each in tried]


@pytest.mark.parametrize("field", sorted(FULL["pod"]))
def test_each_field_of_the_pod_counts(ed: ApiClient, mo: ApiClient, field: str) -> None:
    """Refused with the missing right in words; with the right it is taken."""
    asked = session(pod={field: FULL["pod"][field]})

    assert lacks("ed", "spec.pod") in create(ed, asked)
    assert TAKEN == create(mo, asked)


def test_every_field_was_tried() -> None:
    """The example shows every field that a pod's block has."""
    assert {field.alias for field in PodOptions.model_fields.values()} == set(FULL["pod"])


@pytest.mark.parametrize("claim", ["data-postgres-0", "colleague-profile"])
def test_an_existing_claim_counts(ed: ApiClient, mo: ApiClient, claim: str) -> None:
    """Mounting somebody's claim is what a pod could do."""
    asked = session(profile={"existingClaim": claim})

    assert lacks("ed", "spec.profile.existingClaim") in create(ed, asked)
    assert TAKEN == create(mo, asked)


def test_all_that_is_missing_is_named(ed: ApiClient) -> None:
    """Both at once are one refusal."""
    asked = session(pod={"image": "busybox"}, profile={"existingClaim": "mine", "accessMode": "ReadWriteOnce"})

    assert lacks("ed", "spec.pod", "spec.profile.existingClaim") in create(ed, asked)


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"operatingMode": "Suspended"}},
        {"spec": {"resources": {"limits": {"memory": "1Gi"}}, "recovery": {"maxAttempts": 3}}},
        {"spec": {"pod": {"image": "example.com/runner:1"}}},
        {"metadata": {"annotations": {"wasession.dev/restart-at": "2026-01-01T00:00:00Z"}}},
    ],
    ids=["suspend", "other fields", "the same image", "restart"],
)
def test_an_edit_that_leaves_them_alone_passes(ed: ApiClient, stored: dict[str, Any], change: dict[str, Any]) -> None:
    """Who may write sessions works with one that others gave an image."""
    assert TAKEN == patch(ed, stored, change)


@pytest.mark.parametrize(
    "change",
    [{"image": "busybox"}, {"image": None}, {"nodeSelector": None}, {"nodeSelector": {"disk": "hdd"}}, {"labels": {"a": "b"}}, None],
    ids=["change", "remove", "remove a block", "change within", "add", "remove all"],
)  # fmt: skip
def test_a_change_of_them_does_not(
    ed: ApiClient, mo: ApiClient, stored: dict[str, Any], change: dict[str, Any] | None
) -> None:
    """Whatever it does to the pod's fields, removing them too."""
    asked = {"spec": {"pod": change}}

    assert lacks("ed", "spec.pod") in patch(ed, stored, asked)
    assert TAKEN == patch(mo, stored, asked)


def test_the_operators_status_passes(governed: LightCluster, stored: dict[str, Any]) -> None:
    """It may not write sessions at all, and writes their status."""
    account = "system:serviceaccount:whatsapp-operator:whatsapp-operator"
    operator = ApiClient(governed, account, "system:serviceaccounts", "system:serviceaccounts:whatsapp-operator")

    assert TAKEN == patch(operator, stored, {"status": {"state": "Queued"}}, subresource="status")


def test_what_is_harmless_is_listed() -> None:
    """Each field of a session is either listed or counts; the list names no field that there is not."""
    (policy,) = [item for item in documents(INSTALL.read_text()) if item["metadata"]["name"] == "whatsapp-operator-pod-fields" and item["kind"] == "ValidatingAdmissionPolicy"]  # fmt: skip
    variables = {item["name"]: item["expression"] for item in policy["spec"]["variables"]}
    harmless, of_profile = (
        set(yaml.safe_load(variables[name])) for name in ("harmless", "harmlessOfProfile")
    )  # a list of texts in CEL is one in YAML

    assert {"pod"} == {field.alias for field in SessionSpec.model_fields.values()} - harmless
    assert {"existingClaim"} == {field.alias for field in ProfileSpec.model_fields.values()} - of_profile
    assert harmless <= {field.alias for field in SessionSpec.model_fields.values()}


def test_a_field_added_later_counts(light_programs: Programs) -> None:
    """A later version's field is not harmless until somebody lists it, wherever in the spec it stands."""
    crd = next(
        item for item in documents(INSTALL.read_text()) if item["metadata"]["name"].startswith("whatsappsessions.")
    )
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    added = {"type": "string"}
    spec["sidecar"] = spec["pod"]["properties"]["command"] = spec["profile"]["properties"]["subPath"] = added
    objects = [item for item in documents(INSTALL.read_text()) if "pod-fields" in item["metadata"]["name"]]
    roles = [item for item in documents(INSTALL.read_text()) if item["metadata"]["name"] == "whatsapp-sessions-edit"]
    with LightCluster.start(programs=light_programs) as cluster:
        for item in (crd, *objects, *roles):
            cluster.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(item))
        cluster.kubectl.wait_established(crd["metadata"]["name"])
        cluster.kubectl("create", "namespace", NAMESPACE)
        bind(cluster, "whatsapp-sessions-edit", user="ed", namespace=NAMESPACE)
        ed = ApiClient(cluster, "ed", "people")
        until(
            "the policy is in force",
            lambda: create(ed, session(pod={"image": "x"})),
            lambda answer: "amounts" in answer,
        )
        refusals = [create(ed, session(**each)) for each in ({"sidecar": "x"}, {"pod": {"command": "x"}}, {"profile": {"subPath": "x"}})]  # fmt: skip

    assert [lacks("ed", field) in answer for field, answer in zip(("spec.sidecar", "spec.pod", "spec.profile.subPath"), refusals, strict=True)]  # fmt: skip
    assert all("amounts to creating pods" in answer for answer in refusals)
