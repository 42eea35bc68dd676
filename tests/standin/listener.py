"""A port whose every connection is known, so that a server that stops leaves none behind.

aiohttp's own sites forget a connection once they have begun to close it, and never knew one in its handshake. Over TLS
either outlives its server: for half a minute it waits for a farewell which a killed browser never sends. Nor can asyncio
be asked to let go of all of them: a transport that was closed twice does nothing any more when it is aborted, and who is
cancelled just as a handshake ends never gets its transport. So the sockets are known, and are cut off below asyncio.
"""

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable

__all__ = ["Listener"]

TURNS = 100
""" Of the loop; in a handful of them asyncio closes a socket that was cut off. """


class Listener:
    """Accepts connections on one port; `start` once, `stop` once."""

    def __init__(
        self, protocol: Callable[[], asyncio.Protocol], *, host: str, port: int, context: ssl.SSLContext | None
    ) -> None:
        self._protocol = protocol
        self._context = context
        self._socket = socket.create_server((host, port))
        self._socket.setblocking(False)
        self._handshakes: dict[asyncio.Task[None], socket.socket] = {}
        self._transports: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()
        self._connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()

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
        pending = dict(self._handshakes)
        _cut_off(pending.values())
        await asyncio.gather(*pending, return_exceptions=True)

    async def abort(self) -> None:
        """End every connection that is still open, at once."""
        for transport in list(self._transports):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        _cut_off(self._connections)
        for _ in range(TURNS):
            if all(connection.fileno() < 0 for connection in list(self._connections)):
                return
            await asyncio.sleep(0)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # it went before it was taken
            return
        connection.setblocking(False)
        self._connections.add(connection)
        task = asyncio.create_task(self._take(connection))
        self._handshakes[task] = connection
        task.add_done_callback(self._handshakes.pop)

    async def _take(self, connection: socket.socket) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=self._context
            )
        except OSError:  # a browser that trusts other authorities, or is gone
            return
        self._transports.add(transport)


def _cut_off(connections: Iterable[socket.socket]) -> None:
    for connection in list(connections):
        with contextlib.suppress(OSError):  # it is closed already
            connection.shutdown(socket.SHUT_RDWR)
