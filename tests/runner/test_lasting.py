"""What survives: the login over restarts, kills and moves, and what is said when it did not."""

import asyncio
import json
import shutil
from datetime import UTC, datetime

import pytest
from runner.conftest import Start
from standin.harness import StandIn
from standin.settings import Timing
from support.runner_process import Folders, link, settings_for


async def test_a_clean_stop_right_after_linking_keeps_the_login(mode: str, start: Start, standin: StandIn) -> None:
    """SIGTERM closes the browser cleanly: the next runner is connected without a code, the login durable by then."""
    assert mode
    async with start() as runner:
        device = await link(runner, standin)
        before = await runner.state()
        assert await runner.stop() == 0
    async with start(POD_UID="pod-2") as runner:
        after = await runner.wait_for_state("Connected")

    assert "QRPending" not in [state for state, _ in runner.seen]
    assert (await standin.phone.device(device) or {})["connected"] is False
    assert (after["podUID"], after["linkedTime"]) == ("pod-2", before["linkedTime"])
    assert datetime.fromisoformat(after["durableTime"]) < datetime.fromisoformat(before["durableTime"])


async def test_a_page_that_was_stopped_is_waited_for_by_none(start: Start) -> None:
    """It has given up what it held against a second tab, so that the next page asks nobody whether it still lives."""
    async with StandIn.start(mode="legacy", timing=Timing(mutex_answer=300)) as standin:
        urls = settings_for(standin)
        async with start(**urls) as runner:
            await link(runner, standin)
            assert await runner.stop() == 0
        async with start(**urls) as runner:
            await runner.wait_for_state("Connected", deadline=120)


async def test_while_stopping_the_runner_says_so_and_leaves_nothing(start: Start, standin: StandIn) -> None:
    """A waiting reader hears Stopping; afterwards no process of it is left and the last words are silent."""
    async with start() as runner:
        await link(runner, standin)
        revision = (await runner.state())["revision"]
        descendants = runner.descendants()
        waiting = asyncio.create_task(runner.state(after=str(revision), wait="30"))
        await asyncio.sleep(0.1)
        assert await runner.stop() == 0

        assert (await waiting)["state"] == "Stopping"
        assert len(descendants) >= 3  # driver, browser, page
        assert runner.survivors(descendants) == []
        assert runner.termination_message() == ""


async def test_a_kill_before_the_durable_time_is_survived_or_reported(start: Start, standin: StandIn) -> None:
    """Whether the browser had written the login is luck; the next runner is connected or says LoggedOut and links again."""
    async with start() as runner:
        await link(runner, standin)
        assert datetime.fromisoformat((await runner.state())["durableTime"]) > datetime.now(UTC)
        await runner.kill()
    async with start() as runner:
        document = await runner.wait_for_state("Connected", "LoggedOut")
        if document["state"] == "LoggedOut":
            await runner.wait_for_state("QRPending")
            await link(runner, standin)


@pytest.mark.slow
async def test_a_kill_after_the_durable_time_is_survived(start: Start, standin: StandIn) -> None:
    """The promise of durableTime: from then on a kill of everything at once costs no login."""
    async with start() as runner:
        await link(runner, standin)
        durable = datetime.fromisoformat((await runner.state())["durableTime"])
        await asyncio.sleep((durable - datetime.now(UTC)).total_seconds())
        await runner.kill()
    async with start() as runner:
        await runner.wait_for_state("Connected")

    assert {"QRPending", "LoggedOut"}.isdisjoint(state for state, _ in runner.seen)


@pytest.mark.parametrize("half", ["IndexedDB", "Local Storage"])
@pytest.mark.parametrize(("on_logout", "reason"), [("Relink", "Relinking"), ("Wait", "WaitingForPerson")])
async def test_a_lost_half_of_the_login_is_a_logout(
    start: Start, standin: StandIn, folders: Folders, half: str, on_logout: str, reason: str
) -> None:
    """A profile that lost either half (a kill, a restored copy, a full disk) was linked and is not any more."""
    async with start() as runner:
        await link(runner, standin)
        await runner.stop()
    shutil.rmtree(folders.profile / "chromium/Default" / half)
    async with start(ON_LOGOUT=on_logout) as runner:
        document = await runner.wait_for_state("LoggedOut")
        assert (document["reason"], document["linkedTime"]) == (reason, None)
        assert "(missing_enc_salt)" in document["message"]  # told before wa-js listens
        if on_logout == "Relink":
            await runner.wait_for_state("QRPending")
            await link(runner, standin)


async def test_stale_singleton_links_of_another_host_are_no_hindrance(start: Start, folders: Folders) -> None:
    """A pod that moved finds the links of the old host; under our lock they go."""
    user_data = folders.profile / "chromium"
    user_data.mkdir()
    for name in ("SingletonLock", "SingletonSocket", "SingletonCookie"):
        (user_data / name).symlink_to("another-host-17")
    async with start() as runner:
        await runner.wait_for_state("QRPending")

    assert not list(user_data.glob("Singleton*"))


async def test_caches_stay_off_the_profile(start: Start, standin: StandIn, folders: Folders) -> None:
    """The HTTP cache lies in CACHE_DIR; the volume holds the login and little else."""
    async with start() as runner:
        await link(runner, standin)
        await runner.stop()

    assert (folders.cache / "http").is_dir()
    assert not (folders.profile / "chromium/Default/Cache").exists()
    marker = json.loads((folders.profile / "runner.json").read_text())
    assert sorted(marker) == [
        "availableTime",
        "browserVersion",
        "durableTime",
        "hold",
        "linkedTime",
        "relinkRequest",
        "start",
        "stop",
    ]
