"""Who may speak to whom in the full cluster: certificates everywhere, and nobody anonymous."""

import json
import socket
import subprocess
from pathlib import Path

import pytest
from cluster.support import apply, pod, wait_ready
from local_cluster.full.cluster import FullCluster
from local_cluster.pki import ADMIN, client_files
from session_devtools.errors import CommandError
from session_devtools.http_client import Client

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


def _status(url: str, trust: Path, certificate: tuple[Path, Path] | None) -> int:
    """What is answered; 0 when it is refused in the handshake."""
    own, key = certificate or (None, None)
    return Client(url, ca_file=trust, certificate=own, key=key).request("").status


def _pair(cluster: FullCluster, name: str) -> tuple[Path, Path]:
    """The certificate and the key of an account, or of a pair of the control plane's."""
    plane = cluster.instance.plane
    kubeconfig = plane.kubeconfig(name)
    stem = plane.pki / name
    return client_files(kubeconfig) if kubeconfig.exists() else (stem.with_suffix(".crt"), stem.with_suffix(".key"))


def _as(cluster: FullCluster, account: str, *arguments: str) -> str:
    config = cluster.instance.plane.kubeconfig(account)
    return cluster.kubectl("--kubeconfig", str(config), *arguments, check=False)


def test_the_api_server_answers_nobody_without_a_certificate(full_cluster: FullCluster) -> None:
    """Not even the paths that tell of its health."""
    plane = full_cluster.instance.plane
    trust = plane.pki / "ca.crt"
    paths = ("/readyz", "/version", "/api", "/openapi/v2")

    assert [_status(plane.url + path, trust, None) for path in paths] == [401] * 4
    assert _status(f"{plane.url}/readyz", trust, _pair(full_cluster, ADMIN)) == 200


def test_there_is_no_token_file(full_cluster: FullCluster) -> None:
    """Neither the API server nor a component is given one."""
    arguments = full_cluster.instance.plane.api_server()

    assert [argument for argument in arguments if "token-auth" in argument or "basic-auth" in argument] == []


@pytest.mark.parametrize("account", [None, ADMIN, "kubelet", "apiserver-etcd-client", "apiserver-kubelet-client"])
def test_the_kubelet_answers_to_the_api_server_alone(full_cluster: FullCluster, account: str | None) -> None:
    """No certificate, the administrator's, its own and others' are all strangers to it: none is of the one authority."""
    node = full_cluster.instance.link.node
    certificate = _pair(full_cluster, account) if account else None
    trust = full_cluster.instance.plane.pki / "ca.crt"

    assert _status(f"https://{node}:10250/pods", trust, certificate) in {401, 0}


def test_the_kubelet_answers_to_the_api_server(full_cluster: FullCluster) -> None:
    """The API server's own certificate opens it, so that logs and exec work."""
    node = full_cluster.instance.link.node
    trust = full_cluster.instance.plane.pki / "ca.crt"

    assert (
        _status(f"https://{node}:10250/pods", trust, _pair(full_cluster, "kubelet-clients/apiserver-kubelet-client"))
        == 200
    )


def test_the_kubelets_authority_signs_one_certificate(full_cluster: FullCluster) -> None:
    """Whoever else gets a certificate of the cluster is no friend of the kubelet."""
    pki = full_cluster.instance.plane.pki
    configured = json.loads((full_cluster.instance.state / "config" / "kubelet.json").read_text())

    assert configured["authentication"]["x509"]["clientCAFile"] == str(pki / "kubelet-clients" / "ca.crt")
    assert configured["authentication"]["anonymous"] == {"enabled": False}
    assert configured["authorization"] == {"mode": "Webhook"}


@pytest.mark.parametrize("port", [2379, 2380, 10248, 10249, 10255, 10256, 10257, 10259])
def test_nothing_but_the_api_server_and_the_kubelet_is_reached_from_the_host(
    full_cluster: FullCluster, port: int
) -> None:
    """Etcd and the health ports listen on the loopback of the cluster's own network namespace."""
    with socket.socket() as client:
        client.settimeout(5)

        assert client.connect_ex((full_cluster.instance.link.node, port)) != 0


