"""Nobody who has shown no token can take a server away from the others: places, heads, and whose turn it is to go."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.bad_requests import QuietRunner, prove
from session_protocol.connections import Closing, Connections, Limits

LIMITS = Limits(head=0.3, head_bytes=4096, strangers=6, per_peer=3, per_token=4)
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PROVEN = b"GET /proven HTTP/1.1\r\nHost: x\r\n\r\n"


class Served:
    """A server on loopback with small limits, and peers of several addresses."""

    def __init__(self) -> None:
        self.closed: Counter[Closing] = Counter()
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self, peer: int = 1) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect from one of loopback's addresses."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(f"127.0.0.{peer}", 0))
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes = REQUEST, peer: int = 1) -> tuple[asyncio.StreamReader, bytes]:
        """Send a request, keep the connection; return the first line of the answer."""
        reader, writer = await self.connect(peer)
        writer.write(request)
        return reader, await _line(reader)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The server that both programs use."""

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def proven(request: web.Request) -> web.Response:
        prove(request, "state")
        return web.Response(text="ok")

    server = Served()
    app = web.Application()
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/proven", proven)
    runner = QuietRunner(
        app,
        count=lambda: None,
        answer=lambda status: web.Response(status=status),
        closed=lambda why: server.closed.update([why]),
        limits=LIMITS,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = int(runner.addresses[0][1])
    yield server
    for writer in server.writers:
        writer.transport.abort()
    await runner.cleanup()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ", b"G"])
async def test_a_head_that_does_not_come_ends_the_connection(served: Served, sent: bytes) -> None:
    """Whether nothing was sent of it, or a part."""
    reader, writer = await served.connect()
    writer.write(sent)

    assert b"" == await _rest(reader)
    assert served.closed == {Closing.SLOW_HEAD: 1}


async def test_a_head_in_drops_ends_the_connection(served: Served) -> None:
    """Each byte in time does not make the whole head be in time."""
    reader, writer = await served.connect()
    for byte in itertools.chain(b"GET /healthz HTTP/1.1\r\n", itertools.repeat(65, 200)):
        if reader.at_eof() or writer.is_closing():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)

    assert served.closed == {Closing.SLOW_HEAD: 1}


async def test_a_second_head_has_its_time_too(served: Served) -> None:
    """A connection that was honest once may stay open in silence, and not with half a request."""
    reader, writer = await served.connect()
    writer.write(REQUEST)
    await _line(reader)
    await asyncio.sleep(2 * LIMITS.head)
    writer.write(REQUEST[:10])
    rest = await _rest(reader)

    assert rest.endswith(b"ok")
    assert served.closed == {Closing.SLOW_HEAD: 1}


async def test_a_head_without_end_ends_the_connection(served: Served) -> None:
    """By its bytes, before its time is over."""
    reader, writer = await served.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (at, b"a" * 500) for at in range(20)))

    assert b"" == await _rest(reader)
    assert served.closed == {Closing.LONG_HEAD: 1}


async def test_one_peer_has_few_places(served: Served) -> None:
    """Its oldest connection gives way to its next one, which is served; another peer's are left alone."""
    other, _ = await served.ask(peer=3)
    oldest, _ = await served.connect(peer=2)
    for _ in range(LIMITS.per_peer - 1):
        await served.connect(peer=2)

    assert b"200" in (await served.ask(peer=2))[1]
    assert b"" == await _rest(oldest)
    assert served.closed == {Closing.PEER_LIMIT: 1}
    assert not other.at_eof()


async def test_idle_connections_do_not_keep_their_own_peer_out(served: Served) -> None:
    """A proxy keeps what it opened; the kubelet, which may have the same address, gets in all the same."""
    for _ in range(3 * LIMITS.per_peer):
        assert b"200" in (await served.ask(peer=2))[1]

    assert served.closed == {Closing.PEER_LIMIT: 2 * LIMITS.per_peer}


async def test_a_full_server_still_answers_the_next_one(served: Served) -> None:
    """The oldest silent connection gives way: the kubelet's probe always gets in."""
    oldest, _ = await served.connect(peer=2)
    for number in range(1, LIMITS.strangers):
        await served.connect(peer=2 + number // LIMITS.per_peer)

    assert b"200" in (await served.ask(peer=9))[1]
    assert b"" == await _rest(oldest)
    assert served.closed == {Closing.CONNECTION_LIMIT: 1}


async def test_who_showed_a_token_is_no_stranger(served: Served) -> None:
    """It takes no place of its peer's; beyond the token's own limit it does."""
    for _ in range(LIMITS.per_token + LIMITS.per_peer):
        assert b"200" in (await served.ask(PROVEN))[1]

    assert b"200" in (await served.ask(PROVEN))[1]
    assert served.closed == {Closing.PEER_LIMIT: 1}


def test_a_thousand_silent_connections_do_not_hide_the_server() -> None:
    """They are closed as they come, and a request among them is answered (more than a process's usual files)."""
    connections: Connections[int] = Connections(Limits())
    gone = [connections.open(number, f"10.0.{number // 200}.{number % 200}") for number in range(1100)]

    assert [None] * Limits().strangers == gone[: Limits().strangers]
    assert [(number, Closing.CONNECTION_LIMIT) for number in range(1100 - 64)] == gone[64:]


@given(st.lists(st.tuples(st.sampled_from("opc"), st.integers(0, 9), st.integers(0, 3)), max_size=60))
def test_no_place_is_lost_or_counted_twice(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is opened, proven and closed in whatever order: when all is closed, all places are free."""
    limits = Limits(strangers=3, per_peer=2, per_token=2)
    connections: Connections[int] = Connections(limits)
    for step, number, peer in steps:
        if step == "o":
            connections.close(number)
            connections.open(number, str(peer))
        elif step == "p":
            connections.prove(number, str(peer))
        else:
            connections.close(number)
    for number in range(10):
        connections.close(number)

    assert [None] * 3 == [connections.open(number, str(number)) for number in range(3)]


async def _line(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
