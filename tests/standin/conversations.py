"""What people do to a linked device by messages: the commands behind `POST /phone/{device}/COMMAND` that concern them.

Each is a pure function, as in `controls.py`. What comes in goes through the device's mailbox, so that a page that is
away or dies gets it at its next login.
"""

import itertools
from collections.abc import Callable
from typing import Any

from standin import frames
from standin.bodies import decoded
from standin.devices import AckMode, Acks
from standin.effects import Effect, Send
from standin.errors import MalformedRequestError
from standin.exchange import Exchange
from standin.frames import DeviceId, Frame
from standin.traffic import release

__all__ = ["CONVERSATIONS", "Body", "Command", "message_frame"]

Body = dict[str, Any]
Command = Callable[[Exchange, DeviceId, Body], list[Effect]]

_ids = itertools.count(1)
_SOMEBODY = "15550100999"
_FILLING = b"The stand-in fills a file of any size with this line.\n"
_EXTRAS = ("mimetype", "filename", "quoted", "lat", "lng", "forwarded")
_STATES = ("composing", "recording", "paused", "available", "unavailable")


def message_frame(exchange: Exchange, body: Body) -> Frame:
    """Make the frame of a message: from somebody, or with `to` the owner's own from the phone."""
    frame = _content(exchange, body)
    # The id's form is the real one: who parses message ids meets nothing new.
    identifier = str(body.get("id") or f"3EB0{next(_ids):016X}")
    other = str(body.get("to") or body.get("from") or _SOMEBODY)
    person = exchange.account.people.find(other)
    if person is not None:
        other = person.address
        frame |= person.learned()
    if "to" in body:
        frame |= {"own": True}
    seconds = int(body.get("t", exchange.seconds()))
    return frames.message(identifier=identifier, sender=other, seconds=seconds, body=frame)


def _content(exchange: Exchange, body: Body) -> Frame:
    content: Frame = {"kind": body.get("type", "chat"), "body": str(body.get("text", ""))}
    content |= {name: body[name] for name in _EXTRAS if name in body}
    if body.get("ciphertext", False):
        return {"kind": "ciphertext", "body": ""}
    if "data" in body or "size" in body:
        medium = exchange.account.media.make(_bytes(body), size=body.get("size"))
        link = exchange.account.media.link(medium.identifier)
        return content | {"media": medium.identifier, "link": link, "size": medium.size, "sha256": medium.sha256}
    if not content["body"] and "lat" not in content:
        raise MalformedRequestError("A message needs text, or data with its mimetype.")
    return content


def _bytes(body: Body) -> bytes:
    if "data" not in body:
        return _FILLING
    return decoded(body["data"], "data")


def _bring(exchange: Exchange, device: DeviceId, frame: Frame) -> list[Effect]:
    kept = exchange.devices.get(device).mailbox.put(frame)
    page = exchange.page_of(device)
    return [] if page is None else [Send(page, kept)]


