"""Webhooks as other clients than pywa read them, unmodified; those that are written for Node are programs."""

import json
from typing import Any

import pytest
from heyoo import WhatsApp as Heyoo
from session_runner.messages.cloud_events import cloud_body
from session_runner.webhooks.signing import cloud_api_headers
from support.node_clients import NodeClients
from unit.runner.test_cloud_events import ACK, ADA, ALL, HELLO, OURS, REACTION, event

EVENTS = {"messaging": HELLO, "acks": ACK, "reactions": REACTION}


def body_of(name: str) -> bytes:
    """The bytes of one webhook."""
    data: Any = EVENTS[name]
    kinds: Any = {"messaging": "message", "acks": "ack", "reactions": "reaction"}
    body = cloud_body(event(data, kinds[name]), OURS, ALL)
    assert body is not None
    return body


async def call(client: str, *calls: tuple[Any, ...]) -> list[Any]:
    """Call a client for Node; gives the answers."""
    done = await NodeClients.install().call(client, *calls, url="", phone="", token="token")
    return [one["answer"] for one in done]


def test_heyoo_reads_a_text_and_a_status() -> None:
    """It takes the first of each list, and the name without asking whether there is one."""
    client = Heyoo("token", phone_number_id=OURS.phone_number_id)
    text, status = json.loads(body_of("messaging")), json.loads(body_of("acks"))

    assert ("messages", True, "text") == (
        client.changed_field(text),
        client.is_message(text),
        client.get_message_type(text),
    )
    assert (ADA.wa_id, "Ada", "Hello", HELLO.id) == (
        client.get_mobile(text),
        client.get_name(text),
        client.get_message(text),
        client.get_message_id(text),
    )
    assert (False, "delivered") == (client.is_message(status), client.get_delivery(status))


@pytest.mark.slow  # npm
@pytest.mark.timeout(600)
async def test_kapso_checks_and_reads() -> None:
    """The signature over the very bytes, and every event in its own terms."""
    body, secret = body_of("messaging"), "secret"
    header = cloud_api_headers(secret, body)["X-Hub-Signature-256"]
    good, bad, text, status, reaction = await call(
        "@kapso/whatsapp-cloud-api/server",
        ("verifySignature", {"appSecret": secret, "rawBody": body.decode(), "signatureHeader": header}),
        ("verifySignature", {"appSecret": "other", "rawBody": body.decode(), "signatureHeader": header}),
        *(("normalizeWebhook", json.loads(body_of(name))) for name in EVENTS),
    )

    assert (True, False) == (good, bad)
    assert [("Hello", "inbound")] == [(one["text"]["body"], one["kapso"]["direction"]) for one in text["messages"]], (
        text
    )
    assert [(ADA.wa_id, ADA.user_id)] == [(one["waId"], one["userId"]) for one in text["contacts"]]
    assert [(ACK.id, "delivered")] == [(one["id"], one["status"]) for one in status["statuses"]]
    assert [REACTION.emoji] == [one["reaction"]["emoji"] for one in reaction["messages"]]


@pytest.mark.slow  # npm
@pytest.mark.timeout(600)
async def test_whatsapp_business_gets_them() -> None:
    """Its server takes the handshake, and calls what its owner registered."""
    challenge, text, status = await call(
        "whatsapp-business/webhooks",
        ("verify", "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=token"),
        ("receive", body_of("messaging").decode()),
        ("receive", body_of("acks").decode()),
    )

    assert "1158201444" == challenge
    assert [("Hello", "Ada")] == [(one["message"]["text"]["body"], one["contact"]["profile"]["name"]) for one in text]
    assert [(ACK.id, "delivered")] == [(one["status"]["id"], one["status"]["status"]) for one in status]
