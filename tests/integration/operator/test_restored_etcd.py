"""An etcd that is restored from a snapshot, or replaced, under a running operator: versions go back.

The watches go on from versions that do not exist any more and say nothing, and what is known looks newer than all that
the API server has. The operator notices it by its lists, drops everything and begins anew, in the same process.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from api_client import ApiClient
from integration.operator.admin import Admin
from integration.operator.conftest import OperatorHarness
from integration.operator.process import OperatorProcess
from local_cluster.light import LightCluster, Programs
from session_devtools.installation.constants import OPERATOR_NAMESPACE
from support import operator_process

PATIENT = {
    "LEASE_DURATION": "60s",
    "LEASE_RENEW_DEADLINE": "50s",
    "LEASE_RENEW_INTERVAL": "2s",
    "LEASE_REQUEST_TIMEOUT": "5s",
}
""" An API server that starts anew on a busy machine must not cost the Lease: the next process would begin anew anyway. """


@pytest.fixture
def operator_cluster(light_programs: Programs, tmp_path: Path) -> Iterator[LightCluster]:
    """A cluster of the test's own, whose past may be taken away."""
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path) as cluster:
        operator_process.install(cluster)
        yield cluster


@pytest.fixture
def operator_kubeconfig(operator_cluster: LightCluster) -> Path:
    """Credentials of the operator's account."""
    return operator_process.operator_kubeconfig(operator_cluster)


@contextlib.asynccontextmanager
async def _away(harness: OperatorHarness) -> AsyncIterator[None]:
    """Let the API server be replaced meanwhile; a kubelet ends what is not there any more."""
    harness.node.pause = True
    await asyncio.sleep(0.2)  # its present look
    yield
    there = {pod["metadata"]["uid"] for pod in await harness.admin.list("pods", harness.namespace)}
    for uid in harness.node.runners.keys() - there:
        await harness.node.close(uid)
    harness.node.pause = False


async def _restore(harness: OperatorHarness, snapshot: Path | None) -> None:
    async with _away(harness):
        await asyncio.to_thread(harness.cluster.restore, snapshot)


async def _anew(operator: OperatorProcess, *, times: int = 1) -> None:
    """Wait until it has begun anew so often."""

    async def begun() -> bool:
        _, metrics = await operator.get("/metrics")
        return f'whatsapp_operator_begun_anew_total{{reason="versions_went_back"}} {times}.0' in metrics

    harness_wait = operator.wait_for_log("Everything begins anew", reason="versions_went_back")
    await harness_wait
    async with asyncio.timeout(60):
        while not await begun():
            await asyncio.sleep(0.2)
    acting = [line for line in operator.lines() if line["message"] == "Role" and line["role"] == "acting"]
    async with asyncio.timeout(60):
        while len(acting) < times + 1:
            await asyncio.sleep(0.2)
            acting = [line for line in operator.lines() if line["message"] == "Role" and line["role"] == "acting"]


async def test_what_comes_after_a_restore_is_dealt_with(harness: OperatorHarness) -> None:
    """A deletion, an edit and a new session, none of which a watch of before reports; one pod each, and no new process."""
    await harness.quota(sessions=5)
    operator = await harness.operator(**PATIENT)
    for name in ("kept", "edited", "deleted"):
        await harness.session(name)
        await harness.wait_for_state(name, "QRPending")
    snapshot = harness.cluster.snapshot("first")
    await harness.session("lost")  # nobody will know of it
    await harness.wait_for_state("lost", "QRPending")
    for _ in range(30):  # many versions later: none of what follows reaches the numbers of now
        await harness.ask("kept", "renew-tokens-at")
    before = {name: (await harness.status(name))["podUID"] for name in ("kept", "edited")}

    await _restore(harness, snapshot)
    await _anew(operator)
    await harness.session("new")
    await harness.edit("edited", {"spec": {"operatingMode": "Suspended"}})
    await harness.admin.delete("whatsappsessions", harness.namespace, "deleted")

    await harness.wait_for_state("new", "QRPending")
    await harness.wait_for_state("edited", "Suspended")
    await harness.wait_for_pod_gone("edited")
    await harness.wait_for_pod_gone("deleted")
    await harness.wait_for_state("kept", "QRPending")
    pods = Counter(pod["metadata"]["labels"]["wasession.dev/session"] for pod in await _pods(harness))
    assert {"kept": 1, "new": 1} == pods
    assert before["kept"] == (await harness.status("kept"))["podUID"]
    assert operator.status is None


async def _pods(harness: OperatorHarness) -> list[dict[str, object]]:
    found: list[dict[str, object]] = await harness.admin.list("pods", harness.namespace)
    return found
