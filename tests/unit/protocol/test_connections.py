"""Nobody who has shown no token can take a server away from the others: places, heads, and whose turn it is to go."""

import asyncio
import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.bad_requests import QuietRunner, prove
from session_protocol.connections import Closing, Connections, Limits

LIMITS = Limits(head=0.3, request_bytes=4096, piece=1.0, answer=0.5, strangers=6, per_peer=3, per_token=4, grace=0)
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PROVEN = b"GET /proven HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
LARGE = b"POST /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
LARGEST = 100_000


class Served:
    """A server on loopback with small limits, and peers of several addresses."""

    def __init__(self) -> None:
        self.closed: Counter[Closing] = Counter()
        self.asked = 0
        """ Requests that came to a handler that takes its time. """
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

    async def upload(request: web.Request) -> web.Response:
        return web.Response(text=str(sum([len(some) async for some in request.content.iter_any()])))

    async def long(_: web.Request) -> web.Response:
        server.asked += 1
        await asyncio.sleep(3 * LIMITS.head)
        return web.Response(text="long")

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(int(request.query["size"])))

    server = Served()
    app = web.Application()
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/proven", proven)
    app.router.add_get("/long", long)
    app.router.add_post("/long", long)
    app.router.add_get("/large", large)
    app.router.add_post("/large", upload)
    app.router.add_post("/other", long)
    runner = QuietRunner(
        app,
        count=lambda: None,
        answer=lambda status: web.Response(status=status),
        closed=lambda why: server.closed.update([why]),
        limits=LIMITS,
        largest_body=lambda method, target: LARGEST if (method, target[:6]) == ("POST", "/large") else 0,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = int(runner.addresses[0][1])
    yield server
    for writer in server.writers:
        writer.transport.abort()
    await runner.cleanup()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ", b"G", b"\r\n\r\n"])
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


@pytest.mark.parametrize("half", [REQUEST[:10], REQUEST[:-2], b"\r"])
@pytest.mark.parametrize("pause", [0, LIMITS.head / 3])
async def test_half_a_head_behind_a_running_request_ends_the_connection(
    served: Served, half: bytes, pause: float
) -> None:
    """Whether it comes with that request or later: nobody waits for it until the answer is out."""
    reader, writer = await served.connect()
    writer.write(LONG if pause else LONG + half)
    if pause:
        await asyncio.sleep(pause)
        writer.write(half)

    assert b"" == await _rest(reader)
    assert (1, {Closing.SLOW_HEAD: 1}) == (served.asked, served.closed)


@pytest.mark.parametrize("split", [1, 2, 3, len(LONG) // 2])
async def test_a_request_in_pieces_may_take_its_time_to_answer(served: Served, split: int) -> None:
    """Its head was complete in time, wherever it was cut."""
    reader, writer = await served.connect()
    writer.write(LONG[:-split])
    await asyncio.sleep(LIMITS.head / 3)
    writer.write(LONG[-split:])

    assert b"200" in await _line(reader)
    assert served.closed == {}


async def test_requests_one_behind_the_other_are_answered(served: Served) -> None:
    """Few clients do that, and it is HTTP."""
    reader, writer = await served.connect()
    writer.write(LONG + REQUEST + REQUEST.replace(b"Host", b"Connection: close\r\nHost"))

    assert 3 == (await _rest(reader)).count(b" 200 OK")
    assert served.closed == {}


async def test_a_body_that_does_not_come_ends_the_connection(served: Served) -> None:
    """No route takes one, and none waits for it."""
    reader, writer = await served.connect()
    writer.write(BODY % 100 + b"a")

    assert b"" == await _rest(reader)
    assert served.closed == {Closing.SLOW_BODY: 1}


async def test_a_body_in_drops_ends_the_connection(served: Served) -> None:
    """As a head does: each byte in time is not enough."""
    _, writer = await served.connect()
    writer.write(BODY % 1000)
    for _ in range(200):
        if writer.is_closing() or served.closed:
            break
        writer.write(b"a")
        await asyncio.sleep(0.02)

    assert served.closed == {Closing.SLOW_BODY: 1}


@pytest.mark.parametrize("head", [BODY % 10**6, BODY.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked")])
async def test_a_body_without_end_ends_the_connection(served: Served, head: bytes) -> None:
    """By its bytes."""
    reader, writer = await served.connect()
    writer.write(head)
    await asyncio.sleep(LIMITS.head / 3)
    writer.write(b"400\r\n" + b"a" * 1024 + b"\r\n")
    writer.write(b"fff\r\n" + b"a" * 4095 + b"\r\n")

    assert b"" == await _rest(reader)
    assert served.closed == {Closing.LONG_BODY: 1}


async def test_a_route_may_take_a_large_body(served: Served) -> None:
    """Whether it comes with its head or in pieces, which may take their time; to another route it is too large."""
    reader, writer = await served.connect()
    writer.write(LARGE % LARGEST + b"a" * LARGEST)
    assert (await _rest(reader)).endswith(b"100000")
    reader, writer = await served.connect()
    writer.write(LARGE % 20000 + b"a" * 10000)
    await asyncio.sleep(1.5 * LIMITS.head)
    writer.write(b"a" * 10000)
    assert (await _rest(reader)).endswith(b"20000")
    assert served.closed == {}

    reader, writer = await served.connect()
    writer.write(LARGE.replace(b"large", b"other") % LARGEST + b"a" * LARGEST)
    assert b"" == await _rest(reader)
    assert 1 == served.closed.total()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (LARGE.replace(b" HTTP", b"?" + b"x" * 5000 + b" HTTP") % 10, Closing.LONG_HEAD),
        (LARGE % 10**7 + b"a" * (LARGEST + 8192), Closing.LONG_BODY),
        (LARGE % 1000 + b"a" * 500, Closing.SLOW_BODY),
    ],
    ids=["a long head", "more than the route takes", "it stops"],
)
async def test_a_large_body_has_its_limits(served: Served, sent: bytes, why: Closing) -> None:
    """Its head has the usual ones; it must not be larger than its route says, nor stop."""
    reader, writer = await served.connect()
    writer.write(sent[:60])
    await asyncio.sleep(LIMITS.head / 3)
    writer.write(sent[60:])

    assert b"" == await _rest(reader)
    assert served.closed[why]


async def test_a_small_body_is_no_harm(served: Served) -> None:
    """It is answered; what is behind it is not looked at."""
    reader, writer = await served.connect()
    writer.write(BODY % 2 + b"{}" + REQUEST[:10])
    rest = await _rest(reader)

    assert (1, 1) == (rest.count(b" 200 OK"), rest.count(b"Connection: close"))
    assert served.closed == {}


async def test_who_does_not_read_the_answer_is_ended(served: Served) -> None:
    """What the kernel does not take stays in our memory, for so long and no longer."""
    reader, writer = await served.connect()
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    writer.write(b"GET /large?size=33554432 HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(100):
        if served.closed:
            break
        await asyncio.sleep(0.05)
    writer.transport.resume_reading()

    assert len(await _rest(reader)) < 32 << 20
    assert served.closed == {Closing.SLOW_READER: 1}


async def test_who_reads_gets_all_of_it(served: Served) -> None:
    """However large it is."""
    reader, writer = await served.connect()
    writer.write(b"GET /large?size=1000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert len(await _rest(reader)) > 1_000_000
    assert served.closed == {}


async def test_a_long_head_in_one_piece_is_not_served(served: Served) -> None:
    """Complete or not: its bytes count before anything is done for it."""
    reader, writer = await served.connect()
    writer.write(LONG[:-2] + b"X: " + b"a" * LIMITS.request_bytes + b"\r\n\r\n")

    assert b"" == await _rest(reader)
    assert (0, {Closing.LONG_HEAD: 1}) == (served.asked, served.closed)


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


async def test_a_proven_connection_keeps_its_place(served: Served) -> None:
    """It is reused among more strangers than there are places for."""
    reader, writer = await served.connect()
    writer.write(PROVEN)
    await reader.readuntil(b"ok")
    for number in range(2 * LIMITS.strangers):
        await served.connect(peer=2 + number // 2)
    writer.write(REQUEST)

    assert b"200" in await _line(reader)
    assert served.closed[Closing.CONNECTION_LIMIT] == LIMITS.strangers


def test_a_thousand_silent_connections_do_not_hide_the_server() -> None:
    """They are closed as they come (more than a process's usual files)."""
    connections: Connections[int] = Connections(Limits(grace=0))
    gone = []
    for number in range(1100):
        gone.append(connections.open(number, f"10.0.{number // 200}.{number % 200}", number))
        for leaving in gone[-1]:
            connections.close(leaving.connection)

    assert [[]] * Limits().strangers == gone[: Limits().strangers]
    assert [[(number, Closing.CONNECTION_LIMIT, 0)] for number in range(1100 - 64)] == gone[64:]


def test_a_young_connection_keeps_its_place_for_a_moment() -> None:
    """Long enough for a request that comes with it to be read, whatever comes behind it."""
    connections: Connections[str] = Connections(Limits(strangers=1, grace=0.1, most=3))
    connections.open("probe", "10.0.0.1", 5.0)
    leaving = connections.open("second", "10.0.0.2", 5.04)
    connections.open("third", "10.0.0.3", 5.08)

    assert [("probe", Closing.CONNECTION_LIMIT)] == [(one.connection, one.why) for one in leaving]
    assert pytest.approx(0.06) == leaving[0].after
    assert connections.is_leaving("probe")
    oldest, last = connections.open("fourth", "10.0.0.4", 5.09)
    assert ("third", "probe", None) == (oldest.connection, last.connection, last.after)


def test_a_leaving_connection_that_shows_a_token_stays() -> None:
    """It was early enough."""
    connections: Connections[str] = Connections(Limits(strangers=1))
    connections.open("client", "10.0.0.1", 5.0)
    connections.open("second", "10.0.0.2", 5.0)
    connections.prove("client", "state")

    assert not connections.is_leaving("client")


@given(st.lists(st.tuples(st.sampled_from("opc"), st.integers(0, 9), st.integers(0, 3)), max_size=60))
def test_no_place_is_lost_or_counted_twice(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is opened, proven and closed in whatever order: when all is closed, all places are free."""
    limits, time = Limits(strangers=3, per_peer=2, per_token=2), 0.0
    connections: Connections[int] = Connections(limits)
    for step, number, peer in steps:
        if step == "o":
            connections.close(number)
            connections.open(number, str(peer), time := time + peer / 10)
        elif step == "p":
            connections.prove(number, str(peer))
        else:
            connections.close(number)
    for number in range(10):
        connections.close(number)

    assert [[]] * 3 == [connections.open(number, str(number), time) for number in range(3)]


async def _line(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""


async def test_a_request_that_is_there_is_answered_although_its_place_is_given_away() -> None:
    """On a busy machine all of the grace may pass before anybody has looked at it."""

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/healthz", healthy)
    closed: Counter[Closing] = Counter()
    runner = QuietRunner(
        app,
        count=lambda: None,
        answer=lambda status: web.Response(status=status),
        closed=lambda why: closed.update([why]),
        limits=LIMITS._replace(grace=1e-6),
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sockets = [socket.socket() for _ in range(LIMITS.per_peer + 1)]
    for one in sockets:
        one.connect(("127.0.0.1", runner.addresses[0][1]))  # blocking: none is accepted before all are there
    sockets[0].sendall(REQUEST)
    sockets[0].setblocking(False)
    loop = asyncio.get_running_loop()
    answer = b"".join(
        [await loop.sock_recv(sockets[0], 4096), await asyncio.wait_for(loop.sock_recv(sockets[0], 9), 5)]
    )
    for one in sockets:
        one.close()
    await runner.cleanup()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"ok")
