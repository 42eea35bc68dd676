"""The history of a phone is brought to the webhook that wants it, over a kill, and nobody else is told of it."""

import asyncio
import sqlite3
import time
from collections import Counter
from typing import Any

from runner.conftest import Start
from runner.listener import ready
from session_protocol.live_settings import LiveSettings, Webhook, write_live_settings
from session_protocol.vocabulary import WebhookEvent, WebhookFormat
from session_runner.messages.events import History
from session_runner.profile.layout import ProfileLayout
from standin.harness import StandIn
from support.events import read_event
from support.runner_process import Folders, RunnerProcess, link
from support.waiting import async_until

FRIEND, OTHER = "15550100777", "15550100778"
NOWHERE = Webhook(
    name="bot",
    url="http://127.0.0.1:9/",  # never opened, so that all of it waits
    format=WebhookFormat.STANDARD,
    events=(WebhookEvent.HISTORY, WebhookEvent.MESSAGE, WebhookEvent.PRESENCE),
)
SETTINGS = write_live_settings(LiveSettings(webhooks=(NOWHERE,))).decode()


async def waiting(runner: RunnerProcess) -> int:
    """Give how much waits for the webhook."""
    _, document = await runner.get_json("/v1/webhooks", scope="admin")
    return int(document["webhooks"][0]["waiting"]) if document.get("webhooks") else 0


def chunks(folders: Folders) -> list[History]:
    """Read what waits from the file of a runner that has ended."""
    database = sqlite3.connect(ProfileLayout(folders.profile).messages_file)
    try:
        rows: list[Any] = database.execute(
            "SELECT body FROM deliveries WHERE kind = 'history' ORDER BY place"
        ).fetchall()
    finally:
        database.close()
    found = [read_event(body).data for (body,) in rows]
    return [one for one in found if isinstance(one, History)]


async def test_all_of_it_over_a_kill(start: Start, standin: StandIn, folders: Folders, mode: str) -> None:
    """Each message once, each chat from its newest backwards; what comes meanwhile is a message."""
    assert mode
    long_ago = int(time.time()) - 10 * 86400
    of_friend = [{"text": f"{one}", "id": f"H{one:03}", "from": FRIEND, "t": long_ago + one} for one in range(120)]
    await standin.phone.add_history(*of_friend, {"text": "x", "id": "OTHER", "from": OTHER, "t": long_ago})
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        await runner.stop()  # a login of the last minute does not survive a kill
    async with start(LIVE_SETTINGS=SETTINGS) as runner:
        await runner.wait_for_state("Connected")
        await async_until("a chunk", lambda: waiting(runner), bool, within=60, every=0.05)
        await runner.kill()
    async with start(LIVE_SETTINGS=SETTINGS) as runner:
        await runner.wait_for_state("Connected")
        await standin.phone.send(device, "now", id="NOW", **{"from": FRIEND})
        await async_until("all of it", lambda: waiting(runner), lambda count: count >= 6, within=60)
        await asyncio.sleep(2)
        assert 6 == await waiting(runner)
        log = "\n".join(runner.raw_lines)
        await runner.stop()

    found = chunks(folders)
    assert list(range(1, 6)) == [one.chunk for one in found]
    assert (100, ()) == (found[-1].progress, found[-1].messages)
    counts = Counter(message.id for one in found for message in one.messages)
    assert {**{f"H{one:03}": 1 for one in range(120)}, "OTHER": 1} == counts
    found_of_friend = [[m.id for m in one.messages] for one in found if one.person and one.person.wa_id == FRIEND]
    assert [f"H{one:03}" for one in range(120)] == [m for one in reversed(found_of_friend) for m in one]
    assert FRIEND not in log


async def test_who_is_typing(start: Start, standin: StandIn, mode: str) -> None:
    """A webhook that wants to know is told at once, and after a reload; nothing of it waits."""
    assert mode
    refused = 'whatsapp_runner_webhook_deliveries_total{code="refused",webhook="bot"}'
    only = LiveSettings(
        webhooks=(Webhook(name="bot", url=NOWHERE.url, format=NOWHERE.format, events=(WebhookEvent.PRESENCE,)),)
    )
    async with start(LIVE_SETTINGS=write_live_settings(only).decode()) as runner:
        device = await link(runner, standin)
        await ready(runner)
        await standin.phone.send(device, "hi", id="M1", **{"from": FRIEND})
        await asyncio.sleep(1)
        await standin.phone.presence(device, "composing", **{"from": FRIEND})
        await async_until("told", lambda: counted(runner, refused), lambda count: count == 1, within=30)
        async with runner.loading_anew():
            await standin.phone.reload(device)
        await asyncio.sleep(4)
        await standin.phone.presence(device, "unavailable", **{"from": FRIEND})
        await async_until("told again", lambda: counted(runner, refused), lambda count: count == 2, within=45)
        assert 0 == await waiting(runner)
        assert FRIEND not in "\n".join(runner.raw_lines)


async def counted(runner: RunnerProcess, name: str) -> float:
    """Give a sample that may not be there yet."""
    _, _, body = await runner.get("/metrics", scope=None)
    return sum(float(line.rpartition(" ")[2]) for line in body.decode().splitlines() if line.startswith(name + " "))
