"""A session keeps to its pace, and to what WhatsApp forbids it: first contacts later or not at all, replies at once."""

import json

from runner.conftest import Start
from runner.sender import Sender
from standin.harness import StandIn
from support.runner_process import link

NEW, OTHER = "15550100801", "15550100802"
ENDS = 1_900_000_000


async def test_a_first_contact_waits_and_a_reply_does_not(start: Start, standin: StandIn) -> None:
    """It goes in its turn, of which it tells; a next runner would go on with the same plan, by what is on the volume."""
    pacing = {"type": "Custom", "firstContacts": {"burst": 1, "interval": 3}}  # twice as slow after a link
    async with start(LIVE_SETTINGS=json.dumps({"pacing": pacing})) as runner:
        sender = Sender(runner, standin, await link(runner, standin))
        await sender.gets("Are you open?")
        first, second = [(await sender.send("Hello", to=to))[1]["messages"][0]["id"] for to in (NEW, OTHER)]
        reply = (await sender.send("Yes"))[1]["messages"][0]["id"]
        await sender.becomes(reply, "sent")
        _, waiting = await runner.get_json(f"/v1/messages/{second}", scope="send")
        await sender.becomes(second, "sent")

    assert ("accepted", "FirstContacts") == (waiting["status"], waiting["waiting"]["reason"])
    assert [first, reply, second] == [identifier for identifier, _, _ in await sender.arrived()]


async def test_a_time_lock_keeps_first_contacts_away_alone(sender: Sender, mode: str) -> None:
    """They are refused at once, with its end; a reply goes out; when the lock is over they are taken."""
    assert mode
    await sender.gets("Are you open?")
    await sender.phone.restrict(sender.device, kind="timelock", until=ENDS)
    await sender.runner.wait_for_state("Restricted", reason="TimeLock")
    refused, v1 = (
        await sender.send("Hello", to=NEW),
        await sender.v1("POST", json={"to": NEW, "type": "text", "text": {"body": "Hello"}}),
    )
    _, reply = await sender.send("Yes")
    await sender.becomes(reply["messages"][0]["id"], "sent")
    await sender.phone.restrict(sender.device, kind="none")
    await sender.runner.wait_for_state("Connected")
    _, taken = await sender.send("Hello", to=NEW)
    await sender.becomes(taken["messages"][0]["id"], "sent")

    assert (429, 131048) == (refused[0], refused[1]["error"]["code"])
    assert "until 2030-03-17T17:46:40Z" in refused[1]["error"]["error_data"]["details"]
    assert (429, "FirstContactsForbidden") == (v1[0], v1[1]["error"]["code"])
    assert ["Yes", "Hello"] == [text for _, text, _ in await sender.arrived()]
