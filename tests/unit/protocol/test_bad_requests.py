"""What both servers do with requests that are none: answer or close, count, and say nothing.

The servers are the real ones, and so are the sockets: a client library would refuse to send what is sent here.
"""

import asyncio
import gzip
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import Counter
from session_protocol import logs
from session_protocol.bad_requests import QuietRunner
from unit.protocol.servers import SERVERS, serving

MARK = b"Foreignword"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
BAD = {
    "a control byte in a name of 8 KB": HEAD + b"A-" * 4096 + b"\x01" + MARK + b": 1\r\n\r\n",
    "a sentence for a header": HEAD + b"Session expired. Relink at https://" + MARK + b"\r\n\r\n",
    "bytes that are no UTF-8": HEAD + b"X-\xff\xfe" + MARK + b": 1\r\n\r\n",
    "a header beyond all bounds": HEAD + b"X: " + MARK * 8000 + b"\r\n\r\n",
    "too many headers": HEAD + b"".join(b"%s-%d: 1\r\n" % (MARK, number) for number in range(500)) + b"\r\n",
    "a chunk of no length": HEAD.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n" + MARK + b"\r\n",
    "a length that is no number": HEAD + b"Content-Length: " + MARK + b"\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + MARK,
    "no HTTP at all": MARK + b" \x16\x03\x01\x02\r\n\r\n",
    "an unknown version": b"GET /" + MARK + b" HTTP/9.9x\r\n\r\n",
    "an address that is none": b"GET http://[" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}


@dataclass
class Server:
    """A server that is served, and its counter."""

    port: int
    counter: Counter

    def count(self) -> float:
        """How many bad requests it has counted."""
        samples = [sample for family in self.counter.collect() for sample in family.samples]
        return float(next(sample.value for sample in samples if sample.name.endswith("_total")))

    async def send(self, request: bytes) -> bytes:
        """Send it as it is, and return what comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if b"chunked" in request or b"Upgrade:" in request:  # the server would wait for more
            writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 30)
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.fixture(autouse=True)
def logged() -> Iterator[io.StringIO]:
    """Log as the programs do, at the level that says most, to where the test reads."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("session_runner", "whatsapp_operator")]
    before = (root.handlers[:], root.level, [one.level for one in ours])
    for one in ours:
        logs.configure("debug", ours=one.name)
    written = io.StringIO()
    root.handlers[:] = [logging.StreamHandler(written)]
    root.handlers[0].setFormatter(logs.RedactedJson(ours="x", constant={}))
    yield written
    root.handlers[:], level, levels = before
    root.setLevel(level)
    for one, known in zip(ours, levels, strict=True):
        one.setLevel(known)
    logging.captureWarnings(capture=False)


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Either server on loopback."""
    async with serving(request.param, tmp_path) as (port, counter):
        yield Server(port, counter)


@pytest.mark.parametrize("request_bytes", BAD.values(), ids=BAD)
async def test_nothing_of_a_bad_request_is_logged(server: Server, request_bytes: bytes, logged: io.StringIO) -> None:
    """It is counted, and the server goes on."""
    answer = await server.send(request_bytes)

    assert "" == logged.getvalue()
    assert MARK not in answer
    assert 1 == server.count()
    assert b" 200 " in await server.send(HEAD + b"Connection: close\r\n\r\n")


async def test_paths_and_headers_of_good_requests_are_not_logged(server: Server, logged: io.StringIO) -> None:
    """There is no access log, and an unknown path is no news."""
    answer = await server.send(b"GET /" + MARK + b" HTTP/1.1\r\nHost: " + MARK + b"\r\nConnection: close\r\n\r\n")

    assert b" 404 " in answer
    assert MARK.decode() not in logged.getvalue()
    assert 0 == server.count()


async def test_a_refused_header_is_not_repeated(server: Server) -> None:
    """The library refuses an Expect header itself, and would say which."""
    answer = await server.send(HEAD + b"Expect: " + MARK + b"\r\nConnection: close\r\n\r\n")

    assert b" 417 " in answer
    assert MARK not in answer


async def test_a_wrong_method_gets_the_right_ones(server: Server) -> None:
    """Whoever writes the answer."""
    answer = await server.send(HEAD.replace(b"GET", b"DELETE") + b"Connection: close\r\n\r\n")

    assert b" 405 " in answer
    assert b"Allow: GET" in answer


@pytest.mark.slow
async def test_a_body_is_not_unpacked(server: Server) -> None:
    """No route takes one, and of some kilobytes a stranger could make gigabytes."""
    packed = gzip.compress(bytes(200_000_000))
    head = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(packed)
    plain = await _least(lambda: server.send(head.replace(b"gzip", b"none") + packed), times=1)
    bomb = await _least(lambda: server.send(head + packed), times=1)

    assert bomb < 3 * plain + 0.02


async def test_a_bad_request_costs_about_as_much_as_a_good_one(server: Server) -> None:
    """In CPU time, the least of five: a stranger without a token must not be able to keep the process busy."""
    good = await _least(lambda: server.send(HEAD + b"Connection: close\r\n\r\n"))
    bad = await _least(lambda: server.send(BAD["a control byte in a name of 8 KB"]))

    assert bad < 5 * good


async def _least(send: Callable[[], Awaitable[bytes]], *, times: int = 20) -> float:
    taken = []
    for _ in range(5):
        before = time.process_time()
        for _ in range(times):
            await send()
        taken.append(time.process_time() - before)
    return min(taken)


async def test_a_fault_of_a_handler_is_logged(logged: io.StringIO) -> None:
    """What is about us is told with its traceback, and not counted as somebody else's."""
    counted: list[None] = []

    async def fail(_request: web.Request) -> web.Response:
        raise RuntimeError("ours")

    app = web.Application()
    app.router.add_get("/healthz", fail)
    runner = QuietRunner(app, count=lambda: counted.append(None), answer=lambda status: web.Response(status=status))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = int(runner.addresses[0][1])
    await Server(port, Counter("unused", "Unused", registry=None)).send(HEAD + b"Connection: close\r\n\r\n")
    await runner.cleanup()

    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert line["logger"] == "aiohttp.server"
    assert "RuntimeError: ours" in line["exc_info"]
    assert [] == counted
