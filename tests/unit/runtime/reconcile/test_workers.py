"""The workers: failures come back, faults are told and survived, and an orderly end lets work finish."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from unit.runtime.fakes import FakeClock, exactly, settle
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.kube.errors import Conflict, ServerError, TooManyRequests
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.reconciler import NotConverged
from whatsapp_operator.runtime.reconcile.workers import Workers
from whatsapp_operator.runtime.reconcile.workqueue import FIRST_RETRY, WorkQueue

KEY = ObjectKey("shop", "a")
OTHER = ObjectKey("shop", "b")


class WorkersHarness:
    """Workers around a function."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queue = WorkQueue(self.clock, exactly)
        self.metrics = Metrics()
        self.seen: list[tuple[float, ObjectKey]] = []
        self.act: Callable[[ObjectKey], Awaitable[float | None]] = self._nothing
        self.workers = Workers(
            queue=self.queue, reconcile=self._reconcile, clock=self.clock, metrics=self.metrics, count=2
        )

    async def _reconcile(self, key: ObjectKey) -> float | None:
        self.seen.append((self.clock.monotonic(), key))
        return await self.act(key)

    async def _nothing(self, _: ObjectKey) -> float | None:
        return None

    def fail(self, *errors: Exception) -> None:
        """Raise these, one after the other, then succeed."""
        waiting = list(errors)

        async def act(_: ObjectKey) -> float | None:
            if waiting:
                raise waiting.pop(0)
            return None

        self.act = act

    def count(self, result: str) -> float:
        """How many looks ended so: with a result that controller-runtime knows, or with one of our reasons for an error."""
        value, labels = self.metrics.registry.get_sample_value, {"controller": "whatsappsession", "result": result}
        found = value("controller_runtime_reconcile_total", labels)
        return (
            (value("whatsapp_operator_reconcile_failures_total", {"reason": result}) or 0) if found is None else found
        )


@pytest.fixture
async def harness() -> AsyncIterator[WorkersHarness]:
    """Two workers that have begun."""
    harness = WorkersHarness()
    harness.workers.start()
    yield harness
    await harness.workers.stop(within=1)


async def test_a_key_is_dealt_with(harness: WorkersHarness) -> None:
    """Once, and counted."""
    harness.queue.add(KEY)
    await settle()

    assert [KEY] == [key for _, key in harness.seen]
    assert 1 == harness.count("success")


async def test_a_key_comes_again_when_it_asked_to(harness: WorkersHarness) -> None:
    """The decision's wake-up time."""

    async def act(_: ObjectKey) -> float | None:
        return 30.0 if len(harness.seen) == 1 else None

    harness.act = act
    harness.queue.add(KEY)
    await harness.clock.advance(100)

    assert [1000.0, 1030.0] == [moment for moment, _ in harness.seen]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (ServerError("down"), "api_error"),
        (Conflict("changed"), "api_error"),
        (NotConverged("again and again"), "unsettled"),
        (ZeroDivisionError(), "fault"),
    ],
)
async def test_a_failure_comes_back(harness: WorkersHarness, error: Exception, result: str) -> None:
    """After the back-off; a fault of our own too, for a forgotten session is worse than a repeated traceback."""
    harness.fail(error, error)
    harness.queue.add(KEY)
    await harness.clock.advance(60)

    assert [1000.0, 1000.0 + FIRST_RETRY, 1000.0 + 3 * FIRST_RETRY] == [moment for moment, _ in harness.seen]
    assert (2, 1) == (harness.count(result), harness.count("success"))


async def test_a_busy_server_is_left_alone_as_long_as_it_asks(harness: WorkersHarness) -> None:
    """Retry-After."""
    harness.fail(TooManyRequests("busy", retry_after=20))
    harness.queue.add(KEY)
    await harness.clock.advance(60)

    assert [1000.0, 1020.0] == [moment for moment, _ in harness.seen]


async def test_one_failing_session_does_not_hold_up_another(harness: WorkersHarness) -> None:
    """The others go on."""

    async def act(key: ObjectKey) -> float | None:
        if key == KEY:
            raise ServerError("down")
        return None

    harness.act = act
    harness.queue.add(KEY)
    harness.queue.add(OTHER)
    await settle()

    assert OTHER in [key for _, key in harness.seen]


async def test_an_orderly_end_lets_work_finish(harness: WorkersHarness) -> None:
    """A session that is being dealt with is dealt with to its end; no new one is begun."""
    gate, ended = asyncio.Event(), []

    async def act(key: ObjectKey) -> float | None:
        await gate.wait()
        ended.append(key)
        return None

    harness.act = act
    harness.queue.add(KEY)
    await settle()
    stopping = asyncio.create_task(harness.workers.stop(within=5))
    await settle()
    harness.queue.add(OTHER)
    gate.set()
    await stopping

    assert [KEY] == ended


async def test_an_end_does_not_wait_for_ever(harness: WorkersHarness) -> None:
    """A request that hangs is dropped after its time."""

    async def act(_: ObjectKey) -> float | None:
        await asyncio.Event().wait()
        return None

    harness.act = act
    harness.queue.add(KEY)
    await settle()

    await harness.workers.stop(within=0.05)

    assert () == harness.workers.tasks