def send(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Send a message to the device: `text`, or `data` (base64) or a `size`, with `mimetype`, `filename` and `type`.

    With `to` it is the owner's own, written on the phone. With `ciphertext` it cannot be read until `fill`.
    """
    record, frame = exchange.devices.get(device), message_frame(exchange, body)
    sender = str(frame["from"])
    record.correspondents.add(sender if "@" in sender else f"{sender}@c.us")
    return _bring(exchange, device, frame)


def fill(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Send the content of a message, by its `id`, that came as ciphertext."""
    exchange.devices.get(device)
    if "id" not in body:
        raise MalformedRequestError("Filling needs the id of the message that came as ciphertext.")
    return send(exchange, device, body)


def edit(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Change a message: `target` its id, `text`; whose it is by `from` or `to`, as when it was sent."""
    return _about(exchange, device, body, kind="protocol", subtype="message_edit", text=str(body.get("text", "")))


def revoke(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Take a message back for everyone: `target` its id; whose it is by `from` or `to`."""
    return _about(exchange, device, body, kind="protocol", subtype="sender_revoke", text="")


def react(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """React to a message: `target` its id, `mine` whether the device's owner wrote it, `emoji` (empty takes it away)."""
    text = str(body.get("emoji", ""))
    return _about(exchange, device, body, kind="reaction", subtype=None, text=text, mine=bool(body.get("mine", False)))


def _about(
    exchange: Exchange,
    device: DeviceId,
    body: Body,
    *,
    kind: str,
    subtype: str | None,
    text: str,
    mine: bool | None = None,
) -> list[Effect]:
    exchange.devices.get(device)
    target = body.get("target")
    if not isinstance(target, str):
        raise MalformedRequestError("Name the message by its id: target.")
    # Only the author edits or revokes; anybody reacts to anything.
    whose = "to" in body if mine is None else mine
    frame = message_frame(exchange, {**body, "text": "-"})
    frame |= {"kind": kind, "subtype": subtype, "body": text, "target": {"id": target, "fromMe": whose}}
    return _bring(exchange, device, frame)


def receipt(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Receipt messages the page sent: `ids` (all of them if absent) at `level` 2 delivered, 3 read, 4 played."""
    sent = exchange.devices.get(device).sent
    wanted = body.get("ids") or [message.identifier for message in sent]
    level = body.get("level", 2)
    if level not in {2, 3, 4}:
        raise MalformedRequestError(f"level is 2 (delivered), 3 (read) or 4 (played), not {level!r}.")
    receivers: dict[str, dict[str, None]] = {}
    for message in sent:
        if message.identifier in wanted:
            receivers.setdefault(message.to, {})[message.identifier] = None
    if not receivers:
        raise MalformedRequestError("The page sent no such message. GET /phone/{device}/messages lists them.")
    brought = (frames.receipt(identifiers=list(ids), sender=to, level=level) for to, ids in receivers.items())
    return [effect for frame in brought for effect in _bring(exchange, device, frame)]


def acks(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Choose the server's answer to messages: `mode` given, withheld, late (`seconds`) or refused (`code`).

    `given` acknowledges what was withheld, too.
    """
    try:
        mode = AckMode(str(body.get("mode", AckMode.GIVEN)))
    except ValueError as error:
        raise MalformedRequestError(f"mode is one of {', '.join(AckMode)}, not {body['mode']!r}.") from error
    record = exchange.devices.get(device)
    record.acks = Acks(mode=mode, seconds=float(body.get("seconds", 0)), code=int(body.get("code", Acks.code)))
    page = exchange.page_of(device)
    return release(exchange.context(page, device)) if page is not None and mode is AckMode.GIVEN else []


def presence(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Let somebody (`from`) be seen: `state` composing, recording, paused, available or unavailable."""
    state = body.get("state", "composing")
    if state not in _STATES:
        raise MalformedRequestError(f"state is one of {', '.join(_STATES)}, not {state!r}.")
    # Nobody keeps it: a page that is away has missed it.
    return [Send(exchange.connected_page(device), frames.chat_state(sender=_address(exchange, body), state=state))]


def call(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Let somebody (`from`) call, by `video` or not, as `id`; with `ended` true they give up."""
    page, identifier = exchange.connected_page(device), str(body.get("id") or f"CALL{next(_ids):012X}")
    if body.get("ended", False):
        return [Send(page, frames.call_ended(identifier=identifier))]
    sender, seconds = _address(exchange, body), exchange.seconds()
    frame = frames.call(identifier=identifier, sender=sender, seconds=seconds, video=bool(body.get("video", False)))
    return [Send(page, frame)]


def _address(exchange: Exchange, body: Body) -> str:
    other = str(body.get("from") or _SOMEBODY)
    person = exchange.account.people.find(other)
    return other if person is None else person.address


CONVERSATIONS: dict[str, Command] = {
    "send": send,
    "fill": fill,
    "edit": edit,
    "revoke": revoke,
    "react": react,
    "receipt": receipt,
    "acks": acks,
    "presence": presence,
    "call": call,
}
