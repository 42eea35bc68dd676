"""Which daemons an instance has, with their command lines; pure, so that a test can read them.

The order is the order they are started in. Certificates beyond the control plane's own are listed here too, next to
those who use them.
"""

from dataclasses import dataclass
from pathlib import Path

from local_cluster import provisioner
from local_cluster.control_plane import certificates as control_plane_certificates
from local_cluster.control_plane import flags
from local_cluster.full.instance import POD_RANGE, Instance
from local_cluster.full.manifests import DNS_USER, KUBELET_CLIENT
from local_cluster.full.supervisor import Daemon
from local_cluster.pki import Client, Server

__all__ = ["ACCOUNTS", "Files", "Programs", "certificates", "daemons"]

ACCOUNTS = ("admin", "controller-manager", "scheduler", "kubelet", "proxy", "dns", "provisioner")
"""Those who talk to the API server, each with a certificate and a kubeconfig of its own."""


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs of an instance."""

    kubernetes: Path
    """The folder of etcd, CoreDNS, the components and kubectl."""
    runtime: Path
    """The folder of containerd, its shim, ctr and runc."""
    pause: Path
    python: Path
    python_path: tuple[Path, ...]
    """The folders from which that Python imports the provisioner and what it stands on."""


class Files:
    """The configuration files of an instance."""

    def __init__(self, instance: Instance) -> None:
        self.folder = instance.state / "config"
        self.containerd = self.folder / "containerd.toml"
        self.cni = self.folder / "cni" / "10-pods.conflist"
        self.registries = self.folder / "registries"
        self.kubelet = self.folder / "kubelet.json"
        self.resolv_conf = self.folder / "resolv.conf"
        self.corefile = self.folder / "Corefile"
        self._plane = instance.plane.folder

    def kubeconfig(self, account: str) -> Path:
        """The kubeconfig of one of ACCOUNTS."""
        return self._plane / f"{account}.kubeconfig"


def certificates(instance: Instance) -> list[Server | Client]:
    """Every certificate of the cluster.

    What the kubelet trusts is an authority of its own that signs one certificate only, the API server's.
    """
    node = f"system:node:{instance.node}"
    return [
        *control_plane_certificates(instance.plane),
        Client(name="kubelet-client", authority="kubelet-client-ca", user=KUBELET_CLIENT),
        Server(name="kubelet-server", authority="ca", hosts=[instance.link.node, instance.node]),
        Client(name="kubelet", authority="ca", user=node, groups=["system:nodes"]),
        Client(name="proxy", authority="ca", user="system:kube-proxy"),
        Client(name="dns", authority="ca", user=DNS_USER),
        Client(name="provisioner", authority="ca", user=provisioner.USER),
    ]


def daemons(instance: Instance, programs: Programs) -> list[Daemon]:
    """Every daemon but the anchor, in the order they are started."""
    return [*_control_plane(instance, programs), *_node(instance, programs)]


def _control_plane(instance: Instance, programs: Programs) -> list[Daemon]:
    plane, pki = instance.plane, instance.plane.pki

    def read_by(*pairs: str) -> list[Path]:
        return [path for name in pairs for path in (pki.certificate(name), pki.key(name))]

    def component(name: str, arguments: list[str], reads: list[Path]) -> Daemon:
        return Daemon(name=name, command=[str(programs.kubernetes / name), *arguments], reads=reads)

    files, tokens = Files(instance), pki.key("service-accounts")
    trusted = [pki.certificate("ca"), pki.certificate("etcd-ca"), pki.certificate("front-proxy-ca")]
    pairs = read_by("api-server", "etcd-client", "kubelet-client", "front-proxy")
    return [
        component("etcd", plane.etcd(), [pki.certificate("etcd-ca"), *read_by("etcd")]),
        component("kube-apiserver", plane.api_server(), [*pairs, *trusted, tokens, plane.audit_policy_file]),
        component(
            "kube-controller-manager",
            plane.controller_manager(secure_port=10257),
            [files.kubeconfig("controller-manager"), trusted[0], tokens],
        ),
        component("kube-scheduler", plane.scheduler(secure_port=10259), [files.kubeconfig("scheduler")]),
    ]


def _node(instance: Instance, programs: Programs) -> list[Daemon]:
    files, pki = Files(instance), instance.plane.pki
    served = [pki.certificate("kubelet-server"), pki.key("kubelet-server"), pki.certificate("kubelet-client-ca")]
    kubelet: dict[str, str | int | Path] = {
        "config": files.kubelet,
        "kubeconfig": files.kubeconfig("kubelet"),
        "hostname-override": instance.node,
        "node-ip": instance.link.node,
    }
    proxy: dict[str, str | int | Path] = {
        "kubeconfig": files.kubeconfig("proxy"),
        "cluster-cidr": POD_RANGE,
        "hostname-override": instance.node,
        "proxy-mode": "iptables",
        # The limits on connections are the host's, not the namespace's, and none of our business.
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": "0s",
        "conntrack-tcp-timeout-close-wait": "0s",
        "healthz-bind-address": "127.0.0.1:10256",
    }
    volumes: dict[str, str | int | Path] = {
        "kubeconfig": files.kubeconfig("provisioner"),
        "state-dir": instance.volumes,
        "node": instance.node,
    }
    return [
        Daemon(
            name="containerd",
            command=[str(programs.runtime / "containerd"), "-c", str(files.containerd)],
            reads=[files.containerd],
        ),
        Daemon(
            name="kubelet",
            command=[str(programs.kubernetes / "kubelet"), *flags(kubelet)],
            reads=[files.kubelet, files.kubeconfig("kubelet"), *served],
        ),
        Daemon(
            name="kube-proxy",
            command=[str(programs.kubernetes / "kube-proxy"), *flags(proxy)],
            reads=[files.kubeconfig("proxy")],
        ),
        Daemon(
            name="coredns",
            command=[str(programs.kubernetes / "coredns"), *flags({"conf": files.corefile})],
            reads=[files.corefile, files.kubeconfig("dns")],
        ),
        Daemon(
            name="provisioner",
            command=[str(programs.python), "-m", "local_cluster.provisioner", *flags(volumes)],
            reads=[files.kubeconfig("provisioner")],
            environment={"PYTHONPATH": ":".join(map(str, programs.python_path)), "PYTHONDONTWRITEBYTECODE": "1"},
        ),
    ]
