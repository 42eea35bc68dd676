"""Other clients of the Cloud API than pywa, unmodified but for their base URL: a text arrives, a refusal is understood."""

import asyncio
from typing import Any

import pytest
from heyoo import WhatsApp as Heyoo
from runner.sender import FRIEND, PHONE, Sender
from support.node_clients import NodeClients
from support.runner_process import TOKENS


@pytest.fixture(scope="session")
def node_clients() -> NodeClients:
    """The clients for Node, installed."""
    return NodeClients.install()


async def arrives(sender: Sender, answer: dict[str, Any], text: str) -> None:
    """Check that a text came to the phone, once, under the id that the client was told."""
    assert [FRIEND] == [contact["wa_id"] for contact in answer["contacts"]]
    identifier = answer["messages"][0]["id"]
    await sender.becomes(identifier, "sent")
    assert [(identifier, text, 1)] == await sender.arrived()


async def test_heyoo_sends_a_text(sender: Sender) -> None:
    """And is told by the code why a template is not sent."""
    client = Heyoo(TOKENS["send"], phone_number_id=PHONE)
    client.base_url = f"{sender.runner.url}/v14.0"
    client.v15_base_url = f"{sender.runner.url}/v15.0"
    client.url = f"{client.base_url}/{PHONE}/messages"

    answer = await asyncio.to_thread(client.send_message, "Hello from heyoo", FRIEND)
    refusal = await asyncio.to_thread(client.send_template, "welcome", FRIEND, [])

    assert 132001 == refusal["error"]["code"]
    await arrives(sender, answer, "Hello from heyoo")


async def test_whatsapp_business_sends_a_text(sender: Sender, node_clients: NodeClients) -> None:
    """It finds its number before, and is told by the code why a phone is not registered by it."""
    text = {"to": FRIEND, "type": "text", "text": {"body": "Hello from whatsapp-business"}}
    numbers, number, sent, refused = await node_clients.call(
        "whatsapp-business",
        ("getBusinessPhoneNumbers",),
        ("getSingleBusinessPhoneNumber", PHONE),
        ("sendMessage", text),
        ("registerPhone", {"phoneNumberId": PHONE, "pin": "000000"}),
        url=sender.runner.url,
        phone=PHONE,
        token=TOKENS["send"],
    )

    assert ([number["answer"]], PHONE) == (numbers["answer"]["data"], number["answer"]["id"])
    assert 100 == refused["code"]
    await arrives(sender, sent["answer"], "Hello from whatsapp-business")


async def test_kapso_sends_a_text(sender: Sender, node_clients: NodeClients) -> None:
    """It lists its templates, of which there are none, and is told by the code why one is not sent."""
    to = {"phoneNumberId": PHONE, "to": f"+{FRIEND}"}
    template = {"name": "welcome", "language": {"code": "en"}}
    templates, sent, refused = await node_clients.call(
        "@kapso/whatsapp-cloud-api",
        ("templates.list", {"businessAccountId": PHONE}),
        ("messages.sendText", to | {"body": "Hello from Kapso"}),
        ("messages.sendTemplate", to | {"template": template}),
        url=sender.runner.url,
        phone=PHONE,
        token=TOKENS["send"],
    )
    answer = sent["answer"]
    contacts = [{"wa_id": contact["waId"]} for contact in answer["contacts"]]

    assert [] == templates["answer"]["data"]
    assert 132001 == refused["code"]
    await arrives(sender, answer | {"contacts": contacts}, "Hello from Kapso")
