"""A real API server with the project's CRDs, and a plain client to it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_client import ApiClient
from local_cluster.light import LightCluster
from whatsapp_operator.api.constants import GROUP
from whatsapp_operator.api.crd.definitions import KINDS

CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture(scope="session")
def cluster(light_cluster: LightCluster) -> LightCluster:
    """The light cluster with the checked-in CRDs, served."""
    for kind in KINDS:
        light_cluster.kubectl("apply", "--server-side", "--filename", str(CRDS / kind.file_name))
    light_cluster.kubectl.wait_established(*(kind.name for kind in KINDS))
    deadline = time.monotonic() + 30
    while True:  # established is a moment before discovered, and kubectl would remember the gap for ten minutes
        listing = light_cluster.kubectl("api-resources", "--cached=false", f"--api-group={GROUP}", "--output=name")
        if {kind.name for kind in KINDS} <= set(listing.split()):
            return light_cluster
        if time.monotonic() > deadline:
            raise TimeoutError(f"the API server does not list the CRDs: {listing}")


@pytest.fixture(scope="session")
def api(cluster: LightCluster) -> Iterator[ApiClient]:
    """The client; one connection for all tests of a process."""
    with ApiClient(cluster) as client:
        yield client
