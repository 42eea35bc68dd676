"""NetworkPolicy in a cluster that enforces it: who gets through, what a policy has to allow, and the part itself.

One web server, two clients and policies of each test's own. A connection that is denied is not answered at all, so
these clients wait for a second where they should get nothing, and long where they should get something.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.support import Manifest, apply, command_line, pod, restricted_namespace, server, service, wait_ready
from local_cluster import build
from local_cluster.full import policies
from local_cluster.full.cluster import FullCluster
from local_cluster.full.manifests import POLICIES_USER
from session_devtools.commands import run
from session_devtools.errors import CommandError
from session_devtools.http_client import Client
from session_devtools.processes import end, identify
from session_devtools.progress import ConsoleProgress
from session_devtools.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]

IN_VAIN = "exit code 143"
"""Of a command that was ended while it waited."""
API_SERVER = "http://kubernetes.default.svc.cluster.local:443/"
"""In plain words, as busybox knows no TLS that it would accept: its refusal says that they met."""


class PolicyTest:
    """A namespace with a web server behind a Service, and two clients."""

    def __init__(self, cluster: FullCluster) -> None:
        self.cluster = cluster
        self.namespace = restricted_namespace(cluster)
        clients = [pod(self.namespace, name) for name in ("friend", "stranger")]
        apply(cluster, server(self.namespace, "web"), service(self.namespace, "web"), *clients)
        wait_ready(cluster, self.namespace, "web", "friend", "stranger")
        address = self.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
        self.ways = [f"http://{address}:8080/", f"http://web.{self.namespace}.svc.cluster.local/"]

    def kubectl(self, *arguments: str) -> str:
        """Kubectl in the namespace."""
        return self.cluster.kubectl("-n", self.namespace, *arguments)

    def exec(self, client: str, *command: str) -> str:
        """What a command in a client says, also of its own failure."""
        try:
            return self.kubectl("exec", client, "--", *command)
        except CommandError as error:
            return error.output

    def gets(self, client: str, way: str) -> str:
        """What a client gets, which it waits for."""
        return self.exec(client, "timeout", "30", "wget", "-qO-", way)

    def denied(self, client: str, way: str) -> bool:
        """Whether a client waits in vain."""
        return IN_VAIN in self.exec(client, "timeout", "1", "wget", "-qO-", way)

    def policy(self, selected: str, **rules: Any) -> None:
        """A policy for the pods of an `app`, for all where it is empty."""
        apply(self.cluster, _policy(self.namespace, selected, rules))


def _policy(namespace: str, selected: str, rules: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": selected or "all", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": {"app": selected}} if selected else {},
            "policyTypes": [name.capitalize() for name in rules],
            **rules,
        },
    }


@pytest.fixture(scope="module")
def cluster(make_cluster: Callable[..., FullCluster]) -> FullCluster:
    """One that enforces."""
    build.network_policies(progress=ConsoleProgress())
    return make_cluster("--network-policies")


@pytest.fixture(scope="module")
def shared_policy_test(cluster: FullCluster) -> PolicyTest:
    """The pods of all tests."""
    return PolicyTest(cluster)


@pytest.fixture
def policy_test(shared_policy_test: PolicyTest) -> Iterator[PolicyTest]:
    """The same, without a policy before and after."""
    yield shared_policy_test
    shared_policy_test.kubectl("delete", "networkpolicies", "--all")


def test_a_pod_that_a_policy_names_gets_through_and_another_does_not(policy_test: PolicyTest) -> None:
    """By the pod's address and by the Service's name alike."""
    before = [policy_test.gets("stranger", way) for way in policy_test.ways]
    named = {"podSelector": {"matchLabels": {"app": "friend"}}}
    policy_test.policy("web", ingress=[{"from": [named], "ports": [{"port": 8080}]}])
    wait_until("the policy holds", lambda: policy_test.denied("stranger", policy_test.ways[0]), within=20)

    assert before == ["hello\n"] * 2
    assert [policy_test.gets("friend", way) for way in policy_test.ways] == ["hello\n"] * 2
    assert [policy_test.denied("stranger", way) for way in policy_test.ways] == [True] * 2


def test_names_and_the_api_server_are_allowed_by_their_address(policy_test: PolicyTest) -> None:
    """Both are the node's, the API server on its own port: that of its Service is gone by then. The rest is denied."""
    node = {"ipBlock": {"cidr": f"{policy_test.cluster.instance.link.node}/32"}}
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}, {"port": 6443}]
    policy_test.policy("friend", egress=[{"to": [node], "ports": ports}])
    wait_until("the policy holds", lambda: policy_test.denied("friend", policy_test.ways[0]), within=20)

    assert "10.96.0.1" in policy_test.exec("friend", "nslookup", "kubernetes.default.svc.cluster.local.")
    assert "400 Bad Request" in policy_test.gets("friend", API_SERVER)
    assert policy_test.denied("friend", policy_test.ways[1])
    assert policy_test.gets("stranger", policy_test.ways[1]) == "hello\n"


