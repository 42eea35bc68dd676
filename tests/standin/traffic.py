"""What a linked page says about messages, and what the server answers: one pure function for each frame.

`TRAFFIC` is the whole list. Every arrival of a message is noted, also the second one of the same id: whoever tries a
sender here sees each double that it makes.
"""

import base64
import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from standin import frames
from standin.account import Account
from standin.devices import AckMode, Acks, Device, SentMessage
from standin.effects import Effect, Send, SendLater
from standin.errors import MalformedRequestError
from standin.frames import Frame, PageId
from standin.people import Lookup, Person

__all__ = ["TRAFFIC", "Context", "release"]

SHOWN_BYTES = 64 * 1024
""" Files up to this size are shown by the phone with their content. """
LOOKUP_FAILED = 500


class Context(NamedTuple):
    """Whose frame it is."""

    page: PageId
    device: Device
    account: Account
    seconds: int


Handler = Callable[[Context, Frame], list[Effect]]


def _sent(at: Context, frame: Frame) -> list[Effect]:
    identifier, to = frame.get("id"), frame.get("to")
    if not isinstance(identifier, str) or not isinstance(to, str):
        raise MalformedRequestError("A sent message needs id and to.")
    device = at.device
    body = {key: value for key, value in frame.items() if key not in {"type", "id", "to", "media"}}
    if "media" in frame:
        medium = at.account.media.get(str(frame["media"]))
        body |= {"size": medium.size, "sha256": medium.sha256}
        shown = medium.head(SHOWN_BYTES)
        if shown is not None:
            body["data"] = base64.b64encode(shown).decode()
    device.sent.append(SentMessage(identifier=identifier, to=to, seconds=at.seconds, body=body))
    if not device.may_write(to):
        return [Send(at.page, frames.nack(identifier=identifier, code=Acks.code))]
    if device.acks.mode is not AckMode.REFUSED:
        device.correspondents.add(to)
    ack = Send(at.page, frames.ack(identifier=identifier, seconds=at.seconds))
    match device.acks.mode:
        case AckMode.WITHHELD:
            device.withheld.append(identifier)
            return []
        case AckMode.LATE:
            return [SendLater(*ack, device.acks.seconds)]
        case AckMode.REFUSED:
            return [Send(at.page, frames.nack(identifier=identifier, code=device.acks.code))]
    return [ack]


def release(at: Context) -> list[Effect]:
    """Acknowledge what was withheld."""
    withheld = dict.fromkeys(at.device.withheld)
    at.device.withheld.clear()
    return [Send(at.page, frames.ack(identifier=identifier, seconds=at.seconds)) for identifier in withheld]


def _stored(at: Context, frame: Frame) -> list[Effect]:
    at.device.mailbox.stored(str(frame.get("stanza")))
    return []


def _history_stored(at: Context, frame: Frame) -> list[Effect]:
    rest = at.device.history
    if rest and rest[0]["chunk"] == frame.get("chunk"):
        rest.pop(0)
    return [Send(at.page, rest[0])] if rest else []


def _queried(at: Context, frame: Frame) -> list[Effect]:
    query, wid = str(frame.get("query")), str(frame.get("wid"))
    at.device.lookups.append(wid)
    person, lookup = at.account.people.look_up(wid)
    match lookup:
        case Lookup.SILENT:
            return []
        case Lookup.FAILS:
            return [Send(at.page, frames.lookup_failed(query=query, code=LOOKUP_FAILED))]
    found = None if person is None else {"wid": f"{person.number}@c.us", "lid": person.lid, "byLid": person.by_lid}
    return [Send(at.page, frames.looked_up(query=query, found=found))]


def _profile_wanted(at: Context, frame: Frame) -> list[Effect]:
    person = at.account.people.find(str(frame.get("wid")))
    picture = None if person is None or person.picture is None else at.account.media.link(person.picture)
    about = None if person is None else person.about
    return [Send(at.page, frames.profile(query=str(frame.get("query")), picture=picture, about=about))]


def _profile_set(at: Context, frame: Frame) -> list[Effect]:
    given = {name: value for name, value in frame.items() if name != "type"}
    at.device.signals.append({"kind": "profile", **given})
    if "about" in given:
        own = at.account.people.find(at.device.number) or Person(number=at.device.number)
        at.account.people.add(dataclasses.replace(own, about=str(given["about"])))
    return []


def _media_wanted(at: Context, frame: Frame) -> list[Effect]:
    medium = str(frame.get("media"))
    return [Send(at.page, frames.media_link(medium=medium, link=at.account.media.link(medium)))]


def _signalled(at: Context, frame: Frame) -> list[Effect]:
    at.device.signals.append({name: value for name, value in frame.items() if name != "type"})
    return []


def _appeared(at: Context, frame: Frame) -> list[Effect]:
    at.device.note_presence(available=frame.get("available") is True)
    return []


TRAFFIC: dict[str, Handler] = {
    "send": _sent,
    "stored": _stored,
    "history-stored": _history_stored,
    "query-exists": _queried,
    "profile-wanted": _profile_wanted,
    "profile-set": _profile_set,
    "media-wanted": _media_wanted,
    "signal": _signalled,
    "presence": _appeared,
}
