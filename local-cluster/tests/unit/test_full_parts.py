"""The full cluster's pure parts: configuration, daemons, namespaces, image, DNS, status."""

import dataclasses
import datetime as dt
import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from local_cluster import volumes
from local_cluster.full import configs, oci, policies, readiness
from local_cluster.full.components import USERS, Programs, daemons
from local_cluster.full.instance import Instance, Link
from local_cluster.full.manifests import DNS_USER, KUBELET_CLIENT, POLICIES_USER, manifests
from local_cluster.full.namespaces import anchor_script, enter
from local_cluster.full.status import Component, Status, render
from session_devtools.errors import StartError, WaitTimeout

LINK = Link(network="10.245.0.0/30", host="10.245.0.1", node="10.245.0.2")
INSTANCE = Instance(name="demo", link=LINK, state_root=Path("/var/lib/wso"), run_root=Path("/run/wso"))
PROGRAMS = Programs(
    kubernetes=Path("/cache/kube"),
    runtime=Path("/cache/runtime"),
    pause=Path("/cache/pause"),
)
JUDGE = policies.daemon(INSTANCE, Path("/cache/policies"))
DAEMONS = {daemon.name: list(daemon.command) for daemon in daemons(INSTANCE, PROGRAMS)}


def test_the_kubelet_trusts_one_authority_and_nobody_anonymous() -> None:
    """No token, no anonymous caller, no port without authentication."""
    given = json.loads(configs.kubelet(INSTANCE, resolv_conf_file=Path("/x")))

    assert given["authentication"]["anonymous"] == {"enabled": False}
    assert given["authentication"]["webhook"] == {"enabled": False}
    assert given["authentication"]["x509"]["clientCAFile"].endswith("/kubelet-clients/ca.crt")
    assert given["authorization"] == {"mode": "Webhook"}
    assert given["readOnlyPort"] == 0
    assert given["healthzBindAddress"] == "127.0.0.1"


def test_the_kubelet_stays_in_the_instances_cgroup() -> None:
    """That is where `down` looks for the pods' processes."""
    given = json.loads(configs.kubelet(INSTANCE, resolv_conf_file=Path("/x")))

    assert given["cgroupRoot"] == "/wso-demo"
    assert given["failCgroupV1"] is False


def test_the_kubelet_never_throws_an_image_away() -> None:
    """It could not be fetched again."""
    assert json.loads(configs.kubelet(INSTANCE, resolv_conf_file=Path("/x")))["imageGCHighThresholdPercent"] == 100


def _containerd(*, may_lower_oom_score: bool) -> dict[str, Any]:
    text = configs.containerd(
        pause_image="localhost/pause:1",
        shim=Path("/cache/shim"),
        runc=Path("/cache/runc"),
        cni_folder=Path("/cni"),
        registries=Path("/reg"),
        may_lower_oom_score=may_lower_oom_score,
    )
    plugins: dict[str, Any] = tomllib.loads(text)["plugins"]
    return plugins


@pytest.mark.parametrize("may", [True, False])
def test_containerd_knows_whether_it_may_lower_a_score(*, may: bool) -> None:
    """Without the capability every sandbox would fail."""
    given = _containerd(may_lower_oom_score=may)["io.containerd.cri.v1.runtime"]

    assert given["restrict_oom_score_adj"] is not may


