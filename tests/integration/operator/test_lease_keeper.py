"""The Lease does not depend on the process that works: not on its event loop, its interpreter, or its connections."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import psutil
import pytest
from integration.operator.conftest import OperatorHarness
from integration.operator.process import OperatorProcess
from session_devtools.installation.constants import OPERATOR_NAMESPACE

LEASE = ("leases", OPERATOR_NAMESPACE, "whatsapp-operator")
WAYS = pytest.mark.parametrize("way", [signal.SIGUSR2, signal.SIGRTMIN], ids=["threads run", "no thread runs"])
QUICK = {
    "LEASE_DURATION": "5s",
    "LEASE_RENEW_DEADLINE": "4s",
    "LEASE_RENEW_INTERVAL": "1s",
    "LEASE_REQUEST_TIMEOUT": "2s",
}


async def blocked(harness: OperatorHarness, seconds: int, way: signal.Signals, **settings: str) -> OperatorProcess:
    """Start an operator, and block the event loop of its working process when it acts."""
    operator = harness.blockable(seconds, **settings)
    await operator.wait_until_acting()
    os.kill(operator.worker, way)
    return operator


async def renewals(harness: OperatorHarness, *, during: float) -> tuple[set[str], set[str]]:
    """Return the holders and the renewal times that the Lease has had meanwhile."""
    holders, times = set(), set()
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        spec = (await harness.admin.get(*LEASE))["spec"]
        holders.add(spec["holderIdentity"].partition("_")[0])
        times.add(spec["renewTime"])
        await asyncio.sleep(0.5)
    return holders, times


@WAYS
async def test_a_loop_that_is_blocked_for_half_a_minute_keeps_the_lease(
    harness: OperatorHarness, way: signal.Signals
) -> None:
    """It is renewed all the time, the standby waits, and afterwards everything goes on."""
    operator = await blocked(harness, 30, way, RESYNC_INTERVAL="60s")
    second = harness.standby()
    await second.wait_for_log("Role", role="standby")
    holders, times = await renewals(harness, during=27)
    await harness.quota(sessions=1)
    await harness.session("a")
    await harness.wait_for_state("a", "QRPending")

    assert {operator.log.stem} == holders
    assert len(times) >= 10
    assert (None, []) == (operator.status, [line for line in second.lines() if line.get("role") == "acting"])


@WAYS
async def test_a_loop_that_is_stuck_for_good_is_ended(harness: OperatorHarness, way: signal.Signals) -> None:
    """After the time that is allowed, with a word of where it hangs; the next one need not wait for the Lease's end."""
    operator = await blocked(harness, 3600, way, EVENT_LOOP_TIMEOUT="5s", LEASE_DURATION="40s")
    second = harness.standby()
    began = time.monotonic()

    assert 1 == await operator.wait_for_exit(within=15)
    await second.wait_until_acting()
    assert time.monotonic() - began < 25
    last = operator.lines()[-1]
    assert ("Process ends hard", "the event loop has shown no sign of life for 5 s") == (last["message"], last["why"])
    assert "blocked_operator.py" in operator.log.read_text()


async def test_a_stopped_process_is_ended_too(harness: OperatorHarness) -> None:
    """SIGSTOP for the working process alone: whoever stopped it, it shows no sign of life."""
    operator = await harness.operator(EVENT_LOOP_TIMEOUT="5s")
    os.kill(operator.worker, signal.SIGSTOP)

    assert 1 == await operator.wait_for_exit(within=15)


async def test_neither_process_outlives_the_other(harness: OperatorHarness) -> None:
    """Killed, by whatever: its Lease runs out, and until then nobody acts."""
    first, second = await harness.operator(**QUICK), harness.standby(**QUICK)
    await second.wait_for_log("Role", role="standby")
    worker, began = first.worker, time.monotonic()
    os.kill(worker, signal.SIGKILL)

    assert 128 + signal.SIGKILL == await first.wait_for_exit(within=5)
    await second.wait_until_acting()
    assert time.monotonic() - began > 3
    worker = second.worker
    second.kill()
    await harness.until("the working process to be gone", lambda: _gone(worker), within=2)


async def test_a_lease_that_is_lost_ends_a_blocked_process(harness: OperatorHarness) -> None:
    """It cannot notice by itself, and must not go on when it wakes up."""
    operator = await blocked(harness, 3600, signal.SIGRTMIN)
    worker = operator.worker
    await harness.admin.patch(*LEASE, {"spec": {"holderIdentity": "thief"}})

    assert 1 == await operator.wait_for_exit(within=8)
    assert await _gone(worker)
    assert "the Lease is lost: the Lease is held by thief" == operator.lines()[-1]["why"]


@pytest.fixture
async def black_hole(harness: OperatorHarness) -> AsyncIterator[None]:
    """A webhook that answers nobody: each new pod of the namespace takes half a minute."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    webhook = {
        "name": "black-hole.example.org",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/"},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": harness.namespace}},
        "timeoutSeconds": 30,
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    await harness.admin.create(
        "validatingwebhookconfigurations", "", {"metadata": {"name": harness.namespace}, "webhooks": [webhook]}
    )
    yield
    await harness.admin.delete("validatingwebhookconfigurations", "", harness.namespace)
    server.close()
    for writer in connections:
        writer.transport.abort()


@pytest.mark.usefixtures("black_hole")
async def test_full_connections_do_not_keep_the_lease_from_being_renewed(harness: OperatorHarness) -> None:
    """More workers than connections, and each waits for an answer: the Lease has a connection of its own."""
    await harness.quota(sessions=60)
    operator = await harness.operator(WORKERS="50")
    for number in range(60):
        await harness.session(f"s{number}")

    async def busy() -> bool:
        _, text = await operator.get("/metrics?name[]=workqueue_depth")
        return float(text.split()[-1]) > 0

    await harness.until("all workers to wait", busy)
    holders, times = await renewals(harness, during=15)

    assert {operator.log.stem} == holders
    assert len(times) >= 5
    assert operator.status is None


async def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
