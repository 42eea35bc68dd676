"""policies/account.yaml: the operator's own account makes what sessions need, and nothing else."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api_client import ApiClient
from local_cluster.light import LightCluster
from manifests.asking import TAKEN, create, delete, patch
from support.waiting import until
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID, PodTokens, PodUID
from whatsapp_operator.core.network import RunnerNetwork
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.network_policy import network_policy_manifest
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.core.objects.pvc import pvc_manifest
from whatsapp_operator.core.objects.secret import create_mounted_secret, create_token_secrets
from whatsapp_operator.core.objects.service import service_manifest

Json = dict[str, Any]
NAMESPACE = "policy-account"
UID = "22222222-2222-2222-2222-222222222222"
OWN = "whatsapp-operator"
NETWORK = RunnerNetwork(operator_namespace=OWN)
DEFAULTS = Defaults(runner_image="example.com/runner:1", key_id=KeyID("k1"), network=NETWORK)


def session(**spec: Any) -> WhatsAppSession:
    """A session that the API server has accepted."""
    metadata = {"name": "sales", "namespace": NAMESPACE, "uid": UID}
    return WhatsAppSession.parse({"metadata": metadata, "spec": spec})


def made() -> dict[str, Json]:
    """What the operator makes for a session, by kind."""
    objects: tuple[Json, ...] = (
        pod_manifest(session(pod={"labels": {"team": "a"}, "imagePullSecrets": [{"name": "registry"}]}), DEFAULTS),
        pvc_manifest(session()) or {},
        {**create_mounted_secret(session(), DEFAULTS).manifest, "data": {"state": "eA=="}},
        service_manifest(NAMESPACE),
        network_policy_manifest(NAMESPACE, NETWORK),
    )
    return {item["kind"]: copy.deepcopy(dict(item)) for item in objects}


@pytest.fixture(scope="module")
def cluster(installed: LightCluster) -> Iterator[LightCluster]:
    """The API server with the namespace that these tests write to."""
    installed.kubectl("create", "namespace", NAMESPACE)
    installed.kubectl("create", "serviceaccount", "default", "-n", NAMESPACE)
    yield installed
    installed.kubectl("delete", f"namespace/{NAMESPACE}", "--wait=false")


@pytest.fixture(scope="module")
def operator(cluster: LightCluster) -> ApiClient:
    """The operator's account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{OWN}")
    client = ApiClient(cluster, f"system:serviceaccount:{OWN}:{OWN}", *groups)
    naked = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": NAMESPACE}}
    until("the policy is in force", lambda: create(client, naked), bool)
    return client


@pytest.mark.parametrize("kind", sorted(made()))
def test_it_makes_what_a_session_needs(operator: ApiClient, kind: str) -> None:
    """Each object as the operator sends it."""
    assert TAKEN == create(operator, made()[kind])


def test_it_makes_every_sort_of_pod(operator: ApiClient) -> None:
    """Everything a person may choose, an existing claim, a retained profile."""
    profile = {"existingClaim": "data-postgres-0"}
    asked = session(profile=profile, pod={"tolerations": [{"operator": "Exists"}], "runtimeClassName": "gvisor"})
    pod = dict(pod_manifest(asked, DEFAULTS))
    owned = dict(pvc_manifest(session(profile={"retention": "Delete", "storageClassName": ""})) or {})

    assert "RuntimeClass" in create(operator, pod)  # of another admission plugin: there is no such class
    del pod["spec"]["runtimeClassName"]
    assert [TAKEN, TAKEN] == [create(operator, pod), create(operator, owned)]


def test_a_seal_and_a_secret_for_each_purpose_pass(operator: ApiClient) -> None:
    """Annotations are free, and a session has several Secrets."""
    objects = made()
    for kind in ("Pod", "PersistentVolumeClaim"):
        objects[kind]["metadata"].setdefault("annotations", {})["wasession.dev/seal"] = "k1:abc"
    objects["Pod"]["spec"]["hostUsers"] = False
    tokens = create_token_secrets(
        session(), PodTokens(pod_uid=PodUID("p"), source=names.token_source(session(), DEFAULTS))
    )
    secrets = [dict(each.manifest) for each in (create_mounted_secret(session(), DEFAULTS), *tokens)]

    assert [TAKEN] * 2 == [create(operator, objects[kind]) for kind in ("Pod", "PersistentVolumeClaim")]
    assert {TAKEN} == {create(operator, secret) for secret in secrets}


