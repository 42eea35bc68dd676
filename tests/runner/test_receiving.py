"""Messages come in as events: once each, in the order of their chat, whatever the page, its phone or the runner do."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from runner.conftest import Start
from runner.sender import Sender
from standin.harness import StandIn
from support.runner_process import TOKENS, RunnerProcess, link
from support.waiting import async_until

FRIEND = "15550100777"
FROM = {"from": FRIEND}


class Listener:
    """Somebody who reads the stream of events, and comes again with the last id."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.last: str | None = None

    @contextlib.asynccontextmanager
    async def listening(self, runner: RunnerProcess) -> AsyncIterator[None]:
        """Read while the body runs."""
        headers = {"Authorization": f"Bearer {TOKENS['send']}"}
        if self.last is not None:
            headers["Last-Event-ID"] = self.last
        async with runner.client.get(f"{runner.url}/v1/events", headers=headers) as answer:
            assert (200, "text/event-stream") == (answer.status, answer.content_type)
            reading = asyncio.create_task(self._read(answer.content))
            try:
                yield
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, content: Any) -> None:
        async for line in content:
            name, _, value = line.decode().strip().partition(": ")
            if name == "id":
                self.last = value
            if name == "data":
                self.events.append(json.loads(value))

    def about(self, *kinds: str) -> list[tuple[str, str]]:
        """Give kind and id of the events about messages."""
        wanted = kinds or ("message", "message.edited", "message.deleted", "reaction")
        return [(event["type"], event["data"]["id"]) for event in self.events if event["type"] in wanted]

    def texts(self) -> list[str]:
        """Give the texts of the messages."""
        return [event["data"]["content"]["text"]["body"] for event in self.events if event["type"] == "message"]

    async def hears(self, count: int, *kinds: str, within: float = 30) -> None:
        """Wait for so many events about messages."""

        async def look() -> int:
            return len(self.about(*kinds))

        await async_until(f"{count} events", look, lambda found: found >= count, within=within)
        await asyncio.sleep(1.0)  # no more of them


async def ready(runner: RunnerProcess) -> None:
    """Wait until the first synchronisation is over: what comes before may be history."""
    await asyncio.sleep(6)
    assert runner


async def test_each_message_is_published_once(start: Start, standin: StandIn, mode: str) -> None:
    """Texts, changes and reactions; of one second, late with an older time, and what could not be read at first."""
    assert mode
    await standin.phone.add_history({"text": "old", "id": "OLD", "from": FRIEND, "t": int(time.time()) - 60})
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        phone, listener, now = standin.phone, Listener(), int(time.time())
        async with listener.listening(runner):
            for number in (1, 2):
                await phone.send(device, f"text {number}", id=f"T{number}", t=now, **FROM)
            await phone.send(device, "late", id="LATE", t=now - 3600, **FROM)
            await phone.send(device, "mine", id="MINE", to=FRIEND)
            await phone.send(device, "", id="C1", ciphertext=True, **FROM)
            await phone.send(device, "after", id="AFTER", quoted="T1", **FROM)
            await phone.fill(device, "filled", identifier="C1", **FROM)
            await listener.hears(6)
            await phone.edit(device, "T1", "text 1, edited", **FROM)
            await phone.revoke(device, "T2", **FROM)
            await phone.react(device, "MINE", "👍", mine=True, **FROM)
            await listener.hears(9)
            await phone.react(device, "MINE", "", mine=True, **FROM)
            await listener.hears(10)
            sender, ada = Sender(runner, standin, device), listener.events[-1]["data"]["person"]["userId"]
            sent = await sender.by_pywa("send_message", to=ada, text="An answer")
            await sender.becomes(sent.id, "sent")
            await phone.reload(device)
            await runner.wait_for_state("Connected")
            await asyncio.sleep(4)
        found = listener.about()
        by_id = {event["data"]["id"]: event for event in listener.events if event["type"] == "message"}

    assert {("message", one) for one in ("T1", "T2", "LATE", "MINE", "C1", "AFTER")} == set(found[:6])
    assert {("message.edited", "T1"), ("message.deleted", "T2"), ("reaction", "MINE")} == set(found[6:9])
    assert [("reaction", "MINE")] == found[9:]
    assert {"late": True} == {key: by_id["LATE"]["data"].get(key) for key in ("late",)}
    assert "filled" == by_id["C1"]["data"]["content"]["text"]["body"]
    assert {"id": "T1"} == by_id["AFTER"]["data"]["context"]
    assert [("ack", sent.id)] == listener.about("ack")
    assert by_id["MINE"]["data"]["own"]
    assert FRIEND == by_id["T1"]["data"]["person"]["waId"]


@pytest.mark.timeout(400)
async def test_a_killed_runner_loses_and_doubles_nothing(start: Start, standin: StandIn) -> None:
    """Killed again and again while messages come in: each is told once, in the order of its chat."""
    listener, sent = Listener(), 0
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        await runner.stop()  # a login of the last minute does not survive a kill
    chats = ("15550100701", "15550100702", "15550100703")
    for kill_after in (0.3, 0.05, 0.8):
        async with start() as runner:
            await runner.wait_for_state("Connected")
            async with listener.listening(runner):
                for _ in range(8):
                    await standin.phone.send(device, f"{sent}", id=f"M{sent}", **{"from": chats[sent % 3]})
                    sent += 1
                await asyncio.sleep(kill_after)
                await runner.kill()
    async with start() as runner:
        await runner.wait_for_state("Connected")
        async with listener.listening(runner):
            await listener.hears(sent, within=60)
        log = "\n".join(runner.raw_lines)

    numbers = [int(text) for text in listener.texts()]
    assert sorted(numbers) == list(range(sent))
    for chat in range(3):
        of_chat = [number for number in numbers if number % 3 == chat]
        assert sorted(of_chat) == of_chat
    assert not [one for one in (*chats, FRIEND) if one in log]
