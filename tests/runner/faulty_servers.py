"""Servers on loopback that answer wrongly, one fault each, and the page of a session that has come up.

`test_fetching` lets the runner's browser fetch from them. They speak HTTP by hand, because no library would.
"""

import asyncio
import contextlib
import datetime as dt
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

import trustme

HOST, SCRIPTS = "page.localhost", "scripts.localhost"
APP = '<div id="app"></div>'


def answer(
    body: str = "", *headers: str, status: str = "200 OK", kind: str = "text/html", length: int | None = None
) -> bytes:
    """One answer, perhaps with a length that it does not have."""
    size = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {size}", "Connection: close", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


class Server:
    """Gives the same answer to every request."""

    def __init__(self, text: bytes, *, hangs: bool = False, resets: bool = False) -> None:
        self.text, self.hangs, self.resets = text, hangs, resets
        self.waits = True
        """ For the request, which somebody who speaks TLS does not send. """
        self.requests = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Its address as the page's."""
        return f"http://{HOST}:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if self.waits:
                await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            if self.resets:
                # Closed with an answer unread and no time to linger, the kernel says so to the other side.
                writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            writer.write(self.text)
            await writer.drain()
            if self.hangs:
                await reader.read()


@contextlib.asynccontextmanager
async def serving(server: Server, *, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Server]:
    """Listen for the time of the block."""
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.add(writer)
        try:
            await server.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls, reuse_address=True)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*tasks)


def certified(authority: trustme.CA, *hosts: str, expired: bool = False) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for these hosts."""
    two_days_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    leaf = authority.issue_cert(*hosts, not_after=two_days_ago) if expired else authority.issue_cert(*hosts)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context


def write_authority(authority: trustme.CA, folder: Path) -> Path:
    """Its certificate as a file."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path
