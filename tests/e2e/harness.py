"""The cluster of the end-to-end tests: an instance of its own, with stand-in and operator installed as the demo does it.

It neither needs nor disturbs a demo's cluster. What an interrupted run left of it goes first; at the end all of it
goes, and what is still there then is a fault.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.audit import Audit
from e2e.kept_logs import KeptLogs
from e2e.operator_pod import Operator
from e2e.quick_kubectl import QuickKubectl
from local_cluster.full import records
from local_cluster.full.cluster import FullCluster
from local_cluster.full.instance import Instance
from local_cluster.full.readiness import api_client
from local_cluster.provision import up
from session_devtools.cgroups import CgroupTree
from session_devtools.commands import run
from session_devtools.installation.install import InstallOptions, install
from session_devtools.installation.phone import Phone
from session_devtools.installation.transformers import Images
from session_devtools.kubectl import Kubectl
from session_devtools.progress import ConsoleProgress

KEEP = "E2E_KEEP"
""" An environment variable: not empty keeps the cluster, to look into it or to run again at once. """
OVERLAY = Path(__file__).parent / "overlay"


@dataclass
class ClusterHarness:
    """What all tests stand on."""

    cluster: FullCluster
    kubectl: Kubectl
    images: Images
    phone: Phone
    operator: Operator
    audit: Audit
    began: int
    """ Where this run begins in the audit log. """
    logs: KeptLogs
    """ Of all pods of this run. """


@contextmanager
def testbed(name: str) -> Iterator[ClusterHarness]:
    """Bring everything up, and remove it whatever happens. A second run on this machine waits for the first."""
    cluster, keep = FullCluster(name), bool(os.environ.get(KEEP))
    with records.locked(f"end-to-end tests {name}", progress=ConsoleProgress()):
        if not keep:
            cluster.down(progress=ConsoleProgress())
        try:
            harness = _bring_up(cluster)
            try:
                yield harness
            finally:
                harness.logs.stop()
        finally:
            if not keep:
                remove(cluster)


def _bring_up(cluster: FullCluster) -> ClusterHarness:
    as_installed, images = up(cluster.name)
    state = cluster.instance.state
    logs = KeptLogs(pods=state / "view/var-log/pods", kept=state / "kept-logs")
    logs.start()
    # kubectl's memory of the API's kinds goes with the cluster.
    cache = cluster.instance.plane.folder / "kubectl-cache"
    kubectl = QuickKubectl(
        program=as_installed.program,
        kubeconfig=as_installed.kubeconfig,
        flags=(*as_installed.flags, f"--cache-dir={cache}"),
        api=api_client(cluster.instance),
    )
    audit = Audit(cluster.audit_log)
    began = audit.now()
    phone = install(kubectl, images, InstallOptions(overlay=OVERLAY), progress=ConsoleProgress())
    return ClusterHarness(
        cluster=cluster,
        kubectl=kubectl,
        images=images,
        phone=phone,
        operator=Operator(cluster=cluster, kubectl=kubectl),
        audit=audit,
        began=began,
        logs=logs,
    )


def remove(cluster: FullCluster) -> None:
    """Remove the cluster. :raises AssertionError: something of it is still there."""
    instance = records.find(cluster.name)
    if instance is None:  # it never was there, and why not is an error of its own
        return
    cluster.down(progress=ConsoleProgress())
    left = leftovers_of(instance)
    assert left == [], f"something of the cluster {instance.name} is left: {left}"


def leftovers_of(instance: Instance) -> list[str]:
    """What this machine still has of an instance."""
    folders = [path for path in (instance.state, instance.run) if path.exists()]
    disks = run("losetup", "--list", "--noheadings", "--output", "BACK-FILE").split()
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    links = run("ip", "-oneline", "link", "show").splitlines()
    own = f"{instance.state}/"
    return [
        *(f"folder {path}" for path in folders),
        *(f"disk {path}" for path in disks if path.startswith(own)),
        *(f"mount {path}" for path in mounts if path.startswith((own, f"{instance.run}/"))),
        *(f"link {line}" for line in links if f" {instance.label}" in line),
        *(f"process {pid}" for pid in CgroupTree(instance.label).pids()),
        *(["its record"] if records.find(instance.name) is not None else []),
    ]
