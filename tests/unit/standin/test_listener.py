"""The port of a stand-in: whatever its connections are at when it stops, none is left."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from standin.harness import LOCAL_WEB_HOST, local_certificates
from standin.listener import Listener

TURNS = 12
""" Of the loop: more than a connection and its handshake take. """


class Silent(asyncio.Protocol):
    """Takes connections and does nothing with them."""


class ClosesTwice(asyncio.Protocol):
    """Closes each at once, and again, as aiohttp does with a WebSocket."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()
        transport.close()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's side of TLS, and a client's."""
    certificates = local_certificates(Path(tmp_path_factory.mktemp("certificates")))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificates.certificate, certificates.key)
    return server, ssl.create_default_context(cafile=certificates.ca)


@pytest.mark.parametrize("protocol", [Silent, ClosesTwice])
@pytest.mark.parametrize("turns", range(TURNS))
async def test_who_stops_at_any_moment_leaves_no_connection(
    turns: int, protocol: Callable[[], asyncio.Protocol], contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """Not yet taken, anywhere in its handshake, open, or closing: a client that never says farewell is cut off by then."""
    server, trusting = contexts
    listener = Listener(protocol, host="127.0.0.1", port=0, context=server)
    listener.start()
    with (
        socket.create_connection(("127.0.0.1", listener.port)) as connection,
        connection.dup() as below,
        trusting.wrap_socket(connection, server_hostname=LOCAL_WEB_HOST, do_handshake_on_connect=False) as client,
    ):
        client.setblocking(False)
        for _ in range(turns):
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            await asyncio.sleep(0)

        await listener.stop()
        await listener.abort()

        below.settimeout(5)
        with contextlib.suppress(ConnectionError):
            while below.recv(10_000):
                pass
