"""What is no plain text, as pywa's own helpers send it, on the real page's functions."""

from runner.sender import FRIEND, Sender

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