def test_the_telephone_number_of_a_session_is_mounted(operator: ApiClient) -> None:
    """By the name that somebody gave its Secret, and with the one entry alone."""
    pod = pod_manifest(session(link={"phoneNumberSecretName": "support-phone"}), DEFAULTS)

    assert TAKEN == create(operator, dict(pod))


def test_a_meshs_containers_pass(operator: ApiClient) -> None:
    """A webhook adds a sidecar to the operator's request: one that is restricted, with volumes without Secrets."""
    pod = made()["Pod"]
    sidecar = {
        "name": "proxy",
        "image": "proxy",
        "restartPolicy": "Always",
        "securityContext": pod["spec"]["containers"][0]["securityContext"] | {"runAsUser": 1337},
        "volumeMounts": [{"name": "mesh-token", "mountPath": "/token"}],
    }
    token = {"serviceAccountToken": {"audience": "mesh", "path": "token", "expirationSeconds": 3600}}
    pod["spec"] |= {"initContainers": [sidecar], "serviceAccountName": "default"}
    pod["spec"]["volumes"].append({"name": "mesh-token", "projected": {"sources": [token]}})

    assert TAKEN == create(operator, pod)


def _container(change: Json) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["containers"][0].update(change)


def _security(change: Json) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["containers"][0]["securityContext"].update(change)


def _spec(change: Json) -> Callable[[Json], None]:
    return lambda obj: obj["spec"].update(change)


def _volume(source: Json) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["volumes"].append({"name": "extra", **source})


def _sidecar(kind: str) -> Callable[[Json], None]:
    return lambda pod: pod["spec"].update({kind: [{"name": "extra", "image": "x"}]})


def _number(source: Json) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["volumes"].append(
        {"name": "phone-number", "secret": {"secretName": "bank", **source}}
    )


