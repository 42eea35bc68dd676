"""The work queue: each key once, one worker at a time, nothing lost."""

import asyncio

import pytest
from unit.runtime.fakes import FakeClock, exactly, settle
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.reconcile.workqueue import FIRST_RETRY, LAST_RETRY, WorkQueue

A = ObjectKey("shop", "a")
B = ObjectKey("shop", "b")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue:
    """An empty queue without jitter."""
    return WorkQueue(clock, exactly)


async def test_keys_come_in_the_order_they_were_added(queue: WorkQueue) -> None:
    """First come, first served."""
    queue.add(B)
    queue.add(A)

    assert [B, A] == [await queue.get(), await queue.get()]


async def test_a_waiting_key_is_there_once(queue: WorkQueue) -> None:
    """A hundred events about one session are one look at it."""
    for _ in range(100):
        queue.add(A)

    assert 1 == queue.depth


async def test_a_key_in_work_comes_again_only_when_done(queue: WorkQueue) -> None:
    """An event during the work is not lost, and no second worker gets the key meanwhile."""
    queue.add(A)
    await queue.get()
    queue.add(A)
    queue.add(A)

    assert 0 == queue.depth
    queue.done(A)
    assert 1 == queue.depth


async def test_a_key_without_new_events_does_not_come_again(queue: WorkQueue) -> None:
    """Work ends when nothing happens."""
    queue.add(A)
    await queue.get()
    queue.done(A)

    assert 0 == queue.depth


async def test_a_waiting_worker_gets_the_next_key(queue: WorkQueue) -> None:
    """A worker that waits is woken by the first key."""
    worker = asyncio.create_task(queue.get())
    await settle()
    assert not worker.done()

    queue.add(A)

    assert A == await worker


async def test_two_waiting_workers_share_two_keys(queue: WorkQueue) -> None:
    """Keys added at once go to different workers."""
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await settle()
    queue.add(A)
    queue.add(B)
    await settle()

    assert {A, B} == {await worker for worker in workers}


async def test_a_delayed_key_comes_at_its_time(queue: WorkQueue, clock: FakeClock) -> None:
    """A wake-up is neither early nor forgotten."""
    queue.add_after(A, 10)
    await clock.advance(9.9)
    assert 0 == queue.depth

    await clock.advance(0.2)

    assert 1 == queue.depth


async def test_the_earliest_wake_up_counts(queue: WorkQueue, clock: FakeClock) -> None:
    """A later wake-up does not push an earlier one back, an earlier one replaces a later one."""
    queue.add_after(A, 10)
    queue.add_after(A, 20)
    queue.add_after(A, 5)
    await clock.advance(5)
    assert A == await queue.get()
    queue.done(A)

    await clock.advance(60)

    assert 0 == queue.depth


async def test_a_delay_that_is_over_is_none(queue: WorkQueue) -> None:
    """No delay, no timer."""
    queue.add_after(A, -3)

    assert 1 == queue.depth


async def test_failures_come_back_later_and_later(queue: WorkQueue) -> None:
    """The back-off doubles up to its limit."""
    delays = [queue.add_rate_limited(A) for _ in range(9)]

    assert [FIRST_RETRY, FIRST_RETRY * 2, FIRST_RETRY * 4] == delays[:3]
    assert LAST_RETRY == delays[-1]


async def test_success_resets_the_back_off(queue: WorkQueue) -> None:
    """The next failure is a first one."""
    queue.add_rate_limited(A)
    queue.add_rate_limited(A)
    queue.forget(A)

    assert FIRST_RETRY == queue.add_rate_limited(A)


async def test_the_servers_retry_after_is_respected(queue: WorkQueue, clock: FakeClock) -> None:
    """Retry-After is the least delay."""
    assert 17 == queue.add_rate_limited(A, at_least=17)

    await clock.advance(16.9)
    assert 0 == queue.depth
    await clock.advance(0.2)
    assert 1 == queue.depth


async def test_keys_back_off_apart(queue: WorkQueue) -> None:
    """A failing session does not slow another one down."""
    queue.add_rate_limited(A)
    queue.add_rate_limited(A)

    assert FIRST_RETRY == queue.add_rate_limited(B)


async def test_a_forgotten_key_does_not_wake(queue: WorkQueue, clock: FakeClock) -> None:
    """A deleted session leaves no timer."""
    queue.add_after(A, 1)
    queue.drop(A)

    await clock.advance(5)

    assert 0 == queue.depth


def figure(queue: WorkQueue, name: str) -> float | None:
    """One of the queue's metrics."""
    queue.measure()
    return queue.metrics.registry.get_sample_value(f"workqueue_{name}", {"name": "whatsappsession"})


async def test_the_metrics_are_those_of_client_go(queue: WorkQueue, clock: FakeClock) -> None:
    """A key that comes again while it is worked on counts, and has waited since then; one that waits already does not."""
    for key in (A, A, B):
        queue.add(key)
    await clock.advance(7)
    await queue.get()
    await clock.advance(2)
    for _ in range(2):
        queue.add(A)
    await clock.advance(3)
    await queue.get()
    during = {
        name: figure(queue, name)
        for name in ("adds_total", "depth", "unfinished_work_seconds", "longest_running_processor_seconds")
    }
    queue.done(A)
    await queue.get()

    assert {"adds_total": 3, "depth": 0, "unfinished_work_seconds": 5, "longest_running_processor_seconds": 5} == during
    assert (3, 7 + 12 + 3) == (
        figure(queue, "queue_duration_seconds_count"),
        figure(queue, "queue_duration_seconds_sum"),
    )
    assert (1, 5) == (figure(queue, "work_duration_seconds_count"), figure(queue, "work_duration_seconds_sum"))


async def test_retries_are_counted(queue: WorkQueue) -> None:
    """Each failure, whatever its back-off."""
    queue.add_rate_limited(A)
    queue.add_rate_limited(A)

    assert 2 == figure(queue, "retries_total")


@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_no_key_is_ever_worked_on_twice_at_once(queue: WorkQueue, workers: int) -> None:
    """Whatever the number of workers: one at a time per key, and the last event is always followed by a look."""
    active: set[ObjectKey] = set()
    seen: dict[ObjectKey, int] = {}
    latest: dict[ObjectKey, int] = {A: 0, B: 0}

    async def work() -> None:
        while True:
            key = await queue.get()
            assert key not in active
            active.add(key)
            seen[key] = latest[key]
            await asyncio.sleep(0)
            active.discard(key)
            queue.done(key)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    for number in range(1, 50):
        for key in (A, B):
            latest[key] = number
            queue.add(key)
        if number % 3:
            await asyncio.sleep(0)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert latest == seen