def test_containerd_starts_the_shim_and_runc_that_were_built_with_it() -> None:
    """Those that the machine has may be another release's, which it can not speak to."""
    plugins = _containerd(may_lower_oom_score=True)
    runtime = plugins["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["runc"]
    images = plugins["io.containerd.cri.v1.images"]

    assert runtime["runtime_path"] == "/cache/shim"
    assert runtime["options"]["BinaryName"] == "/cache/runc"
    assert images["pinned_images"]["sandbox"] == "localhost/pause:1"
    assert images["registry"]["config_path"] == "/reg"
    assert plugins["io.containerd.cri.v1.runtime"]["cni"]["conf_dir"] == "/cni"


def test_dns_answers_on_the_nodes_address_and_knows_no_way_out() -> None:
    """Pods ask there, and a foreign name does not exist."""
    text = configs.corefile(INSTANCE, kubeconfig=Path("/dns.kubeconfig"))

    assert text.count("bind 10.245.0.2") == 2
    assert "ready 10.245.0.2:8181" in text
    assert "kubeconfig /dns.kubeconfig" in text
    assert "NXDOMAIN" in text
    assert "forward" not in text
    assert configs.resolv_conf(INSTANCE) == "nameserver 10.245.0.2\n"


def test_pods_are_routed_and_not_bridged() -> None:
    """So that Services work without a kernel module."""
    assert [plugin["type"] for plugin in json.loads(configs.cni())["plugins"]] == ["ptp", "portmap"]


def test_the_daemons_come_in_the_order_they_need_each_other() -> None:
    """Etcd before the API server, the API server before everybody who asks it."""
    assert list(DAEMONS)[:2] == ["etcd", "kube-apiserver"]
    assert sorted(DAEMONS) == sorted(
        [
            "containerd",
            "coredns",
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubelet",
            "provisioner",
        ]
    )


def test_kube_proxy_leaves_the_hosts_limits_alone() -> None:
    """The connection tracking limit is the machine's, not the namespace's."""
    assert "--conntrack-max-per-core=0" in DAEMONS["kube-proxy"]


def test_the_provisioner_is_given_its_folder_and_its_node() -> None:
    """It is one of the programs in Kubernetes' file."""
    command = DAEMONS["provisioner"]

    assert command[0] == "/cache/kube/local-volume-provisioner"
    assert {"--state-dir=/var/lib/wso/demo/volumes", "--node=demo"} <= set(command)


def test_everyone_who_talks_to_the_api_server_is_somebody_else() -> None:
    """One kubeconfig per account, and a user of its own in each."""
    given = [argument for command in DAEMONS.values() for argument in command if argument.startswith("--kubeconfig=")]

    assert len(set(given)) == len(given) == 5
    assert len(set(USERS.values())) == len(USERS)


def test_a_daemon_is_started_anew_with_its_certificate() -> None:
    """Every certificate and kubeconfig that a command line names is among the files whose change counts."""
    for daemon in [*daemons(INSTANCE, PROGRAMS), JUDGE]:
        named = {Path(argument.partition("=")[2]) for argument in daemon.command}
        secrets = {path for path in named if path.suffix in {".crt", ".conf"}}

        assert secrets <= {*daemon.reads}


def test_the_clusters_own_objects_give_each_user_its_rights() -> None:
    """The API server on the kubelet, DNS, and the provisioner; nobody is bound to cluster-admin."""
    bindings = [made for made in manifests() if made["kind"] == "ClusterRoleBinding"]

    assert {made["subjects"][0]["name"] for made in bindings} == {KUBELET_CLIENT, DNS_USER, volumes.USER}
    assert "cluster-admin" not in {made["roleRef"]["name"] for made in bindings}


def test_who_enforces_network_policies_reads_what_they_speak_of() -> None:
    """Pods, namespaces and policies, and nothing else; without it nobody has these rights."""
    usual = manifests()
    role, binding = [made for made in manifests(network_policies=True) if made not in usual]
    granted = {resource for rule in role["rules"] for resource in rule["resources"]}

    assert granted == {"pods", "namespaces", "networkpolicies"}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    assert [subject["name"] for subject in binding["subjects"]] == [POLICIES_USER]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]


def test_network_policies_are_judged_between_pods_and_on_the_way_to_the_node() -> None:
    """The first packet of a connection, by the program that answers the same queue; nothing that the node sends."""
    assert [rule[0] for rule in policies.RULES] == ["FORWARD", "INPUT"]
    assert "veth+" in policies.RULES[1]
    for rule in policies.RULES:
        assert rule[rule.index("--ctstate") + 1] == "NEW"
        assert "--queue-bypass" not in rule  # without the program nothing passes
        assert f"--queue={rule[rule.index('--queue-num') + 1]}" in JUDGE.command


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        ("", False),
        ("  100   4711     0 2   128     0     0        5  1\n", True),
        ("  101   4711     0 2   128     0     0      100  1\n", False),
        (
            "    1   4711     0 2   128     0     0        0  1\n  100   4712     0 2   128     0     0        0  1\n",
            True,
        ),
    ],
)
def test_the_kernel_knows_whether_a_queue_is_answered(queues: str, *, expected: bool) -> None:
    """Its number stands first in a line."""
    assert expected == policies.is_answered(queues)


def test_the_inside_hides_the_hosts_folders_and_keeps_what_it_needs() -> None:
    """The state folder lies below a hidden one and stays visible; the hiding comes after, the sharing last."""
    script = anchor_script(INSTANCE.hidden, pause=Path("/cache/pause"), keep=[INSTANCE.state, Path("/cache")])
    lines = script.splitlines()

    kept = "mount --rbind /var/lib/wso/demo /var/lib/wso/demo/view/var-lib/wso/demo"
    hidden = "mount --rbind /var/lib/wso/demo/view/var-lib /var/lib"
    assert lines.index(kept) < lines.index(hidden) < lines.index("mount --make-rshared /")
    assert "/cache" not in script.replace("/cache/pause", "")
    assert lines[-1] == "exec /cache/pause"


def test_a_path_with_spaces_is_one_argument() -> None:
    """A checkout may lie anywhere."""
    script = anchor_script({Path("/var/lib"): Path("/state/view")}, pause=Path("/my cache/pause"), keep=[])

    assert "exec '/my cache/pause'" in script


