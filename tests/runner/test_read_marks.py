"""What comes is marked as read by itself where the settings say so, which whoever wrote it is shown."""

import asyncio

from runner.conftest import Start
from runner.listener import Listener, ready
from session_protocol.live_settings import LiveSettings, write_live_settings
from session_protocol.vocabulary import ReadMarking
from standin.harness import StandIn
from support.runner_process import link
from support.waiting import async_until

FRIEND = "15550100777"
FROM = {"from": FRIEND}


async def test_what_comes_is_marked_as_read(start: Start, standin: StandIn, mode: str) -> None:
    """Some seconds later, also when the runner is killed meanwhile; without the setting nothing is."""
    assert mode
    settings = write_live_settings(LiveSettings(read_marks=ReadMarking.ON_RECEIPT)).decode()

    async def read(device: str) -> list[str]:
        return [one["last"] for one in await standin.phone.signals(device) if one["kind"] == "read"]

    listener = Listener()
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        async with listener.listening(runner):
            await standin.phone.send(device, "one", id="M1", **FROM)
            await listener.hears(1)
            await asyncio.sleep(8)
    assert [] == await read(device)
    async with start(LIVE_SETTINGS=settings) as runner:
        await runner.wait_for_state("Connected")
        async with listener.listening(runner):
            await standin.phone.send(device, "two", id="M2", **FROM)
            await listener.hears(2)
            await runner.kill()
    async with start() as runner:
        await runner.wait_for_state("Connected")
        await async_until("it is marked", lambda: read(device), lambda found: found[-1:] == ["M2"], within=60)
