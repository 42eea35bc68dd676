"""The process that holds the Lease: what it tells the one that works, and when it ends it."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from unit.runtime.fakes import FakeClock, exactly, settle
from unit.runtime.memory_api import Fault, MemoryApi
from whatsapp_operator.app.lease_keeper import CHECK_EVERY, Heartbeats, Keeper, Worker
from whatsapp_operator.app.lease_link import Channel, HeldLease, Message, SharedMemory, channels
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.process.lease import Lease, LeaseTimes

TIMES = LeaseTimes()
STALL = 10.0


class FakeWorker(Worker):
    """A process that does what a test says."""

    def __init__(self) -> None:
        super().__init__(pid=0)
        self.signals: list[signal.Signals] = []
        self.exit_status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def signal(self, number: signal.Signals) -> None:
        """Take note of a signal."""
        self.signals.append(number)
        if number is signal.SIGKILL and not self.exit_status.done():
            self.exit_status.set_result(137)

    def wait(self) -> int:
        """Return the status."""
        return self.exit_status.result()

    async def ended(self) -> None:
        """Wait for the end."""
        await asyncio.shield(self.exit_status)


@dataclass
class KeeperHarness:
    """A keeper with an API server in memory, and the other end of its channel."""

    clock: FakeClock
    api: MemoryApi
    memory: SharedMemory
    channel: Channel
    worker: FakeWorker
    held: HeldLease
    ended: list[tuple[int, str]] = field(default_factory=list)

    def keeper(self) -> Keeper:
        """Return the keeper."""
        lease = Lease(
            kube=Kube(self.api, timeout=3),
            clock=self.clock,
            namespace="ops",
            name="whatsapp-operator",
            identity="one",
            times=TIMES,
            on_lost=lambda reason: keeper.end(f"the Lease is lost: {reason}"),
            on_valid=self.memory.set_valid_until,
            jitter=exactly,
        )
        keeper = Keeper(
            lease=lease,
            clock=self.clock,
            memory=self.memory,
            channel=self.channel,
            worker=self.worker,
            stall_timeout=STALL,
            end=lambda status, why: self.ended.append((status, why)),
        )
        return keeper

    @property
    def holder(self) -> str:
        """Who holds the Lease by the API server's account."""
        return str((self.api.get("leases", "ops", "whatsapp-operator") or {"spec": {}})["spec"].get("holderIdentity"))

    async def live(self, seconds: float) -> None:
        """Let time go by for a worker whose event loop runs."""
        for _ in range(int(seconds)):
            self.memory.heartbeats += 1
            await self.clock.advance(1)


@pytest.fixture
async def harness() -> AsyncIterator[KeeperHarness]:
    """A keeper that runs, with a worker that has asked for nothing yet."""
    clock, memory = FakeClock(), SharedMemory()
    ours, theirs = channels()
    held = HeldLease(memory, theirs, monotonic=clock.monotonic)
    harness = KeeperHarness(clock, MemoryApi(now=clock.now), memory, ours, FakeWorker(), held)
    running = asyncio.create_task(harness.keeper().run())
    await settle()
    yield harness
    if not harness.worker.exit_status.done():
        harness.worker.exit_status.set_result(1)
    await running
    ours.close()
    theirs.close()


async def test_the_lease_is_taken_when_the_worker_asks_for_it(harness: KeeperHarness) -> None:
    """Not before: one that cannot start must not keep another from acting."""
    before = (harness.holder, harness.held.may_act, harness.held.valid_until)
    await harness.held.acquire()

    assert ("None", False, None) == before
    assert ("one", True) == (harness.holder, harness.held.may_act)
    reference = harness.held.reference or {}
    assert ("Lease", "whatsapp-operator", "ops") == (
        reference["kind"],
        reference["metadata"]["name"],
        reference["metadata"]["namespace"],
    )


async def test_the_worker_may_act_as_long_as_it_is_renewed(harness: KeeperHarness) -> None:
    """The end moves with each renewal, and it is the renew deadline after the last one's start."""
    await harness.held.acquire()
    await harness.live(60)
    renewed = harness.held.may_act
    harness.api.fault = lambda _request, _number: Fault()
    await harness.live(TIMES.renew_deadline.total_seconds() + 1)

    assert (True, False) == (renewed, harness.held.may_act)