def test_who_may_not_speak_does_not_reach_the_node_either(policy_test: PolicyTest) -> None:
    """A policy without a rule denies names and the API server as well."""
    policy_test.policy("friend", egress=[])
    wait_until("the policy holds", lambda: policy_test.denied("friend", policy_test.ways[0]), within=20)

    assert policy_test.denied("friend", "https://10.96.0.1/version")
    assert policy_test.denied("friend", f"https://{policy_test.cluster.instance.link.node}:6443/version")
    assert IN_VAIN in policy_test.exec("friend", "timeout", "1", "nslookup", "kubernetes.default.svc.cluster.local.")


def test_what_comes_from_the_node_passes(policy_test: PolicyTest) -> None:
    """Under a policy that denies all, the kubelet's probes and port-forward work: a new pod becomes ready."""
    policy_test.policy("", ingress=[])
    wait_until("the policy holds", lambda: policy_test.denied("friend", policy_test.ways[0]), within=20)
    apply(policy_test.cluster, server(policy_test.namespace, "late"))
    wait_ready(policy_test.cluster, policy_test.namespace, "late", "web")
    with policy_test.cluster.kubectl.forward("late", 8080, namespace=policy_test.namespace) as port:
        answer = Client(f"http://127.0.0.1:{port}").request("/")

    assert answer.text == "hello\n"


def test_a_new_pod_is_judged_from_its_first_packet(policy_test: PolicyTest) -> None:
    """Before the API server knows its address: containerd has told it."""
    policy_test.policy("hasty", egress=[])
    ask = f"timeout 1 wget -qO- {policy_test.ways[0]}; echo exit code $?; exec sleep 3600"
    apply(policy_test.cluster, pod(policy_test.namespace, "hasty", "/bin/sh", "-c", ask))
    wait_ready(policy_test.cluster, policy_test.namespace, "hasty")

    output = wait_until(
        "it has tried", lambda: policy_test.kubectl("logs", "hasty"), lambda log: "exit code" in log, within=20
    )
    # The shell's word on the signal comes by the other stream, before or after.
    assert [line for line in output.splitlines() if line.startswith("exit code")] == [IN_VAIN]


def test_without_the_program_nothing_passes_and_up_starts_it_again(policy_test: PolicyTest) -> None:
    """The status says what is missing; `up` needs no option to bring it back."""
    (judge,) = [one for one in policy_test.cluster.status().components if one.name == policies.NAME]
    assert judge.pid is not None
    process = identify(judge.pid)
    assert process is not None
    end([process], grace_period=0)
    broken = command_line("status", "--name", policy_test.cluster.name)
    passed = not policy_test.denied("stranger", policy_test.ways[0])
    healed = command_line("up", "--name", policy_test.cluster.name)

    assert (1, 1) == (broken.returncode, broken.stdout.count("does not run"))
    assert not passed
    assert healed.returncode == 0, healed.stderr
    assert policy_test.cluster.status().healthy
    assert policy_test.gets("stranger", policy_test.ways[0]) == "hello\n"


def _traces(cluster: FullCluster) -> dict[str, bool]:
    """What there is of it in a cluster."""
    return {
        "rules": "NFQUEUE" in run(*cluster.inside("iptables-save")),
        "queue": run(*cluster.inside("cat", "/proc/net/netfilter/nfnetlink_queue")) != "",
        "process": any(b"kube-network-policies" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in cluster.pids()),
        "credentials": cluster.instance.plane.kubeconfig(policies.NAME).exists(),
        "rights": POLICIES_USER in cluster.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name"),
        "status": policies.NAME in [component.name for component in cluster.status().components],
    }


def test_it_is_switched_off_and_on_again(policy_test: PolicyTest) -> None:
    """Off leaves nothing of it, and nothing is enforced; an `up` that does not say changes neither."""
    cluster = policy_test.cluster
    policy_test.policy("web", ingress=[])
    wait_until("the policy holds", lambda: policy_test.denied("friend", policy_test.ways[0]), within=20)
    on = _traces(cluster)
    for options in (["--no-network-policies"], []):
        result = command_line("up", "--name", cluster.name, *options)
        assert result.returncode == 0, result.stderr
    off, passed = _traces(cluster), policy_test.gets("friend", policy_test.ways[0])
    FullCluster(cluster.name, network_policies=True).up()

    assert on == dict.fromkeys(on, True)
    assert off == dict.fromkeys(on, False)
    assert passed == "hello\n"
    assert _traces(cluster) == on
    assert policy_test.denied("friend", policy_test.ways[0])
