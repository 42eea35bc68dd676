"""Messages each way over bad days: an hour without a runner, a page that loses everything, a server that says nothing."""

import time
from contextlib import AbstractAsyncContextManager

import pytest
from runner.conftest import Start
from runner.listener import Listener, ready
from runner.sender import FRIEND, Sender
from standin.client import PhoneClient
from standin.harness import StandIn
from support.runner_process import Folders, RunnerProcess, link, start_runner
from support.waiting import async_until

CHATS = ("15550100701", "15550100702", "15550100703")
HOUR = 3600
AN_HOUR_LATER = """
from datetime import UTC, datetime, timedelta
from session_protocol.steady_clock import SteadyClock
SteadyClock.__init__.__kwdefaults__["wall"] = lambda: datetime.now(UTC) + timedelta(hours=1)
"""
SHORT_SILENCE = """
from session_runner.messages import progress
progress.LONGEST_SILENCE = 3.0
"""
RUN = "import runpy; runpy.run_module('session_runner', run_name='__main__', alter_sys=True)"


def changed(folders: Folders, environment: dict[str, str], change: str) -> AbstractAsyncContextManager[RunnerProcess]:
    """Start a runner in which something was changed first."""
    return start_runner(folders, environment, program=("-c", change + RUN))


@pytest.mark.timeout(400)
async def test_a_suspended_hour_loses_and_doubles_nothing(
    start: Start, standin: StandIn, folders: Folders, environment: dict[str, str]
) -> None:
    """Numbered messages of three chats, written within an hour without a pod: each once, in its chat's order, marked late."""
    listener, phone = Listener(), standin.phone
    async with start() as runner:
        device = await link(runner, standin)
        await ready(runner)
        async with listener.listening(runner):
            await phone.send(device, "before", id="BEFORE", **{"from": CHATS[0]})
            await listener.hears(1)
        await runner.stop()
    began = int(time.time())
    for number in range(60):
        written = began + number * HOUR // 60
        await phone.send(device, f"{number}", id=f"M{number}", t=written, **{"from": CHATS[number % 3]})
    async with changed(folders, environment, AN_HOUR_LATER) as runner:
        await runner.wait_for_state("Connected")
        async with listener.listening(runner):
            await listener.hears(61, within=90)

    texts = listener.texts()
    numbers = [int(text) for text in texts[1:]]
    assert ("before", list(range(60))) == (texts[0], sorted(numbers))
    for chat in range(3):
        of_chat = [number for number in numbers if number % 3 == chat]
        assert sorted(of_chat) == of_chat
    late = {
        event["data"]["id"] for event in listener.events if event["type"] == "message" and event["data"].get("late")
    }
    assert {f"M{number}" for number in range(50)} <= late


async def returns(phone: PhoneClient, device: str) -> None:
    """Wait until the device's page is connected."""

    async def look() -> bool:
        return bool((await phone.device(device) or {})["connected"])

    await async_until("the page is connected", look, within=60)


@pytest.mark.timeout(400)
async def test_after_all_that_a_page_can_lose_a_message_goes_each_way(
    start: Start, standin: StandIn, mode: str
) -> None:
    """Its document, its link, and ten times its socket: then one message in, one out and its ack, each once."""
    assert mode
    listener, phone = Listener(), standin.phone
    async with start() as runner:
        device = await link(runner, standin)
        async with runner.loading_anew():
            await phone.reload(device)
        await phone.logout(device, reason="syncd_failure")
        await runner.wait_for_state("QRPending")
        device = await link(runner, standin)
        await ready(runner)
        for _ in range(10):
            await returns(phone, device)
            await phone.drop(device)
        await returns(phone, device)
        await runner.wait_for_state("Connected")
        sender = Sender(runner, standin, device)
        async with listener.listening(runner):
            await phone.send(device, "in", id="IN", **{"from": FRIEND})
            _, answer = await sender.send("out")
            identifier = answer["messages"][0]["id"]
            await sender.becomes(identifier, "sent")
            await listener.hears(1)
            await listener.hears(1, "ack")

    assert [(identifier, "out", 1)] == await sender.arrived()
    assert ([("message", "IN")], [("ack", identifier)]) == (listener.about(), listener.about("ack"))


async def test_a_server_that_says_nothing_is_noticed(
    standin: StandIn, folders: Folders, environment: dict[str, str], mode: str
) -> None:
    """The message stays accepted by us alone, never sent; the state says that it cannot send until an answer comes."""
    assert mode
    phone = standin.phone
    async with changed(folders, environment, SHORT_SILENCE) as runner:
        sender = Sender(runner, standin, await link(runner, standin))
        await phone.acks(sender.device, "withheld")
        _, answer = await sender.send("Hello?")
        silent = answer["messages"][0]["id"]
        await sender.becomes(silent, "handed_over")
        state = await runner.wait_for_state("Degraded", reason="MessagesUnanswered")
        status, found = await runner.get_json(f"/v1/messages/{silent}", scope="send")
        since = await runner.metric('whatsapp_runner_messages_oldest_timestamp_seconds{progress="handed_over"}')
        await phone.acks(sender.device, "given")
        _, answer = await sender.send("Anybody?")
        await sender.becomes(answer["messages"][0]["id"], "sent")
        await runner.wait_for_state("Connected")

        async def both() -> list[tuple[str, str, int]]:
            return await sender.arrived()

        await async_until("the second", both, lambda there: len(there) == 2, within=20)

    assert (200, "handed_over") == (status, found["status"])
    assert time.time() - 120 < since < time.time()
    assert "has not answered the messages" in state["message"]
