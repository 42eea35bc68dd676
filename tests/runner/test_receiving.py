"""Messages come in as events: once each, in the order of their chat, whatever the page, its phone or the runner do."""

import asyncio
import time

import pytest
from runner.conftest import Start
from runner.listener import Listener, ready
from runner.sender import Sender
from standin.harness import StandIn
from support.runner_process import link

FRIEND = "15550100777"
FROM = {"from": FRIEND}


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
            async with runner.loading_anew():
                await phone.reload(device)
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
