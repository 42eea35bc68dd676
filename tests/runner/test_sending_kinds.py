"""What is no plain text, as pywa's own helpers send it, on the real page's functions."""

from typing import Any

import pytest
from pywa.errors import WhatsAppError
from pywa.types.others import Contact
from runner.sender import FRIEND, Sender
from support.waiting import async_until

CHAT = f"{FRIEND}@c.us"


async def test_a_reply_shows_what_it_answers(sender: Sender, mode: str) -> None:
    """A message of somebody else, and one of our own."""
    assert mode
    await sender.gets("Are you there?", id="3AF0C767")
    reply = await sender.by_pywa("send_message", to=FRIEND, text="Yes", reply_to_message_id="3AF0C767")
    await sender.becomes(reply.id, "sent")
    second = await sender.by_pywa("send_message", to=FRIEND, text="As I said", reply_to_message_id=reply.id)
    await sender.becomes(second.id, "sent")

    sent = await sender.phone.messages(sender.device)
    assert [("Yes", "3AF0C767"), ("As I said", reply.id)] == [(one["body"], one["quoted"]) for one in sent]


async def test_pywa_reacts_and_takes_it_back(sender: Sender, mode: str) -> None:
    """Once each, also when the same is asked for again; to what is not there it is an error that pywa knows."""
    assert mode
    await sender.gets("Are you there?", id="3AF0C767")
    for emoji in ("\U0001f44d", "\U0001f44d", "\u2764\ufe0f"):
        sent = await sender.by_pywa("send_reaction", to=FRIEND, emoji=emoji, message_id="3AF0C767")
        await sender.becomes(sent.id, "handed_over")
    gone = await sender.by_pywa("remove_reaction", to=FRIEND, message_id="3AF0C767")
    await sender.becomes(gone.id, "handed_over")
    with pytest.raises(WhatsAppError, match="131009"):
        await sender.by_pywa("send_reaction", to=FRIEND, emoji="x", message_id="3AF0C768")

    reactions = [(one["to"], one["body"], one["target"]) for one in await sender.phone.messages(sender.device)]
    target = {"id": "3AF0C767", "fromMe": False}
    assert [(CHAT, emoji, target) for emoji in ("\U0001f44d", "\u2764\ufe0f", "")] == reactions


async def test_pywa_marks_as_read_and_types(sender: Sender, mode: str) -> None:
    """At once, or when the connection is back."""
    assert mode
    await sender.gets("One", id="3AF0C767")
    assert (await sender.by_pywa("mark_message_as_read", "3AF0C767")).success
    await sender.gets("Two", id="3AF0C768")
    assert (await sender.by_pywa("indicate_typing", "3AF0C768")).success
    with pytest.raises(WhatsAppError, match="131009"):
        await sender.by_pywa("mark_message_as_read", "3AF0C769")
    await sender.gets("Three", id="3AF0C770")
    await sender.phone.unreachable(sender.device)
    await sender.runner.wait_for_state("Reconnecting", "Offline")
    assert (await sender.by_pywa("mark_message_as_read", "3AF0C770")).success
    await sender.phone.online(sender.device)

    def last(signals: list[dict[str, Any]]) -> bool:
        return signals[-1].get("last") == "3AF0C770"

    signals = await async_until("it is marked", lambda: sender.phone.signals(sender.device), last, within=60)
    assert [("read", "3AF0C767"), ("read", "3AF0C768"), ("composing", None), ("read", "3AF0C770")] == [
        (one["kind"], one.get("last")) for one in signals
    ]


async def test_pywa_sends_a_place_and_cards(sender: Sender, mode: str) -> None:
    """As replies, too; one card and several have forms of their own."""
    assert mode
    await sender.gets("Where?", id="3AF0C767")
    ada, grace = (
        Contact(name=Contact.Name(formatted_name=name, first_name=name), phones=[Contact.Phone(phone=f"+{FRIEND}")])
        for name in ("Ada", "Grace")
    )
    place = {"latitude": 52.5, "longitude": 13.4, "name": "Here", "address": "Unter den Linden"}
    sent = [
        await sender.by_pywa("send_location", to=FRIEND, **place, reply_to_message_id="3AF0C767"),
        await sender.by_pywa("send_contact", to=FRIEND, contact=ada),
        await sender.by_pywa("send_contact", to=FRIEND, contact=[ada, grace], reply_to_message_id="3AF0C767"),
    ]
    for message in sent:
        await sender.becomes(message.id, "sent")

    where, one, both = await sender.phone.messages(sender.device)
    assert (52.5, 13.4, "Here\nUnter den Linden") == (where["lat"], where["lng"], where["location"])
    assert ("vcard", "Ada", "FN:Ada") == (one["kind"], one["name"], one["body"].split("\n")[3])
    assert ("multi_vcard", ["Ada", "Grace"]) == (both["kind"], [card["displayName"] for card in both["vcards"]])
    assert ["3AF0C767", None, "3AF0C767"] == [message.get("quoted") for message in (where, one, both)]


async def test_a_text_is_edited_and_taken_back(sender: Sender, mode: str) -> None:
    """By the routes of our own, once each and in their order; nothing is done to what is not there."""
    assert mode
    await sender.phone.add_people({"number": "15550100803", "whatsapp": False})
    body = {"to": FRIEND, "type": "text", "text": {"body": "Helo"}}
    _, text = await sender.v1("POST", json=body)
    await sender.becomes(text["id"], "sent")
    _, edit = await sender.v1("PATCH", f"/{text['id']}", json={"text": {"body": "Hello"}})
    await sender.becomes(edit["id"], "handed_over")
    _, deletion = await sender.v1("DELETE", f"/{text['id']}")
    await sender.becomes(deletion["id"], "handed_over")
    _, late = await sender.v1("PATCH", f"/{text['id']}", json={"text": {"body": "Too late"}})
    failed = await sender.becomes(late["id"], "failed")

    target = {"id": text["id"], "fromMe": True}
    assert [("Helo", None, None), ("Hello", "message_edit", target), ("", "sender_revoke", target)] == [
        (one["body"], one.get("subtype"), one.get("target")) for one in await sender.phone.messages(sender.device)
    ]
    assert 131009 == failed["errorCode"]
    status, problem = await sender.v1("POST", json=body | {"to": "15550100803"})
    assert (404, "NotOnWhatsApp") == (status, problem["error"]["code"])
