"""Somebody calls: streams are told once, over a reload, and the phone hears that it is rejected."""

import asyncio

from runner.conftest import Start
from runner.listener import Listener, ready
from session_protocol.live_settings import LiveSettings, write_live_settings
from session_protocol.vocabulary import CallHandling
from standin.harness import StandIn
from support.runner_process import link
from support.waiting import async_until

FRIEND = "15550100777"
FROM = {"from": FRIEND}


def calls_of(listener: Listener) -> list[tuple[str, str]]:
    """Give call and status of each event."""
    return [(one["data"]["id"], one["data"]["status"]) for one in listener.events if one["type"] == "call"]


async def hears(listener: Listener, *expected: tuple[str, str]) -> None:
    """Wait for these calls, and no others."""
    await async_until(
        f"{expected}",
        lambda: asyncio.sleep(0, calls_of(listener)),
        lambda found: len(found) >= len(expected),
        within=30,
    )
    await asyncio.sleep(1.0)
    assert list(expected) == calls_of(listener)


async def test_a_call_is_published_once(start: Start, standin: StandIn, mode: str) -> None:
    """With its end; after a reload the same call is not told again, and one that is over at once is."""
    assert mode
    listener = Listener()
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        async with listener.listening(runner):
            await standin.phone.call(device, id="CALL1", video=True, **FROM)
            await hears(listener, ("CALL1", "offered"))
            async with runner.loading_anew():
                await standin.phone.reload(device)
            await standin.phone.call(device, id="CALL1", video=True, **FROM)
            await standin.phone.call(device, id="CALL1", ended=True)
            await hears(listener, ("CALL1", "offered"), ("CALL1", "ended"))
            await standin.phone.call(device, id="CALL2", **FROM)
            await standin.phone.call(device, id="CALL2", ended=True)
            await hears(listener, *((one, status) for one in ("CALL1", "CALL2") for status in ("offered", "ended")))
        log = "\n".join(runner.raw_lines)

    first = next(one["data"] for one in listener.events if one["type"] == "call")
    assert (FRIEND, True) == (first["person"]["waId"], first["video"])
    assert FRIEND not in log


async def test_a_call_is_rejected(start: Start, standin: StandIn, mode: str) -> None:
    """If the settings say so, which the phone hears."""
    assert mode
    listener = Listener()
    settings = write_live_settings(LiveSettings(calls=CallHandling.REJECT)).decode()
    async with start(LIVE_SETTINGS=settings) as runner:
        device = await link(runner, standin)
        await ready(runner)
        async with listener.listening(runner):
            await standin.phone.call(device, id="CALL1", **FROM)
            await hears(listener, ("CALL1", "offered"), ("CALL1", "rejected"))
        (signal,) = [one for one in await standin.phone.signals(device) if one["kind"] == "reject"]

    assert "CALL1" == signal["call"]
