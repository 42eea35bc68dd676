"""The words that page and server exchange over the page's socket: JSON objects with a `type`.

The real page speaks an encrypted binary protocol; only its meaning is kept. One function per frame the server sends,
so that a wrong field is a type error here and not a silent nothing in the page. The page's own frames are few:
`hello` (see `Hello`), `paired`, `logout`, `link-code`, `ping`, and those about messages (`traffic.py`).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NewType, Self

from standin.errors import MalformedRequestError

__all__ = [
    "DeviceId",
    "Frame",
    "Hello",
    "LoadId",
    "PageId",
    "ack",
    "busy",
    "call",
    "call_ended",
    "chat_state",
    "code_entered",
    "dialog",
    "failure",
    "history",
    "link_code",
    "link_code_event",
    "logout",
    "looked_up",
    "lookup_failed",
    "media_link",
    "message",
    "nack",
    "needs_update",
    "pair_device",
    "pair_success",
    "passkey_required",
    "pong",
    "profile",
    "receipt",
    "refs_used_up",
    "screen_lock",
    "storage_failed",
    "stream_error",
    "success",
    "synced",
]

Frame = dict[str, Any]
DeviceId = NewType("DeviceId", str)
""" One linked companion, as the phone lists it. """
PageId = NewType("PageId", str)
""" One connection of one page; a reconnect is a new one. """
LoadId = NewType("LoadId", str)
""" One delivery of the document. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hello:
    """The page's first frame. With a device it is a login, without one a request for references to show as QR code."""

    load: LoadId
    profile: str
    """ Random, kept by the browser profile for ever, also across logouts. """
    noise_key: str
    """ Public key from localStorage; the first half of the login. """
    identity_key: str
    """ Public key from IndexedDB; the other half. """
    platform: str = ""
    device: DeviceId | None = None

    @classmethod
    def parse(cls, frame: Frame) -> Self:
        """Read the frame; MalformedRequestError names what is missing."""
        wanted = ("load", "profile", "noiseKey", "identityKey")
        missing = [name for name in wanted if not isinstance(frame.get(name), str)]
        if missing:
            raise MalformedRequestError(f"The hello of the page lacks {', '.join(missing)}.")
        device = frame.get("device")
        return cls(
            load=LoadId(frame["load"]),
            profile=frame["profile"],
            noise_key=frame["noiseKey"],
            identity_key=frame["identityKey"],
            platform=str(frame.get("platform", "")),
            device=DeviceId(device) if isinstance(device, str) and device else None,
        )


def pair_device(*, refs: Sequence[str], first_ref: float, next_ref: float) -> Frame:
    """References to show one after the other; times in seconds, milliseconds on the wire."""
    return {"type": "pair-device", "refs": list(refs), "firstTTL": first_ref * 1000, "nextTTL": next_ref * 1000}


def refs_used_up() -> Frame:
    """The round is over before its time (a test asked for it)."""
    return {"type": "refs-used-up"}


def pair_success(*, device: DeviceId, number: str) -> Frame:
    """The phone scanned the code: the page stores its login and answers `paired`."""
    return {"type": "pair-success", "device": device, "number": number}


def success(*, device: DeviceId, number: str) -> Frame:
    """The login was accepted."""
    return {"type": "success", "device": device, "number": number}


def synced() -> Frame:
    """The critical synchronisation is over."""
    return {"type": "synced"}


def stream_error(*, kind: str) -> Frame:
    """`restart` after pairing (515), `replaced` or `device_removed`."""
    return {"type": "stream-error", "kind": kind}


def failure(*, code: int, message: str = "", expire: int = 0, url: str = "", silent: bool = False) -> Frame:
    """The login, or the session, ends with an HTTP-like code: 401, 402, 403, 406, 405 or 503. `expire` in seconds.

    `silent`: the page shows its screen and triggers no event.
    """
    return {"type": "failure", "code": code, "message": message, "expire": expire, "url": url, "silent": silent}


def logout(*, reason: str) -> Frame:
    """The server ends the login for a reason of the page's own vocabulary (section 9 of the reference)."""
    return {"type": "logout", "reason": reason}


def needs_update() -> Frame:
    """A newer version of the page exists; nothing happens yet."""
    return {"type": "needs-update"}


