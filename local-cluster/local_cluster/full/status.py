"""What runs of a cluster, for a person; reads only."""

from dataclasses import dataclass

from local_cluster.full import policies
from local_cluster.full.instance import Instance
from local_cluster.full.readiness import api_client
from local_cluster.full.supervisor import Supervisor

__all__ = ["Component", "Status", "render", "status"]

EXPECTED = (
    "anchor",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "coredns",
    "provisioner",
)


@dataclass(frozen=True, kw_only=True)
class Component:
    """One daemon: its process id, or None when it does not run."""

    name: str
    pid: int | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """A cluster as it is right now."""

    instance: Instance
    components: tuple[Component, ...]
    ready: bool
    """Whether the API server answers that it is ready."""
    pods: int | None
    """None when the API server does not answer."""

    @property
    def healthy(self) -> bool:
        """Everything runs."""
        return self.ready and all(component.pid is not None for component in self.components)


def status(instance: Instance, supervisor: Supervisor) -> Status:
    """Look at every daemon and ask the API server."""
    expected = (*EXPECTED, policies.NAME) if instance.network_policies else EXPECTED
    running = {name: supervisor.running(name) for name in expected}
    ready, pods = False, None
    if running["kube-apiserver"] is not None and instance.kubeconfig.exists():
        client = api_client(instance)
        ready = client.request("/readyz").ok
        listed = client.request("/api/v1/pods")
        pods = len(listed.json_object()["items"]) if listed.ok else None
    components = tuple(Component(name=name, pid=found.pid if found else None) for name, found in running.items())
    return Status(instance=instance, components=components, ready=ready, pods=pods)


def render(found: Status) -> str:
    """The status as lines for a terminal; pure."""
    lines = [f"cluster {found.instance.name}: {'running' if found.healthy else 'not running as it should'}"]
    lines += [f"  {one.name:<24}{'does not run' if one.pid is None else one.pid}" for one in found.components]
    lines.append(f"  {'API server':<24}{found.instance.plane.url}{'' if found.ready else ' (does not answer)'}")
    lines.append(f"  {'pods':<24}{'unknown' if found.pods is None else found.pods}")
    lines.append(f"  {'kubeconfig':<24}{found.instance.kubeconfig}")
    lines.append(f"  {'logs':<24}{found.instance.logs}")
    if not found.healthy:
        lines.append("Bring it back with `make cluster-up`: it starts what is missing and leaves the rest alone.")
    return "\n".join(lines)
