"""Which daemons an instance has, with their command lines; pure, so that a test can read them.

The order is the order they are started in. The users that kubeadm has no kubeconfig for are listed here too.
"""

from dataclasses import dataclass
from pathlib import Path

from local_cluster import volumes
from local_cluster.control_plane import flags
from local_cluster.full.instance import POD_RANGE, Instance
from local_cluster.full.manifests import DNS_USER
from local_cluster.full.supervisor import Daemon

__all__ = ["USERS", "Files", "Programs", "daemons"]

USERS = {"kube-proxy": "system:kube-proxy", "dns": DNS_USER, "provisioner": volumes.USER}
"""Those who talk to the API server beside the ones that kubeadm knows, each with a kubeconfig of its own."""


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs of an instance."""

    kubernetes: Path
    """The folder of etcd, CoreDNS, the components, kubeadm, kubectl and the provisioner."""
    runtime: Path
    """The folder of containerd, its shim, ctr and runc."""
    pause: Path
    network_policies: Path | None = None
    """What enforces NetworkPolicy, where that is wanted."""


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


def daemons(instance: Instance, programs: Programs) -> list[Daemon]:
    """Every daemon but the anchor, in the order they are started."""
    return [*_control_plane(instance, programs), *_node(instance, programs)]


def _control_plane(instance: Instance, programs: Programs) -> list[Daemon]:
    plane, pki = instance.plane, instance.plane.pki

    def component(name: str, arguments: list[str], reads: list[Path]) -> Daemon:
        return Daemon(name=name, command=[str(programs.kubernetes / name), *arguments], reads=reads)

    tokens, trusted = pki / "sa.key", pki / "ca.crt"
    pairs = (pki / "apiserver", pki / "apiserver-etcd-client", pki / "front-proxy-client", instance.kubelet_client)
    served = [trusted, pki / "etcd" / "ca.crt", pki / "front-proxy-ca.crt", *_both(*pairs)]
    own = [pki / "etcd" / "ca.crt", *_both(pki / "etcd" / "server", pki / "etcd" / "peer")]
    return [
        component("etcd", plane.etcd(), own),
        component("kube-apiserver", plane.api_server(), [*served, tokens, plane.audit_policy_file]),
        component(
            "kube-controller-manager",
            plane.controller_manager(secure_port=10257),
            [plane.kubeconfig("controller-manager"), trusted, tokens],
        ),
        component("kube-scheduler", plane.scheduler(secure_port=10259), [plane.kubeconfig("scheduler")]),
    ]


def _both(*stems: Path) -> list[Path]:
    """The files of these pairs."""
    return [stem.with_suffix(suffix) for stem in stems for suffix in (".crt", ".key")]


def _node(instance: Instance, programs: Programs) -> list[Daemon]:
    files, plane = Files(instance), instance.plane
    served = [*_both(plane.pki / "kubelet"), instance.kubelet_client.with_name("ca.crt")]
    kubelet: dict[str, str | int | Path] = {
        "config": files.kubelet,
        "kubeconfig": plane.kubeconfig("kubelet"),
        "hostname-override": instance.node,
        "node-ip": instance.link.node,
    }
    proxy: dict[str, str | int | Path] = {
        "kubeconfig": plane.kubeconfig("kube-proxy"),
        "cluster-cidr": POD_RANGE,
        "hostname-override": instance.node,
        "proxy-mode": "iptables",
        # The limits on connections are the host's, not the namespace's, and none of our business.
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": "0s",
        "conntrack-tcp-timeout-close-wait": "0s",
        "healthz-bind-address": "127.0.0.1:10256",
    }
    disks: dict[str, str | int | Path] = {
        "kubeconfig": plane.kubeconfig("provisioner"),
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
            reads=[files.kubelet, plane.kubeconfig("kubelet"), *served],
        ),
        Daemon(
            name="kube-proxy",
            command=[str(programs.kubernetes / "kube-proxy"), *flags(proxy)],
            reads=[plane.kubeconfig("kube-proxy")],
        ),
        Daemon(
            name="coredns",
            command=[str(programs.kubernetes / "coredns"), *flags({"conf": files.corefile})],
            reads=[files.corefile, plane.kubeconfig("dns")],
        ),
        Daemon(
            name="provisioner",
            command=[str(programs.kubernetes / "local-volume-provisioner"), *flags(disks)],
            reads=[plane.kubeconfig("provisioner")],
        ),
    ]
