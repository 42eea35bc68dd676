"""A first sync that does not end, with its bound shortened: said by the runner that saw it begin, after a reload, and by the next pod."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import pytest
from session_runner.profile.saved_state import read_saved_state
from standin.harness import StandIn
from support.runner_process import Folders, RunnerProcess, start_runner
from support.waiting import async_until

BOUND = 8.0
""" Seconds, in the place of ten times the startup timeout. """
_SHORTENED = (
    "import runpy; from session_runner.states.policy import Policy; "
    f"Policy.first_sync = {BOUND}; runpy.run_module('session_runner', run_name='__main__', alter_sys=True)"
)
PROGRAM = ("-c", _SHORTENED)

Start = Callable[[str], AbstractAsyncContextManager[RunnerProcess]]


@pytest.fixture
def start(folders: Folders, environment: dict[str, str]) -> Start:
    """Start a runner whose first syncs are soon overdue, in the pod of that name."""
    return lambda pod: start_runner(folders, environment | {"POD_UID": pod}, program=PROGRAM)


async def linked(runner: RunnerProcess, standin: StandIn) -> str:
    """Link a phone whose data never arrive."""
    device = await standin.phone.scan((await runner.code())["text"], sync_seconds=600)
    await runner.wait_for_state("Syncing", reason="FirstSync")
    return device


async def test_an_endless_first_sync_is_reported_once_and_stays_so(mode: str, start: Start, standin: StandIn) -> None:
    """Since when and what to do, in the same words after a reload and in the next pod; it ends with the sync."""
    assert mode
    async with start("pod-1") as runner:
        device = await linked(runner, standin)
        first = await runner.wait_for_state("Syncing", reason="SyncOverdue")
        await standin.phone.reload(device)
        await runner.wait_for_state("Loading")
        reloaded = await runner.wait_for_state("Syncing", reason="SyncOverdue")
        await runner.stop()
    async with start("pod-2") as runner:
        again = await runner.wait_for_state("Syncing", reason="SyncOverdue")
        assert ("Syncing", "FirstSync") not in runner.seen
        await standin.phone.sync_slow(device, seconds=0)
        await standin.phone.reload_window()
        await runner.wait_for_state("Connected")

    assert " since 20" in first["message"]
    assert "ask for a restart" in first["message"]
    assert first["message"] == reloaded["message"] == again["message"]


async def begun(folders: Folders) -> None:
    """Wait until it is stored that the sync has begun: it is Syncing already while the page is on its way there."""

    async def stored() -> datetime | None:
        return read_saved_state(folders.profile / "runner.json").sync_began

    await async_until("the sync has begun", stored)


async def test_a_first_sync_that_became_overdue_without_a_pod_is_seen_by_the_next(
    start: Start, standin: StandIn, folders: Folders
) -> None:
    """It counts from when it began, and the first look says so."""
    async with start("pod-1") as runner:
        await linked(runner, standin)
        await begun(folders)
        await runner.stop()
    assert ("Syncing", "SyncOverdue") not in runner.seen
    await asyncio.sleep(BOUND)
    async with start("pod-2") as runner:
        await runner.wait_for_state("Syncing", reason="SyncOverdue")

        assert ("Syncing", "FirstSync") not in runner.seen
