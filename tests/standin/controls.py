"""What a person, or WhatsApp, can do to a linked device: the commands behind `POST /phone/{device}/COMMAND`.

Each is a pure function of the exchange, the device and the request's body, and returns the effects for its page. Where
that makes sense, the device may be `unlinked`: all pages without a login.
`COMMANDS` is the whole list, with those about messages from `conversations.py`; the API takes it from here.
"""

import dataclasses

from standin import frames
from standin.conversations import CONVERSATIONS, Body, Command
from standin.devices import Ban
from standin.errors import MalformedRequestError
from standin.exchange import UNAVAILABLE, Close, Effect, Exchange, Send, ban_frame
from standin.frames import DeviceId

__all__ = ["COMMANDS", "Command"]

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
    **CONVERSATIONS,
}
