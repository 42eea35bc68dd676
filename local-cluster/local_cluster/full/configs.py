"""The configuration files of an instance's daemons, as texts; pure.

`write_all` of `up` puts them into the state folder. Whatever differs from a stock installation has its reason here.
"""

import json
from pathlib import Path

from local_cluster.full.instance import POD_RANGE, Instance

__all__ = ["DNS_READY_PORT", "cni", "containerd", "corefile", "kubelet", "resolv_conf"]

DOMAIN = "cluster.local"
DNS_READY_PORT = 8181
"""Where CoreDNS tells whether it has read the cluster's Services."""


def containerd(
    *, pause_image: str, shim: Path, runc: Path, cni_folder: Path, registries: Path, may_lower_oom_score: bool
) -> str:
    """Containerd's settings. Its folders are the usual ones, which inside an instance are the instance's own.

    `registries` says how registries are spoken to, see `local_cluster.registry`; it may be absent.
    """
    return f"""\
version = 3
# No plugin that looks for a file system or a folder that is not there; no installation of plugins below /opt.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
]
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  pinned_images.sandbox = "{pause_image}"
  registry.config_path = "{registries}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE no process may get a lower oom_score_adj than ours, and every sandbox would fail.
  restrict_oom_score_adj = {"false" if may_lower_oom_score else "true"}
  cni.bin_dirs = ["/usr/lib/cni"]
  cni.conf_dir = "{cni_folder}"
  containerd.default_runtime_name = "runc"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  # Else the PATH decides, and a shim of another containerd that the machine has can not be spoken to.
  runtime_path = "{shim}"
  options.BinaryName = "{runc}"
"""


def cni() -> str:
    """How a pod gets its interface: a cable of its own to the node, and every packet routed.

    Not a bridge: answers between two pods on one bridge pass by the rules that a Service's address needs, unless a
    kernel module (br_netfilter) is there to catch them.
    """
    return json.dumps(
        {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "ptp",
                    "ipMasq": False,  # there is no way out of the cluster that would need it
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": POD_RANGE}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
    )


def corefile(instance: Instance, *, kubeconfig: Path) -> str:
    """CoreDNS beside the kubelet. A name outside of the cluster does not exist: there is no way to it."""
    return f"""\
{DOMAIN}:53 in-addr.arpa:53 {{
    bind {instance.link.node}
    errors
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
    ready {instance.link.node}:{DNS_READY_PORT}
}}
.:53 {{
    bind {instance.link.node}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def resolv_conf(instance: Instance) -> str:
    """For pods that ask for the node's DNS."""
    return f"nameserver {instance.link.node}\n"


def kubelet(instance: Instance, *, resolv_conf_file: Path) -> str:
    """The kubelet's settings: it answers to the API server's own certificate and to nobody else."""
    pki = instance.plane.pki
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": instance.link.node,
            "readOnlyPort": 0,
            "healthzBindAddress": "127.0.0.1",
            "tlsCertFile": str(pki / "kubelet.crt"),
            "tlsPrivateKeyFile": str(pki / "kubelet.key"),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},  # no tokens: a pod's account has no business here
                "x509": {"clientCAFile": str(instance.kubelet_client.with_name("ca.crt"))},
            },
            "authorization": {"mode": "Webhook"},
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{instance.label}",
            "failCgroupV1": False,  # 1.35 refuses it by default, and many machines still have it
            "failSwapOn": False,
            "clusterDNS": [instance.link.node],
            "clusterDomain": DOMAIN,
            "resolvConf": str(resolv_conf_file),
            "maxPods": 250,
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
            "staticPodPath": "",
            # An image that was thrown away can not be fetched again: there is no registry.
            "imageGCHighThresholdPercent": 100,
            # A share of the host's disk says little about the room for a demo: absolute, and small.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"},
        }
    )
