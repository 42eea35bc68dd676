"""Pods in the full cluster: they run, find each other by name, are limited, logged and reached."""

import json

import pytest
from cluster.support import apply, pod, pvc, server, service, wait_ready, with_pvc
from local_cluster.full.cluster import FullCluster
from session_devtools.errors import CommandError
from session_devtools.http_client import Client

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]


def _exec(cluster: FullCluster, namespace: str, name: str, *command: str) -> str:
    return cluster.kubectl("-n", namespace, "exec", name, "--", *command)


def test_pods_reach_each_other_by_the_names_of_services(full_cluster: FullCluster, namespace: str) -> None:
    """By the short name, the whole name, and a pod itself through its own Service."""
    apply(full_cluster, server(namespace, "web"), service(namespace, "web"), pod(namespace, "client"))
    wait_ready(full_cluster, namespace, "web", "client")

    whole = f"http://web.{namespace}.svc.cluster.local/"
    assert _exec(full_cluster, namespace, "client", "wget", "-qO-", "http://web/") == "hello\n"
    assert _exec(full_cluster, namespace, "client", "wget", "-qO-", whole) == "hello\n"
    assert _exec(full_cluster, namespace, "web", "wget", "-qO-", whole) == "hello\n"


def test_a_name_outside_of_the_cluster_does_not_exist(full_cluster: FullCluster, namespace: str) -> None:
    """There is no way out, and a client learns it at once instead of waiting for an answer."""
    apply(full_cluster, pod(namespace, "client"))
    wait_ready(full_cluster, namespace, "client")

    with pytest.raises(CommandError, match="exit code 1"):
        _exec(full_cluster, namespace, "client", "nslookup", "example.com.")


def test_logs_and_exec_go_through_the_apiserver(full_cluster: FullCluster, namespace: str) -> None:
    """They do although the kubelet answers to nobody else."""
    apply(full_cluster, pod(namespace, "talker", "/bin/sh", "-c", "echo spoken; exec /bin/sleep 3600"))
    wait_ready(full_cluster, namespace, "talker")

    assert full_cluster.kubectl("-n", namespace, "logs", "talker") == "spoken\n"
    assert _exec(full_cluster, namespace, "talker", "id").startswith("uid=1000 gid=0 groups=0,2000")


def test_a_pod_is_reached_by_port_forward(full_cluster: FullCluster, namespace: str) -> None:
    """The demo reaches runners and the phone this way."""
    apply(full_cluster, server(namespace, "web"))
    wait_ready(full_cluster, namespace, "web")

    with full_cluster.kubectl.forward("web", 8080, namespace=namespace) as port:
        answer = Client(f"http://127.0.0.1:{port}").request("/")

    assert answer.text == "hello\n"


def test_a_pod_that_takes_more_memory_than_its_limit_is_ended(full_cluster: FullCluster, namespace: str) -> None:
    """The kernel ends it and the kubelet says why."""
    limits = {"limits": {"memory": "32Mi", "cpu": "500m"}, "requests": {"memory": "32Mi", "cpu": "10m"}}
    greedy = pod(namespace, "greedy", "/bin/sh", "-c", "exec /bin/tail /dev/zero", resources=limits)
    greedy["spec"]["restartPolicy"] = "Never"
    apply(full_cluster, greedy)
    reason = "{.status.containerStatuses[0].state.terminated.reason}"
    full_cluster.kubectl("-n", namespace, "wait", "pod/greedy", f"--for=jsonpath={reason}=OOMKilled", "--timeout=50s")

    assert full_cluster.kubectl("-n", namespace, "get", "pod", "greedy", "-o", f"jsonpath={reason}") == "OOMKilled"


def test_a_pods_account_is_known_to_the_apiserver(full_cluster: FullCluster, namespace: str) -> None:
    """Its token is mounted, and names its pod."""
    apply(full_cluster, pod(namespace, "caller"))
    wait_ready(full_cluster, namespace, "caller")
    token = _exec(full_cluster, namespace, "caller", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = json.loads(full_cluster.kubectl("create", "-o", "json", "-f", "-", input=json.dumps(review)))

    assert answer["status"]["authenticated"]
    assert answer["status"]["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    assert answer["status"]["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["caller"]


def test_a_claim_is_bound_and_belongs_to_the_pods_group(full_cluster: FullCluster, namespace: str) -> None:
    """The default class makes volumes on demand; what is in one survives its pod."""
    write = ("/bin/sh", "-c", "touch /data/mine && exec /bin/sleep 3600")
    apply(full_cluster, pvc(namespace, "data"), with_pvc(pod(namespace, "first", *write), "data"))
    wait_ready(full_cluster, namespace, "first")
    full_cluster.kubectl("-n", namespace, "delete", "pod", "first", "--timeout=50s")
    apply(full_cluster, with_pvc(pod(namespace, "second"), "data"))
    wait_ready(full_cluster, namespace, "second")

    listed = _exec(full_cluster, namespace, "second", "ls", "-ln", "/data/mine").split()
    assert listed[2:4] == ["1000", "2000"]  # owner and group
