"""Messages that are sent on, mentions and link previews, on the real page's functions."""

import base64
from typing import Any

from runner.sender import FRIEND, Sender
from standin.harness import StandIn

OTHER = "15550100778"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
IMAGE = {"type": "image", "mimetype": "image/png", "data": base64.b64encode(PNG).decode()}


async def send(sender: Sender, **body: Any) -> str:
    """Have it taken; gives the id."""
    status, document = await sender.v1("POST", json={"to": FRIEND} | body)
    assert 200 == status, document
    return str(document["id"])


async def send_on(sender: Sender, message: str, **more: Any) -> str:
    """Send a message on."""
    return await send(sender, type="forward", forward={"message_id": message}, **more)


async def test_a_message_is_sent_on(sender: Sender, standin: StandIn, mode: str) -> None:
    """From another chat, and one of our own, with its mark and under the id that was told; what is gone fails."""
    assert mode
    await sender.gets("Look at this", id="3AF0C767", **{"from": OTHER})
    first = await send_on(sender, "3AF0C767")
    await sender.becomes(first, "sent")
    again = await send_on(sender, first, to=OTHER)
    await sender.becomes(again, "sent")
    failed = await sender.becomes(await send_on(sender, "3AF0C768"), "failed")
    await standin.phone.revoke(sender.device, "3AF0C767", **{"from": OTHER})
    async with sender.runner.loading_anew():
        await sender.phone.reload(sender.device)
    await sender.becomes(await send_on(sender, "3AF0C767"), "failed")
    await sender.becomes(await send_on(sender, again), "sent")

    assert 131009 == failed["errorCode"]
    found = [
        (one["id"], one["to"], one["body"], one["forwarded"], one["score"], one.get("quoted"))
        for one in await sender.phone.messages(sender.device)
    ]
    assert [
        (first, f"{FRIEND}@c.us", "Look at this", True, 1, None),
        (again, f"{OTHER}@c.us", "Look at this", True, 2, None),
    ] == found[:2]
    assert (3, 3) == (len(found), found[2][4])


async def test_a_file_is_sent_on_while_it_can_be_had(sender: Sender, standin: StandIn, mode: str) -> None:
    """Also when its link has expired; one that the phone has no more is not sent."""
    assert mode
    await sender.gets("", id="P1", **{"from": OTHER}, **IMAGE)
    await standin.phone.expire_media()
    sent = await send_on(sender, "P1")
    await sender.becomes(sent, "sent")
    await standin.phone.expire_media(gone=True)
    async with sender.runner.loading_anew():
        await sender.phone.reload(sender.device)  # the page has it no more
    failed = await sender.becomes(await send_on(sender, "P1"), "failed")

    (message,) = await sender.phone.messages(sender.device)
    assert (sent, "image", "image/png", True, base64.b64encode(PNG).decode()) == tuple(
        message[name] for name in ("id", "kind", "mimetype", "forwarded", "data")
    )
    assert 131009 == failed["errorCode"]


async def test_mentions_and_previews_are_those_that_are_asked_for(sender: Sender, mode: str) -> None:
    """The page's own preview or the caller's; without a word of it neither."""
    assert mode
    body = f"Hi @{OTHER}, see https://example.com"
    preview = {"url": "https://example.com", "title": "Example", "description": "What it is"}
    for text in (
        {"body": body},
        {"body": body, "mentions": [f"+{OTHER}"]},
        {"body": body, "preview_url": True},
        {"body": body, "preview": preview, "preview_url": True},
        {"body": "No link", "preview_url": True},
    ):
        await sender.becomes(await send(sender, type="text", text=text), "sent")

    made = {"url": "https://example.com", "title": "A link", "description": "What is there"}
    expected = [(None, None), ([f"{OTHER}@c.us"], None), (None, made), (None, preview), (None, None)]
    found = await sender.phone.messages(sender.device)
    assert expected == [(one.get("mentioned"), one.get("preview")) for one in found]
    assert [body] * 4 + ["No link"] == [one["body"] for one in found]
