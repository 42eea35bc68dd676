"""Brings up the cluster that sessions are measured on: an instance of its own, with operator and stand-in as in the demo.

It goes at the end, whatever happens. `BENCH_KEEP=1` keeps it for another run at once.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local_cluster.full.cluster import FullCluster
from local_cluster.full.readiness import api_client
from session_demo import places
from session_demo.setup import Choice, set_up
from session_demo.story import Story
from session_devtools.steps import Steps

from session_bench import objects
from session_bench.ground import Ground
from session_bench.inside import Inside


@contextmanager
def ground(name: str) -> Iterator[Ground]:
    """Bring everything up, and remove it whatever happens."""
    cluster, keep = FullCluster(name), bool(os.environ.get("BENCH_KEEP"))
    try:
        kubectl, images = places.local(name)
        stage = set_up(Story(out=sys.stderr), kubectl, images, Choice())
        kubectl.apply(objects.namespace(), objects.quota())
        account = ("serviceaccount/default", f"--namespace={objects.NAMESPACE}")
        kubectl("wait", *account, "--for=create", "--timeout=60s", timeout=70)
        api = api_client(cluster.instance)
        with Inside(cluster.network) as inside:
            found = Ground(cluster=cluster, kubectl=kubectl, api=api, inside=inside, stage=stage)
            found.clear()
            yield found
    finally:
        if not keep:
            cluster.down(progress=Steps())
