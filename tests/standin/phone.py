"""The phone's API: what tests, demo and people do to the stand-in, as plain HTTP with a bearer token.

Thin: it reads the request, asks the exchange or a command of `controls.py`, carries out the effects and answers JSON.
Every refusal is `{"error": REASON, "message": what to do}` with the status of its error class.
"""

import hmac
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from aiohttp import web

from standin.bodies import json_body
from standin.controls import COMMANDS
from standin.documents import Documents
from standin.errors import MalformedRequestError, PageAbsentError, PhoneError
from standin.exchange import Effect, Exchange
from standin.frames import DeviceId
from standin.loads import LoadLedger
from standin.phone_account import AccountCalls
from standin.settings import Language, QrForm, Variant
from standin.sockets import Switchboard
from standin.windows import Act, Windows

__all__ = ["PhoneApi"]

CONFIRMATION_SECONDS = 15.0
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Choice = TypeVar("_Choice", bound=StrEnum)


class Saver(Protocol):
    """Writes the list of devices where a restart finds it."""

    def __call__(self) -> None: ...


class PhoneApi:
    """The phone as an aiohttp application."""

    def __init__(
        self,
        *,
        token: str,
        exchange: Exchange,
        switchboard: Switchboard,
        loads: LoadLedger,
        documents: Documents,
        windows: Windows,
        save: Saver,
    ) -> None:
        self._token = token
        self._exchange = exchange
        self._switchboard = switchboard
        self._loads = loads
        self._documents = documents
        self._windows = windows
        self._save = save

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._explain, self._authorise])
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/loads", self._get_loads)
        app.router.add_get("/phone/devices", self._get_devices)
        app.router.add_post("/phone/scan", self._scan)
        app.router.add_post("/phone/enter-code", self._enter_code)
        app.router.add_post("/phone/pairing-codes", self._pairing_codes)
        app.router.add_post("/phone/qr-expire", self._qr_expire)
        app.router.add_post("/phone/passkey", self._passkey)
        app.router.add_post("/page/variant", self._set_variant)
        app.router.add_post("/page/reload", self._act("reload"))
        app.router.add_post("/page/other-tab", self._act("other-tab"))
        AccountCalls(self._exchange).add_to(app)
        app.router.add_post("/phone/{device}/{command}", self._command)
        return app

    @web.middleware
    async def _explain(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except PhoneError as error:
            return _refusal(status=error.status, reason=error.reason, message=str(error))
        except web.HTTPException as error:
            if error.status == web.HTTPNotFound.status_code:
                message = f"{request.method} {request.path} is no call of the phone. docs/design/standin.md lists them."
                return _refusal(status=error.status, reason="UnknownCall", message=message)
            return _refusal(status=error.status, reason=type(error).__name__.removeprefix("HTTP"), message=error.reason)

    @web.middleware
    async def _authorise(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if request.path != "/healthz" and not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            message = "Send the header `Authorization: Bearer TOKEN` with the token the stand-in was started with."
            return _refusal(status=401, reason="Unauthorized", message=message)
        return await handler(request)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _get_loads(self, _request: web.Request) -> web.Response:
        return web.json_response(self._loads.to_json())

    async def _get_devices(self, _request: web.Request) -> web.Response:
        return web.json_response({"devices": [self._describe(device.identifier) for device in self._exchange.devices]})

    async def _scan(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        text = body.get("qr")
        if not isinstance(text, str):
            raise MalformedRequestError('Send {"qr": TEXT} with the text of the page\'s data-ref.')
        if body.get("passkey", False):
            self._switchboard.carry_out(self._exchange.scan_with_passkey(text))
            return web.json_response({"device": None})
        seconds, number = body.get("syncSeconds"), body.get("number")
        scanned = self._exchange.scan(
            text,
            sync_seconds=None if seconds is None else float(seconds),
            number=None if number is None else str(number),
        )
        return await self._confirm(*scanned)

    async def _enter_code(self, request: web.Request) -> web.Response:
        code = (await json_body(request)).get("code")
        if not isinstance(code, str):
            raise MalformedRequestError('Send {"code": TEXT} with the eight characters the page got.')
        return await self._confirm(*self._exchange.enter_code(code))

    async def _pairing_codes(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        self._exchange.refused_codes = int(body.get("refuse", 0))
        kind = body.get("event")
        if kind not in (None, "refresh", "manual-refresh", "error"):
            raise MalformedRequestError(f"event is refresh, manual-refresh or error, not {kind!r}.")
        effects = [] if kind is None else self._exchange.announce_codes(kind)
        self._switchboard.carry_out(effects)
        return web.json_response({"pages": len(effects)})

    async def _confirm(self, device: DeviceId, effects: list[Effect]) -> web.Response:
        self._switchboard.carry_out(effects)
        if not await self._switchboard.confirmation(device, seconds=CONFIRMATION_SECONDS):
            self._exchange.abandon(device)
            raise PageAbsentError(
                f"The page did not store its login within {CONFIRMATION_SECONDS:g} s. Read its code anew and scan that."
            )
        return web.json_response({"device": device})

    async def _passkey(self, request: web.Request) -> web.Response:
        match (await json_body(request)).get("step"):
            case "link":
                return await self._confirm(*self._exchange.link_with_passkey())
            case "confirm":
                effects = self._exchange.confirm_passkey()
            case "end":
                effects = self._exchange.end_passkey()
            case step:
                raise MalformedRequestError(f"step is confirm, link or end, not {step!r}.")
        self._switchboard.carry_out(effects)
        return web.json_response({"pages": len(effects)})

    async def _qr_expire(self, _request: web.Request) -> web.Response:
        effects = self._exchange.expire_round()
        self._switchboard.carry_out(effects)
        return web.json_response({"pages": len(effects)})

    async def _set_variant(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        if "variant" in body:
            self._documents.variant = _choice(Variant, body["variant"])
        if "qrForm" in body:
            self._documents.qr_form = _choice(QrForm, body["qrForm"])
        if "language" in body:
            self._documents.language = _choice(Language, body["language"])
        if "heavy" in body:
            self._documents.heavy = int(body["heavy"])
        if "delay" in body:
            self._documents.set_delay(float(body["delay"]))
        return web.json_response({"variant": self._documents.variant, "qrForm": self._documents.qr_form})

    def _act(self, act: Act) -> _Handler:
        async def handle(_request: web.Request) -> web.StreamResponse:
            return web.json_response({"pages": await self._windows.act(act)})

        return handle

    async def _command(self, request: web.Request) -> web.Response:
        name, device = request.match_info["command"], DeviceId(request.match_info["device"])
        command = COMMANDS.get(name)
        if command is None:
            raise MalformedRequestError(f"{name!r} is no command. The commands: {', '.join(COMMANDS)}.")
        self._switchboard.carry_out(command(self._exchange, device, await json_body(request)))
        self._save()
        return web.json_response({"device": device, "command": name})

    def _describe(self, identifier: DeviceId) -> dict[str, Any]:
        device = self._exchange.devices.get(identifier)
        return {
            "id": device.identifier,
            "number": device.number,
            "platform": device.platform,
            "linkedTime": device.linked_time,
            "connected": self._exchange.page_of(identifier) is not None,
            "offline": device.offline,
            "unreachable": device.unreachable,
            "unavailable": device.unavailable,
            "available": device.available,
            "timesAvailable": device.times_available,
            "banned": device.ban.code if device.ban else None,
            "waitingMessages": len(device.mailbox),
        }


def _refusal(*, status: int, reason: str, message: str) -> web.Response:
    return web.json_response({"error": reason, "message": message}, status=status)


def _choice(kind: type[_Choice], value: object) -> _Choice:
    try:
        return kind(str(value))
    except ValueError as error:
        raise MalformedRequestError(f"{value!r} is none of {', '.join(kind)}.") from error