NUMBER = {"key": "phoneNumber", "path": "phoneNumber"}
SOURCE = {"sources": [{"secret": {"name": "bank"}}]}
BANK = {"valueFrom": {"secretKeyRef": {"name": "bank", "key": "pin"}}}
PODS: dict[str, tuple[Callable[[Json], None], str]] = {
    "hostNetwork": (_spec({"hostNetwork": True}), "no pod with hostNetwork"),
    "hostPID": (_spec({"hostPID": True}), "no pod with hostNetwork, hostPID"),
    "hostIPC": (_spec({"hostIPC": True}), "no pod with hostNetwork, hostPID"),
    "nodeName": (_spec({"nodeName": "n"}), "a hostPort or a nodeName"),
    "hostPort": (_container({"ports": [{"containerPort": 1, "hostPort": 1}]}), "a hostPort or a nodeName"),
    "another account": (_spec({"serviceAccountName": "builder"}), "service account default"),
    "its token": (_spec({"automountServiceAccountToken": True}), "automountServiceAccountToken false"),
    "hostPath": (_volume({"hostPath": {"path": "/"}}), "the session's own Secrets"),
    "another Secret": (_volume({"secret": {"secretName": "bank"}}), "the session's own Secrets"),
    "another session's": (_volume({"secret": {"secretName": "was-1-link"}}), "the session's own Secrets"),
    "another entry": (_number({"items": [{"key": "pin", "path": "phoneNumber"}]}), "that a session may name"),
    "two entries": (_number({"items": [NUMBER, {"key": "pin", "path": "pin"}]}), "that a session may name"),
    "all entries": (_number({}), "that a session may name"),
    "a second claim": (_volume({"persistentVolumeClaim": {"claimName": "data"}}), "its claim (volume profile)"),
    "a projected Secret": (_volume({"projected": SOURCE}), "projected volumes without Secrets"),
    "a CSI volume": (_volume({"csi": {"driver": "x"}}), "the session's own Secrets"),
    "env": (_container({"env": [{"name": "PIN", **BANK}]}), "environment comes from a Secret"),
    "envFrom": (_container({"envFrom": [{"secretRef": {"name": "bank"}}]}), "environment comes from a Secret"),
    "privileged": (_security({"privileged": True, "allowPrivilegeEscalation": True}), "Standard restricted"),
    "escalation": (_security({"allowPrivilegeEscalation": True}), "Standard restricted"),
    "a capability": (_security({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}), "Standard restricted"),
    "no drop": (_security({"capabilities": {}}), "Standard restricted"),
    "root": (_security({"runAsNonRoot": False}), "Standard restricted"),
    "user 0": (_security({"runAsUser": 0}), "Standard restricted"),
    "unconfined": (_security({"seccompProfile": {"type": "Unconfined"}}), "Standard restricted"),
    "no seccomp": (_spec({"securityContext": {"runAsNonRoot": True}}), "Standard restricted"),
    "no AppArmor": (_security({"appArmorProfile": {"type": "Unconfined"}}), "without AppArmor"),
    "no AppArmor of before": (
        lambda pod: (
            pod["metadata"]
            .setdefault("annotations", {})
            .update({"container.apparmor.security.beta.kubernetes.io/runner": "unconfined"})
        ),
        "without AppArmor",
    ),
    "an SELinux type": (_security({"seLinuxOptions": {"type": "spc_t"}}), "an SELinux type"),
    "a sysctl": (
        lambda pod: pod["spec"]["securityContext"].update({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "safe sysctls",
    ),
    "a probe of the node": (
        _container({"readinessProbe": {"httpGet": {"host": "127.0.0.1", "port": 10255}}}),
        "sends to another host",
    ),
    "a hook of the node": (
        _container({"lifecycle": {"preStop": {"httpGet": {"host": "169.254.169.254", "port": 80}}}}),
        "sends to another host",
    ),
    "an init container": (_sidecar("initContainers"), "Standard restricted"),
    "no owner": (lambda pod: pod["metadata"].pop("ownerReferences"), "with the session as its owner"),
    "another's UID": (
        lambda pod: pod["metadata"]["labels"].update({"wasession.dev/session-uid": "1"}),
        "with the session as its owner",
    ),
    "no label": (
        lambda pod: pod["metadata"]["labels"].pop("app.kubernetes.io/managed-by"),
        "write and delete only what it makes",
    ),
}


@pytest.mark.parametrize("what", PODS)
def test_it_makes_no_other_pod(operator: ApiClient, what: str) -> None:
    """One thing more than a session's pod has, and it is refused in words."""
    change, refusal = PODS[what]
    pod = made()["Pod"]
    change(pod)

    assert refusal in create(operator, pod)


OTHERS: dict[str, tuple[str, Callable[[Json], Any], str]] = {
    "a token Secret": ("Secret", lambda obj: obj.update({"type": "example.com/token"}), "type Opaque"),
    "a mutable Secret": ("Secret", lambda obj: obj.pop("immutable"), "a session's Secrets alone"),
    "a Secret of another name": ("Secret", lambda obj: obj["metadata"].update({"name": "bank"}), "named was-UID-"),
    "a Secret of nobody": ("Secret", lambda obj: obj["metadata"].pop("ownerReferences"), "owned by the session"),
    "keys elsewhere": ("Secret", lambda obj: obj["metadata"].update({"name": f"{OWN}-keys"}), "named was-UID-"),
    "another Service": ("Service", lambda obj: obj["metadata"].update({"name": "db"}), "the headless Service"),
    "a Service for others": ("Service", _spec({"selector": {"app": "db"}}), "the headless Service"),
    "a Service with an address": ("Service", _spec({"externalIPs": ["1.2.3.4"]}), "the headless Service"),
    "a claim of another name": ("PersistentVolumeClaim", lambda obj: obj["metadata"].update({"name": "x"}), "SESSION-profile"),
    "a chosen volume": ("PersistentVolumeClaim", _spec({"volumeName": "pv-1"}), "no volume that it chooses"),
    "a clone": (
        "PersistentVolumeClaim",
        _spec({"dataSource": {"kind": "PersistentVolumeClaim", "name": "data-postgres-0"}}),
        "no volume that it chooses",
    ),
    "a policy for all pods": ("NetworkPolicy", _spec({"podSelector": {}}), "network policies for sessions' pods"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_it_makes_nothing_else(operator: ApiClient, what: str) -> None:
    """The same for each other kind."""
    kind, change, refusal = OTHERS[what]
    obj = made()[kind]
    change(obj)

    assert refusal in create(operator, obj)


def test_its_keys_are_in_its_own_namespace(operator: ApiClient) -> None:
    """There it makes them, and no Secret of another sort."""
    keys = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{OWN}-keys", "namespace": OWN}}

    assert TAKEN == create(operator, keys)
    assert "type Opaque" in create(operator, keys | {"type": "example.com/token"})
    assert "" != create(operator, keys | {"metadata": {"name": "other", "namespace": OWN}})


def test_a_namespace_of_another_operator_is_closed_to_it(installed: LightCluster, operator: ApiClient) -> None:
    """Whatever it wants to make there."""
    installed.kubectl("create", "namespace", f"{NAMESPACE}-other")
    installed.kubectl("label", "namespace", f"{NAMESPACE}-other", "wasession.dev/instance=other")
    objects = made()
    for obj in objects.values():
        obj["metadata"]["namespace"] = f"{NAMESPACE}-other"

    refusal = [create(operator, obj) for obj in objects.values()]
    installed.kubectl("delete", "namespace", f"{NAMESPACE}-other", "--wait=false")

    assert [] == [each for each in refusal if "does not serve namespace" not in each]


def test_what_it_did_not_make_it_neither_changes_nor_deletes(installed: LightCluster, operator: ApiClient) -> None:
    """A claim gets no owner that would take it away, a pod and a Service of others stay."""
    admin = ApiClient(installed)
    foreign = made()
    for obj in foreign.values():
        obj["metadata"] = {"name": f"foreign-{obj['metadata']['name']}", "namespace": NAMESPACE}
    foreign["Service"]["spec"].pop("clusterIP")
    kinds = ("Pod", "Service", "PersistentVolumeClaim")
    assert [TAKEN] * 3 == [create(admin, foreign[kind], dry_run=False) for kind in kinds]

    refused = [
        delete(operator, foreign["Pod"]),
        delete(operator, foreign["Service"]),
        patch(operator, foreign["PersistentVolumeClaim"], {"metadata": {"annotations": {"x": "y"}}}),
        patch(
            operator,
            foreign["PersistentVolumeClaim"],
            {"metadata": {"labels": {"app.kubernetes.io/managed-by": "whatsapp-session-operator"}}},
        ),
    ]
    for kind in kinds:
        delete(admin, foreign[kind], dry_run=False)

    assert [] == [refusal for refusal in refused if "only what it" not in refusal]


def test_what_it_made_it_grows_and_deletes(installed: LightCluster, operator: ApiClient) -> None:
    """A claim grows and changes its owner; a pod and a Service go."""
    objects = made()
    claim = objects["PersistentVolumeClaim"]["metadata"]
    claim["name"], claim["labels"]["wasession.dev/session"] = "grown-profile", "grown"
    kinds = ("Pod", "Service", "PersistentVolumeClaim")
    assert [TAKEN] * 3 == [create(operator, objects[kind], dry_run=False) for kind in kinds]

    done = [
        patch(operator, objects["PersistentVolumeClaim"], {"metadata": {"ownerReferences": None}}),
        delete(operator, objects["Pod"], dry_run=False),
        delete(operator, objects["Service"], dry_run=False),
    ]
    delete(ApiClient(installed), objects["PersistentVolumeClaim"], dry_run=False)

    assert [TAKEN] * 3 == done


def test_nobody_else_is_held_to_it(cluster: LightCluster) -> None:
    """A team's pods are the team's and its Pod Security's business."""
    pod = made()["Pod"]
    pod["metadata"] = {"name": "team", "namespace": NAMESPACE}
    pod["spec"]["hostNetwork"] = True

    assert TAKEN == create(ApiClient(cluster), pod)
