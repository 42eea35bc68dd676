"""The phone for Python callers: tests, the demo and benchmarks hold one of these and never build a request themselves."""

import types
from typing import Any, Self

import aiohttp

from standin.client_messages import MessagesClient
from standin.settings import Language, QrForm, Variant

__all__ = ["PhoneClient", "PhoneRefusedError"]

_TIMEOUT = aiohttp.ClientTimeout(total=30)


class PhoneRefusedError(Exception):
    """The phone answered with an error; the message is the phone's own and says what to do."""

    def __init__(self, *, status: int, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.status = status
        self.reason = reason


class PhoneClient(MessagesClient):
    """Speaks to the phone's API. Use it as an async context manager, or call `close`."""

    def __init__(self, *, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def scan(self, qr: str, *, sync_seconds: float | None = None, number: str | None = None) -> str:
        """Link the page that shows this text; returns the device once the page has stored its login.

        `sync_seconds` prolongs every synchronisation of the device, the first one included; `number` is the account's.
        """
        given = {"qr": qr, "syncSeconds": sync_seconds, "number": number}
        body = {key: value for key, value in given.items() if value is not None}
        answer = await self._call("POST", "/phone/scan", body)
        return str(answer["device"])

    async def scan_with_passkey(self, qr: str) -> None:
        """Scan for an account that demands a passkey: the page stops at that question."""
        await self._call("POST", "/phone/scan", {"qr": qr, "passkey": True})

    async def confirm_passkey(self) -> None:
        """Give the passkey, so that the page wants the link confirmed."""
        await self._call("POST", "/phone/passkey", {"step": "confirm"})

    async def end_passkey(self) -> None:
        """Give up the passkey, so that the page shows codes again."""
        await self._call("POST", "/phone/passkey", {"step": "end"})

    async def link_with_passkey(self) -> str:
        """Link the page that asked for a passkey; returns the device."""
        return str((await self._call("POST", "/phone/passkey", {"step": "link"}))["device"])

    async def enter_code(self, code: str) -> str:
        """Type the eight characters of a page that links by phone number; returns the device."""
        return str((await self._call("POST", "/phone/enter-code", {"code": code}))["device"])

    async def refuse_codes(self, count: int) -> None:
        """Refuse so many requests for a pairing code, as after too many attempts."""
        await self._call("POST", "/phone/pairing-codes", {"refuse": count})

    async def announce_codes(self, event: str) -> None:
        """Have unlinked pages tell of their pairing codes: `refresh`, `manual-refresh` or `error`."""
        await self._call("POST", "/phone/pairing-codes", {"event": event})

    async def devices(self) -> list[dict[str, Any]]:
        """List the linked devices: id, number, platform, linkedTime (epoch seconds), connected, offline and so on."""
        answer = await self._call("GET", "/phone/devices")
        return list(answer["devices"])

    async def device(self, device: str) -> dict[str, Any] | None:
        """Give one entry of the list, or None."""
        return next((one for one in await self.devices() if one["id"] == device), None)

    async def loads(self) -> dict[str, Any]:
        """Give the ledger of document loads: total, byDevice, byProfile, loads (id, time, variant, profile, device)."""
        return await self._call("GET", "/loads")

    async def unlink(self, device: str) -> None:
        """Remove the device on the phone."""
        await self._command(device, "unlink")

    async def offline(self, device: str) -> None:
        """Take the network away from the page's computer."""
        await self._command(device, "offline")

    async def unreachable(self, device: str) -> None:
        """Refuse the device's connections while its network works."""
        await self._command(device, "unreachable")

    async def online(self, device: str) -> None:
        """End offline, unreachable, service-unavailable and a ban."""
        await self._command(device, "online")

    async def drop(self, device: str) -> None:
        """Cut the connection once."""
        await self._command(device, "drop")

    async def replaced(self, device: str) -> None:
        """Act as if the same login had connected elsewhere."""
        await self._command(device, "replaced")

    async def ban(
        self, device: str, *, code: int = 402, expire: int = 3600, message: str = "", silent: bool = False
    ) -> None:
        """Ban the account: 402 for `expire` seconds, 403 locked, 406 for good."""
        await self._command(device, "ban", {"code": code, "expire": expire, "message": message, "silent": silent})

    async def service_unavailable(self, device: str, *, silent: bool = False) -> None:
        """Answer 503 to the device, until `online`."""
        await self._command(device, "service-unavailable", {"silent": silent})

    async def restrict(self, device: str, *, kind: str, until: float = 0) -> None:
        """Restrict the account: `timelock` or `capping` until then (Unix seconds), or `none`."""
        await self._command(device, "restrict", {"kind": kind, "until": until})

    async def reload(self, device: str) -> None:
        """Let the page load itself anew."""
        await self._command(device, "reload")

    async def needs_update(self, device: str, *, reload: bool = False) -> None:
        """Announce a newer page; with `reload` refuse the running one."""
        await self._command(device, "needs-update", {"reload": reload})

    async def logout(self, device: str, *, reason: str) -> None:
        """End the login for a reason of the page's vocabulary."""
        await self._command(device, "logout", {"reason": reason})

    async def sync_slow(self, device: str, *, seconds: float) -> None:
        """Let the device's next logins need this long to synchronise."""
        await self._command(device, "sync-slow", {"seconds": seconds})

    async def dialog(self, device: str, *, kind: str) -> None:
        """Open a window over the page: `passkey`, `action-required` or `terms`."""
        await self._command(device, "dialog", {"kind": kind})

    async def busy(self, device: str, *, seconds: float) -> None:
        """Let the page compute for so long, so that it answers nobody."""
        await self._command(device, "busy", {"seconds": seconds})

    async def storage_failed(self, device: str, *, language: str = "en", stream: bool = True) -> None:
        """Let the page's database fail, told in that language; without `stream` its connection goes, too."""
        await self._command(device, "storage-failed", {"language": language, "stream": stream})

    async def screen_lock(self, device: str, *, locked: bool = True) -> None:
        """Lock the page's screen as its user can, or open it."""
        await self._command(device, "screen-lock", {"locked": locked})

    async def expire_qr(self) -> int:
        """End the round of every page that waits for a scan; returns how many."""
        return int((await self._call("POST", "/phone/qr-expire"))["pages"])

    async def set_variant(self, variant: Variant | str) -> None:
        """Choose what the next document loads get."""
        await self._call("POST", "/page/variant", {"variant": variant})

    async def set_language(self, language: Language | str) -> None:
        """Choose the language of the next document loads."""
        await self._call("POST", "/page/variant", {"language": language})

    async def set_delay(self, seconds: float) -> None:
        """Let the next documents take so long to arrive."""
        await self._call("POST", "/page/variant", {"delay": seconds})

    async def set_heavy(self, megabytes: int) -> None:
        """Choose how much the next pages carry of heap and rows, as the real page does; 0: next to nothing."""
        await self._call("POST", "/page/variant", {"heavy": megabytes})

    async def set_qr_form(self, form: QrForm | str) -> None:
        """Choose how the text in the QR code is wrapped, from the next load on."""
        await self._call("POST", "/page/variant", {"qrForm": form})

    async def reload_window(self) -> int:
        """Load every open page anew, as a person does in its window, whatever its connection does; returns how many."""
        return int((await self._call("POST", "/page/reload"))["pages"])

    async def open_other_tab(self) -> int:
        """Let another tab of each open page's profile take over (conflict A); returns how many there were."""
        return int((await self._call("POST", "/page/other-tab"))["pages"])

    async def _command(self, device: str, name: str, body: dict[str, Any] | None = None) -> None:
        await self._call("POST", f"/phone/{device}/{name}", body)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token}"}, timeout=_TIMEOUT)
        async with self._session.request(method, self.url + path, json=body or {}) as response:
            answer: dict[str, Any] = await response.json()
            if not response.ok:
                raise PhoneRefusedError(status=response.status, reason=answer["error"], message=answer["message"])
            return answer