def test_a_command_enters_both_namespaces_and_keeps_its_id() -> None:
    """Nsenter forks only for a process namespace, which we do not use."""
    assert enter(7) == ["nsenter", "--mount=/proc/7/ns/mnt", "--net=/proc/7/ns/net", "--"]


def _members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.mark.parametrize(("machine", "expected"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_an_image_archive_is_consistent(machine: str, expected: str) -> None:
    """Every digest and size in it is that of the blob it names."""
    members = _members(oci.archive("localhost/x:1", {"run": b"program"}, entrypoint=["/run"], machine=machine))
    (named,) = json.loads(members["index.json"])["manifests"]

    def blob(descriptor: dict[str, object]) -> bytes:
        content = members[f"blobs/{str(descriptor['digest']).replace(':', '/')}"]
        assert descriptor["size"] == len(content)
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        return content

    manifest = json.loads(blob(named))
    config = json.loads(blob(manifest["config"]))
    (layer,) = [blob(descriptor) for descriptor in manifest["layers"]]
    assert named["annotations"]["io.containerd.image.name"] == "localhost/x:1"
    assert config["architecture"] == expected
    assert config["config"]["Entrypoint"] == ["/run"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert _members(layer) == {"run": b"program"}


def test_the_sandboxs_image_follows_its_program() -> None:
    """A new program is a new image, the same one the same bytes."""
    assert oci.pause_image(b"one") != oci.pause_image(b"two")
    assert oci.pause_archive(b"one") == oci.pause_archive(b"one")


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_dns_is_ready_when_it_says_so(status: int, *, expected: bool) -> None:
    """CoreDNS answers 503 until it has read the cluster's Services."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        answer = readiness.answers_ok("127.0.0.1", server.server_port, "/ready")
        server.shutdown()
        thread.join(20)

    assert expected == answer
    assert not readiness.answers_ok("127.0.0.1", server.server_port, "/ready")  # nobody listens any more


START = dt.datetime(2026, 11, 22, 12, 0, 0, 700_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], False),
        ([{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-22T12:00:00Z"}], True),
        ([{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-22T12:05:00Z"}], True),
        ([{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-22T11:59:59Z"}], False),
        ([{"type": "Ready", "status": "False", "lastHeartbeatTime": "2026-11-22T12:05:00Z"}], False),
        ([{"type": "DiskPressure", "status": "True", "lastHeartbeatTime": "2026-11-22T12:05:00Z"}], False),
    ],
)
def test_a_node_is_ready_by_the_report_of_the_kubelet_that_runs(
    conditions: list[dict[str, str]], *, expected: bool
) -> None:
    """What a kubelet said before it died does not count; a report of the same second does."""
    assert expected == readiness.node_is_ready({"status": {"conditions": conditions}}, since=START)


def test_a_kubelet_whose_start_nobody_noted_is_believed() -> None:
    """It was started by an earlier release."""
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-22T11:59:59Z"}

    assert readiness.node_is_ready({"status": {"conditions": [condition]}}, since=None)


def test_a_node_without_a_status_is_not_ready() -> None:
    """It has registered a moment ago."""
    assert not readiness.node_is_ready({"metadata": {}}, since=START)


def test_waiting_ends_when_it_is_so_or_never_will_be() -> None:
    """At once with the reason, not after the deadline."""
    answers = iter([False, False, True])
    readiness.wait_for(lambda: next(answers), what="x", check=lambda: None)

    def ended() -> None:
        raise StartError("etcd has ended")

    with pytest.raises(StartError, match="etcd has ended"):
        readiness.wait_for(lambda: False, what="x", check=ended)
    with pytest.raises(WaitTimeout, match="the moon's rise: not within 0 s"):
        readiness.wait_for(lambda: False, what="the moon's rise", check=lambda: None, timeout=0)


def test_a_dead_processs_socket_is_not_taken_for_a_listener(tmp_path: Path) -> None:
    """Its file stays behind."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        listening = readiness.accepts(path)

    assert listening
    assert path.exists()
    assert not readiness.accepts(path)
    assert not readiness.accepts(tmp_path / "none")


def test_the_status_names_what_does_not_run() -> None:
    """And the command that brings it back."""
    components = (Component(name="etcd", pid=7), Component(name="kubelet", pid=None))
    broken = Status(instance=INSTANCE, components=components, ready=False, pods=None)
    text = render(broken)

    assert "demo: not running as it should" in text
    assert "etcd                    7" in text
    assert "kubelet                 does not run" in text
    assert "make cluster-up" in text


def test_a_healthy_status_gives_no_advice() -> None:
    """Everything runs."""
    found = Status(instance=INSTANCE, components=(Component(name="etcd", pid=7),), ready=True, pods=3)

    assert found.healthy
    assert not dataclasses.replace(found, ready=False).healthy
    assert "demo: running" in render(found)
    assert "make cluster-up" not in render(found)