async def test_a_lost_lease_kills_the_worker_first(harness: KeeperHarness) -> None:
    """It must not be able to write one more time."""
    await harness.held.acquire()
    harness.api.change("leases", "ops", "whatsapp-operator", {"spec": {"holderIdentity": "thief"}})
    await harness.live(3)

    assert [signal.SIGKILL] == harness.worker.signals
    assert (1, "the Lease is lost: the Lease is held by thief") == harness.ended[0]


async def test_a_released_lease_allows_nothing_any_more(harness: KeeperHarness) -> None:
    """The answer comes when the next one may take it."""
    await harness.held.acquire()
    await harness.held.release()

    assert ("", False, None, None) == (
        harness.holder,
        harness.held.may_act,
        harness.held.valid_until,
        harness.held.reference,
    )


async def test_a_stuck_worker_is_asked_where_and_killed(harness: KeeperHarness) -> None:
    """Before that its Lease is renewed; afterwards it is released, since nothing of it is under way."""
    await harness.held.acquire()
    await harness.live(5)
    await harness.clock.advance(STALL - 1)
    early = list(harness.worker.signals), harness.holder
    await harness.clock.advance(4)

    assert ([], "one") == early
    assert [signal.SIGUSR1, signal.SIGKILL] == harness.worker.signals
    assert "" == harness.holder
    assert [(1, "the event loop has shown no sign of life for 10 s")] == harness.ended


async def test_a_worker_that_is_stuck_before_it_has_the_lease_is_killed_too(harness: KeeperHarness) -> None:
    """A start that hangs helps nobody."""
    await harness.clock.advance(STALL + 4)

    assert signal.SIGKILL in harness.worker.signals


@pytest.mark.parametrize(("status", "holder"), [(0, ""), (1, "one"), (137, "one")])
async def test_the_lease_of_a_worker_that_ended(harness: KeeperHarness, status: int, holder: str) -> None:
    """In order: it is released. Otherwise it runs out, because a request may still be under way."""
    await harness.held.acquire()
    harness.worker.exit_status.set_result(status)
    await settle()

    assert holder == harness.holder
    assert [] == harness.ended


async def test_a_message_out_of_turn_ends_both(harness: KeeperHarness) -> None:
    """A fault of ours; nobody knows any more who may do what."""
    await harness.held._channel.send(Message.RELEASE)
    await settle()

    assert [(1, "the process that holds the Lease failed")] == harness.ended
    assert [signal.SIGKILL] == harness.worker.signals


def test_two_that_were_stopped_together_are_not_stuck() -> None:
    """Looks are counted and not seconds: a frozen container goes on where it was."""
    heartbeats = Heartbeats(limit=3 * CHECK_EVERY)
    looks = [heartbeats.is_stuck(count, every=CHECK_EVERY) for count in (0, 0, 0, 1, 1, 1, 1)]

    assert [False, False, False, False, False, False, True] == looks


@pytest.mark.parametrize(("end", "status"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)])
async def test_the_exit_status_is_the_workers(end: str, status: int) -> None:
    """As a shell would tell it."""
    worker = Worker(_spawn(f"import os; {end}"))
    await worker.ended()

    assert status == worker.wait()
    worker.signal(signal.SIGTERM)  # it is gone, and its id may be another's


def test_memory_is_shared_with_a_child() -> None:
    """Written here, read there and back."""
    memory = SharedMemory()
    memory.set_valid_until(4.5)
    child = multiprocessing.get_context("fork").Process(
        target=lambda: setattr(memory, "heartbeats", memory.valid_until * 2)
    )
    child.start()
    child.join()

    assert 9.0 == memory.heartbeats


@pytest.mark.slow
def test_a_worker_does_not_outlive_its_parent() -> None:
    """The kernel sees to it, whatever the worker does; here it blocks all signals and sleeps."""
    code = (
        "import os, signal, time\n"
        "from whatsapp_operator.app.lease_keeper import die_with_parent\n"
        "parent = os.getpid()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    die_with_parent(parent)\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "    time.sleep(60)\n"
        "time.sleep(0.5)\n"
        "print(child)\n"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=25)
    child, deadline = int(started.stdout), time.monotonic() + 5
    while time.monotonic() < deadline and _runs(child):
        time.sleep(0.05)

    assert not _runs(child)


def _spawn(code: str) -> int:
    return os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 -- one line
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
