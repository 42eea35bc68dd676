"""A port whose every connection is known, so that a server that stops leaves none behind.

aiohttp's own sites forget a connection once they have begun to close it, and never knew one in its handshake. Over TLS
either outlives its server: for half a minute it waits for a farewell which a killed browser never sends.
"""

import asyncio
import socket
import ssl
import weakref
from collections.abc import Callable

__all__ = ["Listener"]


class Listener:
    """Accepts connections on one port; `start` once, `stop` once."""

    def __init__(
        self, protocol: Callable[[], asyncio.Protocol], *, host: str, port: int, context: ssl.SSLContext | None
    ) -> None:
        self._protocol = protocol
        self._context = context
        self._socket = socket.create_server((host, port))
        self._socket.setblocking(False)
        self._handshakes: set[asyncio.Task[None]] = set()
        self._transports: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()

    @property
    def port(self) -> int:
        """The port; a free one where 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Take connections from now on."""
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    async def stop(self) -> None:
        """Take no more; those that are there go on."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        for _ in range(3):  # a task begins, its transport begins, the handshake begins: asyncio loses what ends before
            await asyncio.sleep(0)
        pending = list(self._handshakes)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def abort(self) -> None:
        """End every connection that is still open, at once."""
        for transport in list(self._transports):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        await asyncio.sleep(0)  # an abortion is carried out by the loop

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # it went before it was taken
            return
        connection.setblocking(False)
        task = asyncio.create_task(self._take(connection))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _take(self, connection: socket.socket) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=self._context
            )
        except OSError:  # a browser that trusts other authorities, or is gone
            return
        self._transports.add(transport)
