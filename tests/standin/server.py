"""The stand-in as one thing to start and stop: exchange, pages over HTTPS, phone over HTTP, state on disk if wanted.

Used by the harness (loopback, free ports) and by `python -m standin` (a pod). It owns no process and no thread.
"""

import dataclasses
import json
import secrets
import ssl
import time
from pathlib import Path

from aiohttp import web

from standin.certificates import Certificates
from standin.devices import DeviceBook
from standin.documents import Documents
from standin.exchange import Exchange
from standin.listener import Listener
from standin.loads import LoadLedger
from standin.phone import PhoneApi
from standin.settings import Mode, Timing
from standin.sockets import Switchboard
from standin.windows import Windows

__all__ = ["Server", "ServerSettings"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Everything a server is started with."""

    mode: Mode
    web_host: str
    static_host: str
    token: str
    """ The phone's bearer token. """
    certificates: Certificates
    listen: str = "127.0.0.1"
    https_port: int = 0
    """ 0 takes a free one; `Server.https_port` tells which. """
    phone_port: int = 0
    timing: Timing = dataclasses.field(default_factory=Timing)
    state_dir: Path | None = None
    """ Where the list of devices survives a restart; None keeps it in memory. """


class Server:
    """A running stand-in. `start` once, `stop` once."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        loads = LoadLedger(now=time.time, new_token=_token)
        exchange = Exchange(
            timing=settings.timing,
            now=time.time,
            new_token=_token,
            random_bytes=secrets.token_bytes,
            devices=self._read(),
        )
        self._exchange = exchange
        self._switchboard = Switchboard(exchange=exchange, loads=loads, new_token=_token, on_devices_changed=self._save)
        self._windows = Windows()
        documents = Documents(
            mode=settings.mode,
            web_host=settings.web_host,
            static_host=settings.static_host,
            exchange=exchange,
            loads=loads,
            switchboard=self._switchboard,
            windows=self._windows,
        )
        phone = PhoneApi(
            token=settings.token,
            exchange=exchange,
            switchboard=self._switchboard,
            loads=loads,
            documents=documents,
            windows=self._windows,
            save=self._save,
        )
        self._runners = [
            web.AppRunner(app, access_log=None, shutdown_timeout=1.0) for app in (documents.app(), phone.app())
        ]
        self._listeners: list[Listener] = []
        self.https_port = 0
        self.phone_port = 0

    async def start(self) -> None:
        """Listen on both ports."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._settings.certificates.certificate, self._settings.certificates.key)
        for runner in self._runners:
            await runner.setup()
        pages, phone = self._runners
        self.https_port = self._listen(pages, port=self._settings.https_port, context=context)
        self.phone_port = self._listen(phone, port=self._settings.phone_port, context=None)

    async def stop(self) -> None:
        """End every socket, stop listening, and let go of each connection that is left."""
        await self._switchboard.close()
        await self._windows.close()
        for listener in self._listeners:
            await listener.stop()
        for runner in self._runners:
            await runner.cleanup()
        for listener in self._listeners:
            await listener.abort()

    def _listen(self, runner: web.AppRunner, *, port: int, context: ssl.SSLContext | None) -> int:
        assert runner.server is not None  # it is set up
        listener = Listener(runner.server, host=self._settings.listen, port=port, context=context)
        listener.start()
        self._listeners.append(listener)
        return listener.port

    def _read(self) -> DeviceBook:
        path = self._state_file()
        if path is None or not path.exists():
            return DeviceBook()
        return DeviceBook.from_json(json.loads(path.read_text()))

    def _save(self) -> None:
        path = self._state_file()
        if path is None:
            return
        # Written beside and renamed: a kill in between leaves the old list, never half of one.
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(self._exchange.devices.to_json()))
        draft.replace(path)

    def _state_file(self) -> Path | None:
        return None if self._settings.state_dir is None else self._settings.state_dir / "devices.json"


def _token() -> str:
    return secrets.token_urlsafe(24)