def message(*, identifier: str, sender: str, seconds: int, body: dict[str, Any]) -> Frame:
    """An incoming message; `body` has kind, body, and for media the link and the facts of the file."""
    return {"type": "message", "id": identifier, "from": sender, "t": seconds, **body}


def history(*, chunk: int, progress: int, messages: Sequence[Frame]) -> Frame:
    """One piece of what the phone had before the linking; `progress` in percent, this piece included."""
    return {"type": "history", "chunk": chunk, "progress": progress, "messages": list(messages)}


def looked_up(*, query: str, found: dict[str, Any] | None) -> Frame:
    """The answer to a question about somebody: wid, lid and byLid, or None for nobody."""
    return {"type": "looked-up", "query": query, "found": found}


def lookup_failed(*, query: str, code: int) -> Frame:
    """The server could not answer a question about somebody."""
    return {"type": "lookup-failed", "query": query, "code": code}


def profile(*, query: str, picture: str | None, about: str | None) -> Frame:
    """What somebody shows: a link to their picture, and their about text."""
    return {"type": "profile", "query": query, "picture": picture, "about": about}


def media_link(*, medium: str, link: str | None) -> Frame:
    """A new link to a file, or None when the phone has it no more."""
    return {"type": "media-link", "media": medium, "link": link}


def nack(*, identifier: str, code: int) -> Frame:
    """The server refuses the page's message; 463 is the time lock on new chats."""
    return {"type": "nack", "id": identifier, "code": code}


def ack(*, identifier: str, seconds: int) -> Frame:
    """The server took the page's message (ack level 1)."""
    return {"type": "ack", "id": identifier, "t": seconds}


def receipt(*, identifiers: Sequence[str], sender: str, level: int) -> Frame:
    """The other side's receipt: 2 delivered, 3 read, 4 played."""
    return {"type": "receipt", "ids": list(identifiers), "from": sender, "level": level}


def link_code(*, code: str | None) -> Frame:
    """The eight characters to type on the phone; None: too many were asked for."""
    return {"type": "link-code", "code": code}


def link_code_event(*, kind: str) -> Frame:
    """What the page tells of its code: `refresh`, `manual-refresh` or `error`."""
    return {"type": "link-code-event", "kind": kind}


def dialog(*, kind: str) -> Frame:
    """A window over the page: `passkey`, `action-required` or `terms`."""
    return {"type": "dialog", "kind": kind}


def storage_failed(*, language: str) -> Frame:
    """The page's database fails from now on."""
    return {"type": "storage-failed", "language": language}


def chat_state(*, sender: str, state: str) -> Frame:
    """What the other side is doing: composing, recording, paused, available or unavailable."""
    return {"type": "chat-state", "from": sender, "state": state}


def call(*, identifier: str, sender: str, seconds: int, video: bool) -> Frame:
    """Somebody calls."""
    return {"type": "call", "id": identifier, "from": sender, "t": seconds, "video": video}


def call_ended(*, identifier: str) -> Frame:
    """The caller gave up."""
    return {"type": "call-ended", "id": identifier}


def code_entered() -> Frame:
    """A person typed the page's eight characters; the pairing follows."""
    return {"type": "code-entered"}


def passkey_required() -> Frame:
    """The account demands a passkey before it links."""
    return {"type": "passkey-required"}


def passkey_confirmation() -> Frame:
    """The passkey was given, and the owner is to confirm the link on the phone."""
    return {"type": "passkey-confirmation"}


def restriction(*, kind: str, until: float) -> Frame:
    """What the account may not do from now on: `timelock`, `capping`, or `none`; `until` in Unix seconds."""
    return {"type": "restriction", "kind": kind, "until": until}


def reload() -> Frame:
    """The page loads itself anew, as it does for an update."""
    return {"type": "reload"}


def pong() -> Frame:
    """The answer to `ping`, by which a page notices a connection that died silently."""
    return {"type": "pong"}


def busy(*, seconds: float) -> Frame:
    """The page computes and lets nobody in, as a large first synchronisation does."""
    return {"type": "busy", "seconds": seconds}


def screen_lock(*, locked: bool) -> Frame:
    """The user's own screen lock."""
    return {"type": "screen-lock", "locked": locked}
