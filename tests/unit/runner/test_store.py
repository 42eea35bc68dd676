"""The store: revisions, waiting, and the life of a QR code."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.store import StateStore

T0 = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)


class StoreHarness:
    """A store with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = T0
        self.store = StateStore(clock=lambda: self.now)

    def say(self, state: RunnerState = RunnerState.QR_PENDING, **more: Any) -> bool:
        """Publish; everything but the state has a default."""
        fields: dict[str, Any] = {
            "reason": StateReason.WAITING_FOR_SCAN,
            "message": "m",
            "linked_time": None,
            "durable_time": None,
            "round": 1,
        }
        return self.store.publish(state=state, **(fields | more))


@pytest.fixture
def harness() -> StoreHarness:
    """A fresh store."""
    return StoreHarness()


def test_it_begins_with_starting(harness: StoreHarness) -> None:
    """Before anything is known there already is a first revision."""
    assert (1, RunnerState.STARTING, T0) == (
        harness.store.snapshot.revision,
        harness.store.snapshot.state,
        harness.store.snapshot.since,
    )


def test_only_news_makes_a_revision(harness: StoreHarness) -> None:
    """The same word twice is one revision; any other field makes the next."""
    assert harness.say()
    assert not harness.say()
    assert harness.say(round=2)
    assert harness.store.snapshot.revision == 3


def test_since_moves_with_the_state_only(harness: StoreHarness) -> None:
    """A new message within a state does not make it younger."""
    harness.say()
    harness.now += timedelta(seconds=5)
    harness.say(message="other")

    assert harness.store.snapshot.since == T0
    harness.say(RunnerState.CONNECTED)
    assert harness.store.snapshot.since == harness.now


@pytest.mark.parametrize("after", [None, 0, 2, 99])
async def test_any_other_revision_is_answered_at_once(harness: StoreHarness, after: int | None) -> None:
    """Older, none, or one of an earlier pod with higher numbers: the newest is given without waiting."""
    async with asyncio.timeout(10):
        assert (await harness.store.newer_than(after, wait=60)).revision == 1


async def test_a_waiter_gets_the_change(harness: StoreHarness) -> None:
    """Who has the newest waits and gets what comes, and all waiters do."""
    waiters = [asyncio.create_task(harness.store.newer_than(1, wait=60)) for _ in range(3)]
    await asyncio.sleep(0)
    harness.say()

    async with asyncio.timeout(10):
        assert [2, 2, 2] == [snapshot.revision for snapshot in await asyncio.gather(*waiters)]


async def test_the_wait_ends_without_a_change(harness: StoreHarness) -> None:
    """After its time the waiter gets what it already has."""
    assert (await harness.store.newer_than(1, wait=0.01)).revision == 1
    assert (await harness.store.newer_than(1, wait=0)).revision == 1


async def test_closing_lets_everybody_go(harness: StoreHarness) -> None:
    """A process that ends keeps nobody waiting."""
    waiter = asyncio.create_task(harness.store.newer_than(1, wait=60))
    await asyncio.sleep(0)
    harness.store.close()

    async with asyncio.timeout(10):
        assert (await waiter).revision == 1
        assert (await harness.store.newer_than(1, wait=60)).revision == 1


def test_a_code_keeps_its_times_while_it_is_shown(harness: StoreHarness) -> None:
    """The first look sets when it was issued and when it ends; later looks of the same code do not."""
    harness.say(round=3)
    harness.store.show_code("a", lifetime=20)
    harness.now += timedelta(seconds=10)
    harness.store.show_code("a", lifetime=20)
    code = harness.store.code

    assert code is not None
    assert (code.issued, code.expires, code.round) == (T0, T0 + timedelta(seconds=20), 3)


def test_another_code_has_its_own_times(harness: StoreHarness) -> None:
    """A new text is a new code, and is no new revision."""
    harness.store.show_code("a", lifetime=60)
    harness.now += timedelta(seconds=60)
    harness.store.show_code("b", lifetime=20)
    code = harness.store.code

    assert code is not None
    assert (code.text, code.issued) == ("b", harness.now)
    assert harness.store.snapshot.revision == 1


def test_a_code_is_gone_when_its_time_is_over(harness: StoreHarness) -> None:
    """A code is not handed out after its life, also when a frozen page goes on showing it."""
    harness.store.show_code("a", lifetime=20)
    harness.now += timedelta(seconds=20)
    harness.store.show_code("a", lifetime=20)

    assert harness.store.code is None


def test_a_hidden_code_is_gone(harness: StoreHarness) -> None:
    """Once the page shows no code there is none, and no repr ever shows one."""
    harness.store.show_code("secret-text", lifetime=20)
    shown = repr(harness.store.code)
    harness.store.show_code(None, lifetime=20)

    assert harness.store.code is None
    assert "secret-text" not in shown
