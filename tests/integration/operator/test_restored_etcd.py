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
from integration.operator.admin import Audit
from integration.operator.conftest import OperatorHarness
from integration.operator.process import OperatorProcess
from local_cluster.light import LightCluster, Programs
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
    async with harness.node.looking:  # its present look is over
        pass
    yield
    there = {pod["metadata"]["uid"] for pod in await harness.admin.list("pods", harness.namespace)}
    for uid in harness.node.runners.keys() - there:
        await harness.node.close(uid)
    harness.node.pause = False


async def _restore(harness: OperatorHarness, snapshot: Path | None) -> None:
    async with _away(harness):
        await asyncio.to_thread(harness.cluster.restore, snapshot)
    harness.audit = Audit(harness.cluster)  # until its own first look at the roles, an API server refuses everything


async def _begun_anew(harness: OperatorHarness, operator: OperatorProcess, *, times: int = 1) -> None:
    """Wait until it has begun anew so often, and acts again."""

    async def acts() -> bool:
        roles = [line["role"] for line in operator.lines() if line["message"] == "Role"]
        _, metrics = await operator.get("/metrics")
        counted = f'whatsapp_operator_cache_resets_total{{reason="versions_went_back"}} {times}.0' in metrics
        return counted and roles[-1] == "acting"

    await harness.until(f"the operator to begin anew {times} times", acts)


async def _pods(harness: OperatorHarness) -> Counter[str]:
    """Return how many pods each session has."""
    pods = await harness.admin.list("pods", harness.namespace)
    return Counter(pod["metadata"]["labels"]["wasession.dev/session"] for pod in pods)


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
    before = (await harness.status("kept"))["podUID"]

    await _restore(harness, snapshot)
    await _begun_anew(harness, operator)
    await harness.session("new")
    await harness.edit("edited", {"spec": {"operatingMode": "Suspended"}})
    await harness.admin.delete("whatsappsessions", harness.namespace, "deleted")
    await harness.admin.delete("pods", harness.namespace, "deleted")  # as the garbage collector would

    await harness.wait_for_state("new", "QRPending")
    await harness.wait_for_state("edited", "Suspended")
    await harness.wait_for_pod_gone("edited")
    await harness.wait_for_state("kept", "QRPending")
    await harness.wait_for_pod_gone("deleted")
    assert {"kept": 1, "new": 1} == await _pods(harness)
    assert before == (await harness.status("kept"))["podUID"]
    assert operator.status is None


async def test_a_restore_that_nobody_follows_up_is_noticed_and_undone(harness: OperatorHarness) -> None:
    """A pod that the snapshot does not have is made again; one that it has and that was replaced since, is too; once."""
    await harness.quota(sessions=5)
    operator = await harness.operator(**PATIENT)
    await harness.session("early")
    snapshot = harness.cluster.snapshot("without-a-pod")
    await harness.wait_for_state("early", "QRPending")
    later = harness.cluster.snapshot("with-a-pod")
    first = (await harness.status("early"))["podUID"]
    await harness.node.end("early", code=30)
    await harness.wait_for_report("early", await harness.wait_for_new_pod("early", first))

    await _restore(harness, later)
    await _begun_anew(harness, operator)
    await harness.node.end_lost("early")
    await harness.wait_for_report("early", await harness.wait_for_new_pod("early", first))
    between = await _pods(harness)
    await _restore(harness, snapshot)
    await _begun_anew(harness, operator, times=2)
    await harness.wait_for_state("early", "QRPending")

    assert ({"early": 1}, {"early": 1}) == (between, await _pods(harness))
    assert operator.status is None


async def test_a_cluster_that_is_set_up_anew_is_served_by_the_next_process(harness: OperatorHarness) -> None:
    """All is gone, the Lease with it, and its holder ends; what is applied again has other UIDs and lower versions."""
    await harness.quota(sessions=5)
    operator = await harness.operator(**PATIENT)
    await harness.session("a")
    before = await harness.wait_for_state("a", "QRPending")

    async with _away(harness):
        await asyncio.to_thread(harness.cluster.restore, None)
        await asyncio.to_thread(operator_process.install, harness.cluster)
        await harness.admin.create("namespaces", "", {"metadata": {"name": harness.namespace}})
    harness.audit = Audit(harness.cluster)
    await harness.quota(sessions=5)
    await harness.session("a")
    status = await operator.wait_for_exit(within=60)
    await harness.operator(**PATIENT)
    after = await harness.wait_for_state("a", "QRPending")

    assert 1 == status
    assert before["podUID"] != after["podUID"]
    assert {"a": 1} == await _pods(harness)
