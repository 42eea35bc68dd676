"""What a person, or WhatsApp, can do to a linked device: the commands behind `POST /phone/{device}/COMMAND`.

Each is a pure function of the exchange, the device and the request's body, and returns the effects for its page. Where
that makes sense, the device may be `unlinked`: all pages without a login.
`COMMANDS` is the whole list; the API, the client and the documentation take it from here.
"""

import base64
import binascii
import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from standin import frames
from standin.devices import Ban
from standin.errors import MalformedRequestError
from standin.exchange import UNAVAILABLE, Close, Effect, Exchange, Send, ban_frame
from standin.frames import DeviceId

__all__ = ["COMMANDS", "Command"]

Body = dict[str, Any]
Command = Callable[[Exchange, DeviceId, Body], list[Effect]]

_ids = itertools.count(1)
_MEDIA = ("mimetype", "filename", "data")
_DIALOGS = ("passkey", "action-required", "terms")
_LANGUAGES = ("en", "de")
_RESTRICTIONS = ("timelock", "capping", "none")


def _cut(exchange: Exchange, device: DeviceId) -> list[Effect]:
    return [Close(page) for page in exchange.pages_of(device)]


def unlink(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Remove the device on the phone: its page forgets its login, now or when it comes back."""
    return exchange.unlink(device)


def offline(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Take the network away from the page's computer."""
    exchange.devices.subject(device).offline = True
    return _cut(exchange, device)


def unreachable(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Refuse the device's connections while its network works."""
    exchange.devices.subject(device).unreachable = True
    return _cut(exchange, device)


def online(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """End offline, unreachable, service-unavailable and a ban; the page finds out by itself."""
    record = exchange.devices.subject(device)
    record.offline = record.unreachable = record.unavailable = False
    record.ban = None
    return []


def drop(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Cut the connection once; the page may come back at once."""
    return [Close(exchange.connected_page(device))]


def replaced(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Act as if the same login had connected elsewhere."""
    page = exchange.connected_page(device)
    return [Send(page, frames.stream_error(kind="replaced")), Close(page)]


def ban(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Ban the account. code 402 (default) is temporary and lasts `expire` seconds; 403 locks it, 406 bans it.

    With `silent` true the page's screen alone tells it, no event.
    """
    code = body.get("code", 402)
    if code not in {402, 403, 406}:
        raise MalformedRequestError(f"code is 402 (temporary), 403 (locked) or 406 (banned), not {code!r}.")
    given = Ban(
        code=code,
        message=str(body.get("message", "")),
        expire=int(body.get("expire", 3600 if code == 402 else 0)),
        url=str(body.get("url", "")),
        silent=bool(body.get("silent", False)),
    )
    given = dataclasses.replace(given, until=exchange.seconds() + given.expire if given.expire else None)
    exchange.devices.subject(device).ban = given
    return [effect for page in exchange.pages_of(device) for effect in (Send(page, ban_frame(given)), Close(page))]


def service_unavailable(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Answer 503 to the device, until `online`; with `silent` true the page's screen alone tells it."""
    record = exchange.devices.subject(device)
    record.unavailable, record.silent = True, bool(body.get("silent", False))
    failure = frames.failure(code=UNAVAILABLE, silent=record.silent)
    return [effect for page in exchange.pages_of(device) for effect in (Send(page, failure), Close(page))]


def restrict(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Restrict the account: `kind` timelock, capping or none, `until` Unix seconds."""
    kind = body.get("kind", "timelock")
    if kind not in _RESTRICTIONS:
        raise MalformedRequestError(f"kind is one of {', '.join(_RESTRICTIONS)}, not {kind!r}.")
    frame = frames.restriction(kind=kind, until=float(body.get("until", 0)))
    exchange.devices.get(device).restriction = None if kind == "none" else frame
    return [Send(page, frame) for page in exchange.pages_of(device)]


def reload(exchange: Exchange, device: DeviceId, _body: Body) -> list[Effect]:
    """Let the page load itself anew."""
    return [Send(exchange.connected_page(device), frames.reload())]


def needs_update(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Announce a newer page. With `reload` true the running one is refused as too old, so it reloads at once."""
    page = exchange.connected_page(device)
    if body.get("reload", False):
        return [Send(page, frames.failure(code=405)), Close(page)]
    return [Send(page, frames.needs_update())]


def logout(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """End the login for a reason of the page's vocabulary, e.g. `account_locked` or `syncd_failure`."""
    page = exchange.connected_page(device)
    exchange.devices.remove(device)
    return [Send(page, frames.logout(reason=str(body.get("reason", "user_initiated")))), Close(page)]


def send(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Send a message to the device: `text`, or `data` (base64) with `mimetype`, `filename` and `type`."""
    record = exchange.devices.get(device)
    content: Body = {"type": body.get("type", "chat"), "body": str(body.get("text", ""))}
    if "data" in body:
        try:
            base64.b64decode(body["data"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise MalformedRequestError("data is not base64.") from error
        content |= {name: body[name] for name in _MEDIA if name in body}
    elif not content["body"]:
        raise MalformedRequestError("A message needs text, or data with its mimetype.")
    # The id's form is the real one: who parses message ids meets nothing new.
    frame = frames.message(
        identifier=str(body.get("id") or f"3EB0{next(_ids):016X}"),
        sender=str(body.get("from", "15550100999")),
        seconds=exchange.seconds(),
        body={"kind": content.pop("type"), **content},
    )
    page = exchange.page_of(device)
    if page is None:
        record.waiting.append(frame)
        return []
    return [Send(page, frame)]


def receipt(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Receipt messages the page sent: `ids` (all of them if absent) at `level` 2 delivered, 3 read, 4 played."""
    page = exchange.connected_page(device)
    sent = exchange.devices.get(device).sent
    wanted = body.get("ids") or [message.identifier for message in sent]
    level = body.get("level", 2)
    if level not in {2, 3, 4}:
        raise MalformedRequestError(f"level is 2 (delivered), 3 (read) or 4 (played), not {level!r}.")
    receivers = dict.fromkeys(message.to for message in sent if message.identifier in wanted)
    if not receivers:
        raise MalformedRequestError("The page sent no such message. GET /phone/{device}/messages lists them.")
    return [
        Send(
            page,
            frames.receipt(
                identifiers=[one.identifier for one in sent if one.to == to and one.identifier in wanted],
                sender=to,
                level=level,
            ),
        )
        for to in receivers
    ]


def sync_slow(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Let the device's next logins need `seconds` (default 30) until they are synchronised; 0 ends it."""
    exchange.devices.get(device).sync_seconds = float(body.get("seconds", 30)) or None
    return []


def dialog(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Open a window over the page: `kind` passkey, action-required (the notice of what is new) or terms."""
    kind = body.get("kind", "action-required")
    if kind not in _DIALOGS:
        raise MalformedRequestError(f"kind is one of {', '.join(_DIALOGS)}, not {kind!r}.")
    return [Send(exchange.connected_page(device), frames.dialog(kind=kind))]


def busy(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Let the page compute for `seconds` (default 10), so that it answers nobody."""
    return [Send(exchange.connected_page(device), frames.busy(seconds=float(body.get("seconds", 10))))]


def storage_failed(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Let the page's database fail, in words of `language` en or de; with `stream` false it loses its connection, too."""
    language, page = body.get("language", "en"), exchange.connected_page(device)
    if language not in _LANGUAGES:
        raise MalformedRequestError(f"language is one of {', '.join(_LANGUAGES)}, not {language!r}.")
    failed = Send(page, frames.storage_failed(language=language))
    if body.get("stream", True):
        return [failed]
    exchange.devices.get(device).unreachable = True
    return [failed, Close(page)]


def screen_lock(exchange: Exchange, device: DeviceId, body: Body) -> list[Effect]:
    """Lock the page's screen as its user can; `locked` false opens it."""
    return [Send(exchange.connected_page(device), frames.screen_lock(locked=bool(body.get("locked", True))))]


COMMANDS: dict[str, Command] = {
    "unlink": unlink,
    "offline": offline,
    "online": online,
    "unreachable": unreachable,
    "drop": drop,
    "send": send,
    "receipt": receipt,
    "replaced": replaced,
    "ban": ban,
    "service-unavailable": service_unavailable,
    "restrict": restrict,
    "reload": reload,
    "needs-update": needs_update,
    "logout": logout,
    "sync-slow": sync_slow,
    "dialog": dialog,
    "busy": busy,
    "storage-failed": storage_failed,
    "screen-lock": screen_lock,
}
