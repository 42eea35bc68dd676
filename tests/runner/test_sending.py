"""Texts go out as clients of the Cloud API send them: pywa, unmodified but for its base URL, and plain requests."""

import asyncio

import pytest
from pywa.errors import MessageUndeliverable, WhatsAppError
from runner.conftest import Start
from runner.sender import FRIEND, PHONE, Sender
from standin.harness import StandIn
from support.runner_process import Folders, link


async def test_pywa_sends_a_text(sender: Sender, mode: str) -> None:
    """One arrival under the id that it was told, and statuses up to read; what cannot be sent is an error that it knows."""
    assert mode
    client = sender.pywa()
    sent = await asyncio.to_thread(client.send_message, to=f"+{FRIEND}", text="Hello from pywa")
    await sender.becomes(sent.id, "sent")
    await sender.phone.receipt(sender.device, level=2)
    await sender.becomes(sent.id, "delivered")
    await sender.phone.receipt(sender.device, level=3)
    read = await sender.becomes(sent.id, "read")

    assert [(sent.id, "Hello from pywa", 1)] == await sender.arrived()
    assert ["accepted", "delivered", "handed_over", "read", "sent"] == sorted(read["times"])
    number = await asyncio.to_thread(client.get_business_phone_number)
    assert (PHONE, True) == (number.id, str(number.display_phone_number).startswith("1555010"))
    with pytest.raises(WhatsAppError, match="131051"):
        await asyncio.to_thread(client.request_location, to=FRIEND, text="Where?")
    await sender.phone.add_people({"number": "15550100803", "whatsapp": False})
    with pytest.raises(MessageUndeliverable):
        await asyncio.to_thread(client.send_message, to="15550100803", text="Nobody")


async def test_the_connection_may_be_away(sender: Sender) -> None:
    """A text is taken while the server is out of reach, and arrives once when it is back."""
    await sender.phone.unreachable(sender.device)
    await sender.runner.wait_for_state("Reconnecting", "Offline")
    status, answer = await sender.send("patient")
    await sender.phone.online(sender.device)
    identifier = answer["messages"][0]["id"]
    await sender.becomes(identifier, "sent")

    assert (200, [(identifier, "patient", 1)]) == (status, await sender.arrived())


async def test_a_killed_runner_loses_nothing(start: Start, standin: StandIn, folders: Folders) -> None:
    """What was answered is sent by the next one, once, in its order; the same key gets the same answer from it."""
    async with start() as runner:
        device = await link(runner, standin)
        await runner.stop()  # a login of the last minute does not survive a kill
    async with start() as runner:
        await runner.wait_for_state("Connected")
        sender = Sender(runner, standin, device)
        await standin.phone.unreachable(sender.device)
        await runner.wait_for_state("Reconnecting", "Offline")
        answers = [await sender.send(text, **{"Idempotency-Key": text}) for text in ("one", "two")]
        await runner.kill()
    await standin.phone.online(sender.device)
    async with start() as runner:
        sender = Sender(runner, standin, sender.device)
        again = await sender.send("two", **{"Idempotency-Key": "two"})
        other = await sender.send("three", **{"Idempotency-Key": "two"})
        ids = [answer["messages"][0]["id"] for _, answer in answers]
        for identifier in ids:
            await sender.becomes(identifier, "sent")
        log = "\n".join(runner.raw_lines)

    assert (answers[1], 422) == (again, other[0])
    assert [(ids[0], "one", 1), (ids[1], "two", 1)] == await sender.arrived()
    assert 0o600 == (folders.profile / "messages.sqlite").stat().st_mode & 0o777
    assert FRIEND not in log


async def test_nothing_is_sent_by_a_session_that_is_not_linked(start: Start, standin: StandIn) -> None:
    """It is refused with the code for that, and what waited when the phone unlinked is said to have failed."""
    async with start() as runner:
        sender = Sender(runner, standin, await link(runner, standin))
        await standin.phone.unreachable(sender.device)
        await runner.wait_for_state("Reconnecting", "Offline")
        _, waiting = await sender.send("too late")
        await runner.kill()
    await standin.phone.online(sender.device)
    await standin.phone.unlink(sender.device)
    async with start() as runner:
        sender = Sender(runner, standin, sender.device)
        failed = await sender.becomes(waiting["messages"][0]["id"], "failed")
        status, refusal = await sender.send("to nobody")

    assert 133010 == failed["errorCode"]
    assert (400, 133010) == (status, refusal["error"]["code"])
