"""A real API server with the project's CRDs, and a plain client to it."""

from pathlib import Path

import pytest
from api_client import ApiClient
from local_cluster.light import LightCluster
from support.waiting import until
from whatsapp_operator.api.constants import GROUP
from whatsapp_operator.api.crd.definitions import KINDS

CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture(scope="session")
def cluster(light_cluster: LightCluster) -> LightCluster:
    """The light cluster with the checked-in CRDs, served."""
    for kind in KINDS:
        light_cluster.kubectl("apply", "--server-side", "--filename", str(CRDS / kind.file_name))
    light_cluster.kubectl.wait_established(*(kind.name for kind in KINDS))
    # Established is a moment before discovered, and kubectl would remember the gap for ten minutes.
    listing = ("api-resources", "--cached=false", f"--api-group={GROUP}", "--output=name")
    names = {kind.name for kind in KINDS}
    until("the CRDs are listed", lambda: light_cluster.kubectl(*listing), lambda listed: names <= set(listed.split()))
    return light_cluster


@pytest.fixture(scope="session")
def api(cluster: LightCluster) -> ApiClient:
    """The client, for all tests of a process."""
    return ApiClient(cluster)
