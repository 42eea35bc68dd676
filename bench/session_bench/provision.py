"""Brings up the cluster that sessions are measured on: an instance of its own, with operator and stand-in as in the demo.

It goes at the end, whatever happens. `BENCH_KEEP=1` keeps it for another run at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local_cluster.full.cluster import FullCluster
from local_cluster.full.readiness import api_client
from session_demo import own_cluster
from session_demo.install import InstallOptions, install
from session_demo.report import Report
from session_devtools.progress import ConsoleProgress

from session_bench import objects
from session_bench.pod_network import PodNetwork
from session_bench.testbed import Testbed


@contextmanager
def provision(name: str) -> Iterator[Testbed]:
    """Bring everything up, and remove it whatever happens."""
    cluster, keep = FullCluster(name), bool(os.environ.get("BENCH_KEEP"))
    try:
        kubectl, images = own_cluster.local(name)
        client = install(Report(out=sys.stderr), kubectl, images, InstallOptions())
        kubectl.apply(objects.namespace(), objects.quota())
        account = ("serviceaccount/default", f"--namespace={objects.NAMESPACE}")
        kubectl("wait", *account, "--for=create", "--timeout=60s", timeout=70)
        api = api_client(cluster.instance)
        with PodNetwork(cluster.network) as pod_network:
            found = Testbed(cluster=cluster, kubectl=kubectl, api=api, pod_network=pod_network, client=client)
            found.clear()
            yield found
    finally:
        if not keep:
            cluster.down(progress=ConsoleProgress())
