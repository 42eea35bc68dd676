"""Brings up the cluster that sessions are measured on: an instance of its own, with operator and stand-in as in the demo.

It goes at the end, whatever happens. `BENCH_KEEP=1` keeps it for another run at once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local_cluster.full.cluster import FullCluster
from local_cluster.full.readiness import api_client
from local_cluster.provision import up
from session_devtools.installation.install import InstallOptions, install
from session_devtools.progress import ConsoleProgress

from session_bench import objects
from session_bench.pod_network import PodNetwork
from session_bench.testbed import Testbed


@contextmanager
def provision(name: str) -> Iterator[Testbed]:
    """Bring everything up, and remove it whatever happens."""
    cluster, keep = FullCluster(name), bool(os.environ.get("BENCH_KEEP"))
    try:
        kubectl, images = up(name)
        phone = install(kubectl, images, InstallOptions(), progress=ConsoleProgress())
        kubectl.apply(objects.namespace(), objects.quota())
        account = ("serviceaccount/default", f"--namespace={objects.NAMESPACE}")
        kubectl("wait", *account, "--for=create", "--timeout=60s", timeout=70)
        api = api_client(cluster.instance)
        with PodNetwork(cluster.network) as pod_network:
            found = Testbed(cluster=cluster, kubectl=kubectl, api=api, pod_network=pod_network, phone=phone)
            found.clear()
            yield found
    finally:
        if not keep:
            cluster.down(progress=ConsoleProgress())
