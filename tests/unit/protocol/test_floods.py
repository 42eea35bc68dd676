"""A flood of strangers: both servers stay reachable for a probe, and small."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from session_protocol import open_files
from unit.protocol.servers import SERVERS, serving

pytestmark = pytest.mark.slow

PROBE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SILENT = 1100
UNFINISHED = 4000
MB = 1 << 20


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Room for both ends of each connection."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files.raise_limit()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(params=SERVERS)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[int]:
    """Either server on loopback."""
    async with serving(request.param, tmp_path) as (port, _):
        yield port


class Strangers:
    """Connections that only cost the server something."""

    def __init__(self, port: int, *, addresses: int) -> None:
        self._port = port
        self._addresses = addresses
        self._sockets: list[socket.socket] = []

    async def open(self, count: int, sent: bytes = b"") -> None:
        """Open so many, each with this first."""
        for number in range(count):
            one = socket.socket()
            self._sockets.append(one)
            one.setblocking(False)
            one.bind((f"127.0.0.{2 + number % self._addresses}", 0))
            loop = asyncio.get_running_loop()
            await loop.sock_connect(one, ("127.0.0.1", self._port))
            if sent:
                try:
                    await asyncio.wait_for(loop.sock_sendall(one, sent), 1)
                except (OSError, TimeoutError):
                    continue

    def close(self) -> None:
        """Close all."""
        for one in self._sockets:
            one.close()


async def probe(port: int, address: str) -> float:
    """Ask as the kubelet does; return how many seconds the process had computed until the answer was there.

    It is processor time, which other programs of the machine do not lengthen. Nothing that is waited for is that short.
    """
    began = time.process_time()
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        writer.write(PROBE)
        answer = await reader.read()
    writer.close()
    assert b" 200 " in answer
    return time.process_time() - began


@pytest.mark.parametrize("addresses", [1, 150])
@pytest.mark.parametrize("prober", ["127.0.0.2", "127.0.0.200"], ids=["shared address", "own address"])
async def test_a_probe_is_answered_among_silent_connections(port: int, addresses: int, prober: str) -> None:
    """While they come, and when they are there; also one that comes from their own address."""
    strangers = Strangers(port, addresses=addresses)
    coming = asyncio.create_task(strangers.open(SILENT))
    taken = []
    while not coming.done():
        taken.append(await probe(port, prober))
        await asyncio.sleep(0.02)
    taken.append(await probe(port, prober))
    strangers.close()

    assert len(taken) > 3
    assert max(taken) < 1


@pytest.mark.parametrize("address", ["127.0.0.2", "127.0.0.200"])
async def test_a_probe_amid_a_flood_is_answered(port: int, address: str) -> None:
    """More connections than places come behind it before its request is read; none pushes it out."""
    sockets = [socket.socket() for _ in range(100)]
    for number, one in enumerate(sockets):
        one.bind((address if number == 0 else f"127.0.0.{2 + number // 8}", 0))
        one.connect(("127.0.0.1", port))  # blocking: the server accepts none of them before all are there
    sockets[0].sendall(PROBE)
    sockets[0].setblocking(False)
    answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sockets[0], 4096), 10)
    for one in sockets:
        one.close()

    assert b" 200 " in answer


@pytest.mark.parametrize("half", [b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"POST /healthz HTTP/1.1\r\nHost: x\r\n"])
async def test_unfinished_requests_hold_little_memory(port: int, half: bytes) -> None:
    """Four thousand of 60 KB, in the head or in the body; the figure has the clients' side in it."""
    if half.startswith(b"POST"):
        sent = half + b"Content-Length: 70000\r\n\r\n" + b"a" * 60_000
    else:
        sent = half + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(60))
    strangers, before = Strangers(port, addresses=150), psutil.Process().memory_info().rss
    await strangers.open(UNFINISHED, sent)
    held = psutil.Process().memory_info().rss - before
    strangers.close()

    assert held < 40 * MB