def test_etcd_wants_a_certificate_of_its_own_authority(full_cluster: FullCluster) -> None:
    """Inside the namespace too, neither nobody nor the cluster's administrator gets an answer."""
    script = (
        "import ssl, sys, urllib.request\n"
        "context = ssl.create_default_context(cafile=sys.argv[1])\n"
        "if len(sys.argv) > 2: context.load_cert_chain(*sys.argv[2:])\n"
        "print(urllib.request.urlopen('https://127.0.0.1:2379/version', context=context, timeout=20).status)\n"
    )
    trust = str(full_cluster.instance.plane.pki / "etcd" / "ca.crt")

    def ask(*certificate: Path) -> subprocess.CompletedProcess[str]:
        command = full_cluster.inside("/usr/bin/python3", "-c", script, trust, *map(str, certificate))
        return subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)

    assert "SSL" in ask().stderr
    assert "SSL" in ask(*_pair(full_cluster, ADMIN)).stderr
    assert ask(*_pair(full_cluster, "apiserver-etcd-client")).stdout == "200\n"


def test_the_node_sees_no_other_node(full_cluster: FullCluster) -> None:
    """The Node authorizer: a kubelet reads its own node object and no other."""
    apply(full_cluster, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "another"}})
    refused = _as(full_cluster, "kubelet", "annotate", "node", "another", "test=1")
    full_cluster.kubectl("delete", "node", "another")

    assert "only its own Node object" in refused


def test_the_node_may_not_give_itself_every_label(full_cluster: FullCluster) -> None:
    """NodeRestriction: a label by which pods are kept on trusted nodes is not the kubelet's to set."""
    own = full_cluster.instance.node
    allowed = _as(full_cluster, "kubelet", "annotate", "node", own, "test=1", "--overwrite")
    refused = _as(full_cluster, "kubelet", "label", "node", own, "node-restriction.kubernetes.io/trusted=1")

    assert "annotated" in allowed
    assert "is not allowed to modify labels" in refused


def test_the_node_reads_no_secret_that_no_pod_of_it_uses(full_cluster: FullCluster, namespace: str) -> None:
    """The Node authorizer: a Secret is open to the kubelet from the moment a pod on it mounts it."""
    full_cluster.kubectl("-n", namespace, "create", "secret", "generic", "mine", "--from-literal=a=b")
    before = _as(full_cluster, "kubelet", "-n", namespace, "get", "secret", "mine")
    mounted = pod(namespace, "reader", volumeMounts=[{"name": "secret", "mountPath": "/secret"}])
    mounted["spec"]["volumes"] = [{"name": "secret", "secret": {"secretName": "mine"}}]
    apply(full_cluster, mounted)
    wait_ready(full_cluster, namespace, "reader")
    after = _as(full_cluster, "kubelet", "-n", namespace, "get", "secret", "mine", "-o", "name")

    assert "no relationship found" in before
    assert after == "secret/mine\n"


@pytest.mark.parametrize(
    ("account", "verb", "resource"),
    [
        ("scheduler", "delete", "nodes"),
        ("kube-proxy", "get", "secrets"),
        ("dns", "get", "secrets"),
        ("dns", "list", "pods"),
        ("provisioner", "get", "secrets"),
        ("provisioner", "create", "pods"),
    ],
)
def test_a_component_has_no_more_rights_than_it_needs(
    full_cluster: FullCluster, account: str, verb: str, resource: str
) -> None:
    """Each has a certificate of its own, and none of them is an administrator's."""
    assert _as(full_cluster, account, "auth", "can-i", verb, resource).startswith("no\n")


def test_the_audit_log_knows_who_did_what(full_cluster: FullCluster, namespace: str) -> None:
    """Users and their programs, enough to count a component's writes."""
    full_cluster.kubectl("-n", namespace, "create", "configmap", "counted")
    events = [json.loads(line) for line in full_cluster.audit_log.read_text().splitlines()]

    (write,) = [
        event
        for event in events
        if event["verb"] == "create"
        and event.get("objectRef", {}).get("resource") == "configmaps"
        and event["objectRef"].get("namespace") == namespace
        and event["user"].get("username") == "kubernetes-super-admin"
    ]
    assert write["userAgent"].startswith("kubectl/")
    assert "requestObject" not in write
    users = {event["user"].get("username") for event in events}
    assert {f"system:node:{full_cluster.instance.node}", "system:kube-scheduler", "system:kube-proxy"} <= users


def test_a_privileged_pod_is_refused_in_a_restricted_namespace(full_cluster: FullCluster, namespace: str) -> None:
    """Pod Security is on, and says what is wrong."""
    bad = pod(namespace, "bad")
    bad["spec"]["containers"][0]["securityContext"] = {"privileged": True}

    with pytest.raises(CommandError, match='violates PodSecurity "restricted'):
        apply(full_cluster, bad)
