"""Other clients of the Cloud API than pywa, unmodified but for their base URL: they read, answer, react, and are refused.

Each by its own helpers; that nothing comes twice is shown by the phone, which counts what arrives.
"""

import asyncio
from typing import Any

import pytest
from heyoo import WhatsApp as Heyoo
from runner.sender import FRIEND, PHONE, Sender
from support.node_clients import NodeClients
from support.runner_process import TOKENS

THEIRS = "3AF0C767"
THUMB = "\N{THUMBS UP SIGN}"


@pytest.fixture(scope="session")
def node_clients() -> NodeClients:
    """The clients for Node, installed."""
    return NodeClients.install()


async def check(sender: Sender, *, reply: dict[str, Any], reaction: dict[str, Any], text: str) -> None:
    """Check that both arrived, once, under the ids that the client was told, and that the chat was marked before."""
    answer, mark = reply["messages"][0]["id"], reaction["messages"][0]["id"]
    await sender.becomes(answer, "sent")
    await sender.becomes(mark, "handed_over")
    arrived = await sender.phone.messages(sender.device)
    signals = await sender.phone.signals(sender.device)

    assert [(answer, text, THEIRS, 1)] == [
        (one["id"], one["body"], one["quoted"], one["arrival"]) for one in arrived if not one.get("target")
    ]
    assert [(THUMB, THEIRS)] == [(one["body"], one["target"]["id"]) for one in arrived if one.get("target")]
    assert ("read", THEIRS) in [(one["kind"], one.get("last")) for one in signals]


async def test_heyoo(sender: Sender) -> None:
    """It compares the status with 200."""
    client = Heyoo(TOKENS["send"], phone_number_id=PHONE)
    client.base_url = f"{sender.runner.url}/v14.0"
    client.v15_base_url = f"{sender.runner.url}/v15.0"
    client.url = f"{client.base_url}/{PHONE}/messages"
    await sender.gets("Are you there?", id=THEIRS)

    read = await asyncio.to_thread(client.mark_as_read, THEIRS)
    reply = await asyncio.to_thread(client.reply_to_message, THEIRS, FRIEND, "Hello from heyoo")
    reaction = await asyncio.to_thread(client.send_reaction, THUMB, THEIRS, FRIEND)
    refused = await asyncio.to_thread(client.send_template, "welcome", FRIEND, [])

    assert ({"success": True}, 132001) == (read, refused["error"]["code"])
    await check(sender, reply=reply, reaction=reaction, text="Hello from heyoo")


async def test_whatsapp_business(sender: Sender, node_clients: NodeClients) -> None:
    """It finds its number before, and is told by the code why a phone is not registered by it."""
    text = "Hello from whatsapp-business"
    await sender.gets("Are you there?", id=THEIRS)
    numbers, number, read, reply, reaction, refused = await node_clients.call(
        "whatsapp-business",
        ("getBusinessPhoneNumbers",),
        ("getSingleBusinessPhoneNumber", PHONE),
        ("markMessageAsRead", THEIRS),
        ("sendMessage", {"to": FRIEND, "type": "text", "text": {"body": text}, "context": {"message_id": THEIRS}}),
        ("sendMessage", {"to": FRIEND, "type": "reaction", "reaction": {"message_id": THEIRS, "emoji": THUMB}}),
        ("registerPhone", {"phoneNumberId": PHONE, "pin": "000000"}),
        url=sender.runner.url,
        phone=PHONE,
        token=TOKENS["send"],
    )

    assert ([number["answer"]], PHONE) == (numbers["answer"]["data"], number["answer"]["id"])
    assert ({"success": True}, 100) == (read["answer"], refused["code"])
    await check(sender, reply=reply["answer"], reaction=reaction["answer"], text=text)


async def test_kapso(sender: Sender, node_clients: NodeClients) -> None:
    """It lists its templates, of which there are none, and is told by the code why one is not sent."""
    text = "Hello from Kapso"
    to = {"phoneNumberId": PHONE, "to": f"+{FRIEND}"}
    template = {"name": "welcome", "language": {"code": "en"}}
    await sender.gets("Are you there?", id=THEIRS)
    templates, read, reply, reaction, refused = await node_clients.call(
        "@kapso/whatsapp-cloud-api",
        ("templates.list", {"businessAccountId": PHONE}),
        ("messages.markRead", {"phoneNumberId": PHONE, "messageId": THEIRS}),
        ("messages.sendText", to | {"body": text, "contextMessageId": THEIRS}),
        ("messages.sendReaction", to | {"reaction": {"messageId": THEIRS, "emoji": THUMB}}),
        ("messages.sendTemplate", to | {"template": template}),
        url=sender.runner.url,
        phone=PHONE,
        token=TOKENS["send"],
    )

    assert ([], {"success": True}, 132001) == (templates["answer"]["data"], read["answer"], refused["code"])
    await check(sender, reply=reply["answer"], reaction=reaction["answer"], text=text)
