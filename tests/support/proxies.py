"""A small real proxy on loopback, HTTP (CONNECT) or SOCKS5, with a login or without, for tests.

It resolves the names that it is asked for itself: each below `localhost` is 127.0.0.1, without a name server. What it was
asked for, and how it is to misbehave, can be read and set while it runs.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from session_protocol.vocabulary import ProxyType

LOGIN = ("shop", "correct horse: battery")


@dataclass(kw_only=True)
class SmallProxy:
    """One proxy, and what it has seen."""

    type: ProxyType
    login: tuple[str, str] | None = None
    """ What it demands; None: it takes anybody. """
    port: int = 0
    forbidden: set[str] = field(default_factory=set)
    """ Hosts that its rules do not let through. """
    unreachable: set[str] = field(default_factory=set)
    """ Hosts that it says it cannot reach. """
    is_mute: bool = False
    """ It takes connections and says nothing. """
    asked: list[tuple[str, int]] = field(default_factory=list)
    """ Hosts and ports in the order of the asking, by those who were let in. """
    refused_logins: int = 0
    bytes_passed: int = 0
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    """ Those that are open. """
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Serve, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and break off those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        broken = list(self.connections)
        for connection in broken:
            connection.cancel()
        await asyncio.gather(*broken, return_exceptions=True)

    @property
    def variables(self) -> dict[str, str]:
        """The runner's, but for the login."""
        return {"PROXY_TYPE": str(self.type), "PROXY_HOST": "127.0.0.1", "PROXY_PORT": str(self.port)}

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)
        task.add_done_callback(lambda _: writer.close())  # also of one that was ended before it began

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_mute:
                await reader.read()
                return
            target = await (self._http if self.type is ProxyType.HTTP else self._socks5)(reader, writer)
            if target is not None:
                await self._pass_on(target, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int] | None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, where, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        host, _, port = where.rpartition(":")
        host = host.strip("[]")
        wanted = None if self.login is None else "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        status = "200 Connection established"
        if method != "CONNECT":
            status = "405 Method Not Allowed"
        elif wanted not in (None, headers.get("Proxy-Authorization")):
            self.refused_logins += "Proxy-Authorization" in headers
            status = '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"'
        elif host in self.forbidden:
            status = "403 Forbidden"
        elif host in self.unreachable:
            status = "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        return (host, int(port)) if status.startswith("200") else None

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int] | None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 0 if self.login is None else 2
        if method not in methods:
            writer.write(b"\x05\xff")
            return None
        writer.write(bytes([5, method]))
        if self.login is not None:
            await reader.readexactly(1)
            given = tuple([(await reader.readexactly((await reader.readexactly(1))[0])).decode() for _ in range(2)])
            writer.write(bytes([1, int(given != self.login)]))
            if given != self.login:
                self.refused_logins += 1
                return None
        _, _, _, kind = await reader.readexactly(4)
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        raw = await reader.readexactly(size)
        host = raw.decode() if kind == 3 else str(ip_address(raw))
        port = int.from_bytes(await reader.readexactly(2), "big")
        answer = 2 if host in self.forbidden else 4 if host in self.unreachable else 0
        writer.write(bytes([5, answer, 0, 1, 0, 0, 0, 0, 0, 0]))
        return None if answer else (host, port)

    async def _pass_on(
        self, target: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.asked.append(target)
        host, port = target
        address = "127.0.0.1" if host.rstrip(".").endswith("localhost") else host
        far_reader, far_writer = await asyncio.open_connection(address, port)
        ways = [
            asyncio.create_task(self._copy(reader, far_writer)),
            asyncio.create_task(self._copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.bytes_passed += len(data)
            writer.write(data)
            await writer.drain()


@contextlib.asynccontextmanager
async def small_proxy(type_: ProxyType, *, login: tuple[str, str] | None = None) -> AsyncIterator[SmallProxy]:
    """Run a proxy until the block ends."""
    proxy = SmallProxy(type=type_, login=login)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
