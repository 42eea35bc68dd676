"""What one cluster is called and where everything of it lies; pure.

All of an instance is below two folders (state survives a reboot, run does not), in one cgroup, in one network and one
mount namespace, and on one link to the host. Each carries the instance's name, so two never meet and `down` knows
what is its own.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from session_devtools.errors import ConflictError, MachineError

from local_cluster.control_plane import ControlPlane
from local_cluster.pki import ADMIN

__all__ = ["POD_RANGE", "RUN_ROOT", "STATE_ROOT", "Instance", "Link", "check_name", "choose_link"]

STATE_ROOT = Path("/var/lib/whatsapp-session-operator")
RUN_ROOT = Path("/run/whatsapp-session-operator")
POD_RANGE = "10.244.0.0/23"
"""Known inside the instance's network namespace only; room for 500 pods."""

# Where the links come from: private ranges seldom met together. Each gives 64 links of four addresses.
LINK_RANGES = tuple(map(ipaddress.IPv4Network, ("10.245.0.0/24", "172.31.245.0/24", "192.168.245.0/24")))
NAME = re.compile(r"[a-z]([a-z0-9-]{0,9}[a-z0-9])?")


class Link(NamedTuple):
    """The two ends of the cable between the host and an instance."""

    network: str
    host: str
    node: str

    @classmethod
    def of(cls, network: ipaddress.IPv4Network) -> "Link":
        """The link on a network of four addresses."""
        host, node = list(network.hosts())[:2]
        return cls(network=str(network), host=str(host), node=str(node))


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One cluster's names and places."""

    name: str
    link: Link
    network_policies: bool = False
    """Whether NetworkPolicy objects are enforced."""
    state_root: Path = STATE_ROOT
    run_root: Path = RUN_ROOT

    @property
    def label(self) -> str:
        """Its name for the kernel: the host's end of the link, the cgroup. At most 15 characters for a link."""
        return f"wso-{self.name}"

    @property
    def node(self) -> str:
        """The node's name."""
        return self.name

    @property
    def state(self) -> Path:
        """What survives a reboot: certificates, etcd's data, images, volumes, logs."""
        return self.state_root / self.name

    @property
    def run(self) -> Path:
        """What does not: which processes run."""
        return self.run_root / self.name

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.state / "logs"

    @property
    def volumes(self) -> Path:
        """The provisioner's folder."""
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, usable from the host."""
        return self.plane.kubeconfig(ADMIN)

    @property
    def kubelet_client(self) -> Path:
        """Whom the API server is for the kubelet: the pair without its suffixes, beside its authority."""
        return self.state / "control-plane" / "pki" / "kubelet-clients" / "apiserver-kubelet-client"

    @property
    def containerd_socket(self) -> Path:
        """Containerd's socket, as the host sees it."""
        return self.run / "view" / "run" / "containerd" / "containerd.sock"

    @property
    def plane(self) -> ControlPlane:
        """The control plane; fixed ports, as it is alone in its network namespace."""
        store = self.state / "control-plane"
        return ControlPlane(
            folder=store,
            bind="0.0.0.0",  # noqa: S104  its namespace has two ways in: the link from this host, and its pods
            advertise=self.link.node,
            api_port=6443,
            etcd_port=2379,
            etcd_peer_port=2380,
            authorizers=("Node", "RBAC"),
            extra_api_flags={
                "enable-admission-plugins": "NodeRestriction",
                "kubelet-certificate-authority": str(store / "pki" / "ca.crt"),
                "kubelet-client-certificate": str(self.kubelet_client.with_suffix(".crt")),
                "kubelet-client-key": str(self.kubelet_client.with_suffix(".key")),
                "kubelet-preferred-address-types": "InternalIP",
            },
        )

    @property
    def hidden(self) -> dict[Path, Path]:
        """Folders of the host that the instance sees its own version of, and where that lies.

        So every component finds everything at its usual place inside, and nothing of it is there outside.
        """
        return {
            Path("/run"): self.run / "view" / "run",
            Path("/var/lib"): self.state / "view" / "var-lib",
            Path("/var/log"): self.state / "view" / "var-log",
        }


def check_name(name: str) -> str:
    """The name, when it can be one.

    :raises MachineError: the machine lacks something.
    """
    if NAME.fullmatch(name) is None:
        raise MachineError(
            f"{name!r} can not name a cluster: at most 11 lower-case letters, digits and hyphens, beginning with a letter"
        )
    return name


def choose_link(*, in_use: Iterable[str]) -> Link:
    """The first link that overlaps none of the networks in use (the host's routes, the other instances).

    :raises ConflictError: there is none.
    """
    used = [ipaddress.IPv4Network(network, strict=False) for network in in_use]
    for candidates in LINK_RANGES:
        for network in candidates.subnets(new_prefix=30):
            if not any(network.overlaps(other) for other in used):
                return Link.of(network)
    ranges = ", ".join(map(str, LINK_RANGES))
    raise ConflictError(
        f"Every network of {ranges} is in use on this machine, so a cluster has no address to be reached at. "
        "Remove clusters you no longer need: `make demo-down`, `python -m local_cluster down --name NAME`."
    )
