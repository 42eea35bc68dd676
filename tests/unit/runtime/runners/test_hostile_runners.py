"""What a hostile runner may cost: answers that go on without end, in every place where HTTP lets one.

The servers are raw sockets on loopback, since no library would send this. Each sends until it is cut off, so that what it
got rid of, and what CPU time this process took meanwhile, are what an answer may cost.
"""

import asyncio
import gzip
import itertools
import json
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import pytest
from unit.runtime.runners.listeners import target
from unit.runtime.runners.test_poller import GOOD
from whatsapp_operator.core.model import Rejection
from whatsapp_operator.runtime.runners import client
from whatsapp_operator.runtime.runners.client import HttpRunnerClient, NoAnswer
from whatsapp_operator.runtime.runners.connection import WIRE_BYTES

BODY = json.dumps(GOOD).encode()
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MARK = b"Relink at https://evil.example/"
_addresses = itertools.count(1)

Script = Callable[[], Iterator[bytes]]


def endless(start: bytes, unit: bytes, *, write: int = 1) -> Script:
    """Return a script that sends the start, then the unit for ever, `write` of it at a time."""
    return lambda: itertools.chain([start], itertools.repeat(unit * write))


def once(answer: bytes) -> Script:
    """Return a script that sends one answer and then waits."""
    return lambda: iter([answer])


TOO_LARGE: dict[str, Script] = {
    "interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", write=100),
    "interim answers, one a packet": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim answers with headers": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n" % MARK, write=10),
    "a byte a chunk": endless(CHUNKED, b"1\r\n \r\n", write=1000),
    "a byte a chunk and packet": endless(CHUNKED, b"1\r\n \r\n"),
    "a byte a packet": endless(OK + b"Content-Length: 60000\r\n\r\n", b" "),
    "a head, a byte a packet": endless(OK + b"X: ", b"a"),
    "a body without end": endless(OK + b"\r\n", b"x" * 4096),
    "a chunk without end": endless(CHUNKED + b"FFFFFFFF\r\n", b"x" * 4096),
    "a packed body without end": endless(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(bytes(1_000_000))),
}
""" What goes beyond the budget. """
NO_HTTP: dict[str, Script] = {
    "extensions of a chunk": endless(CHUNKED + b"1;", b"a=b;", write=1000),
    "trailers": endless(CHUNKED + b"1\r\n \r\n0\r\n", b"X: y\r\n", write=1000),
    "headers": endless(OK, b"X: y\r\n", write=100),
    "one header": endless(OK + b"X: ", b"a" * 4096),
    "a status line": endless(b"HTTP/1.1 200 ", b"O" * 4096),
    "cookies": endless(OK, b"Set-Cookie: a=b\r\n", write=100),
    "no HTTP at all": endless(b"", MARK, write=10),
    "a sentence for a header": once(OK + MARK + b" now\r\n\r\n"),
    "two lengths": once(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "a length that is none": once(OK + b"Content-Length: 0x10\r\n\r\n" + MARK),
    "a chunk of no length": once(CHUNKED + b"zz\r\n" + MARK + b"\r\n"),
}
""" What the parser refuses, or the budget before it. """
STATUS: dict[str, Script] = {
    "another protocol": once(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + MARK * 999
    ),
    "a redirection": once(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    "a page": once(b"HTTP/1.1 503 " + MARK + b"\r\nContent-Length: 9\r\n\r\n<html>Hi!"),
}
INVALID: dict[str, Script] = {
    "a packed answer": once(
        OK
        + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(BODY, mtime=0))
        + gzip.compress(BODY, mtime=0)
    ),
    "a page": once(OK + b"Content-Length: 9\r\n\r\n<html>Hi!"),
    "nothing": once(OK + b"Content-Length: 0\r\n\r\n"),
    "brackets": once(OK + b"Content-Length: 30000\r\n\r\n" + b"[" * 30000),
}


class Hostile:
    """A server that sends what a script says, whatever it is asked, and counts what it got rid of."""

    def __init__(self) -> None:
        self.ip = f"127.{100 + os.getpid() % 30}.{os.getpid() // 30 % 250}.{next(_addresses) % 250 + 1}"
        self.script: Script = once(b"")
        self.sent = 0
        self.connections = 0
        self.pause = 0.0
        """ Seconds between two packets. """
        self.keeps_alive = False
        """ Answers every request of a connection, and not only the first. """
        self.ended = asyncio.Event()
        """ Set when a connection has been closed by the other side. """

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send, one write a packet."""
        self.connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self._answer(writer)
            while self.keeps_alive:
                await reader.readuntil(b"\r\n\r\n")
                await self._answer(writer)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended.set()
            writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        for part in self.script():
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(self.pause)
            self.sent += len(part)


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    """A runner that wants to keep us busy."""
    hostile = Hostile()
    server = await asyncio.start_server(hostile.serve, hostile.ip, 8080)
    yield hostile
    server.close()
    await server.wait_closed()


@pytest.fixture
def rejected() -> Counter[Rejection]:
    """What was counted."""
    return Counter()


@pytest.fixture
async def http(rejected: Counter[Rejection]) -> AsyncIterator[HttpRunnerClient]:
    """The client."""
    http = HttpRunnerClient(key=lambda _: bytes(32), rejected=lambda reason: rejected.update([reason]))
    yield http
    await http.close()


@pytest.mark.parametrize("script", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_an_answer_has_a_budget(
    http: HttpRunnerClient, hostile: Hostile, rejected: Counter[Rejection], script: Script
) -> None:
    """Of bytes on the wire and of reads; beyond it the connection is closed, and that is counted."""
    hostile.script = script
    before = time.process_time()

    with pytest.raises(NoAnswer) as caught:
        await http.get_state(target(hostile.ip), after=None)
    await asyncio.wait_for(hostile.ended.wait(), 5)

    assert Rejection.TOO_LARGE == caught.value.rejection
    assert {Rejection.TOO_LARGE: 1} == rejected
    assert time.process_time() - before < 1


@pytest.mark.parametrize("script", NO_HTTP.values(), ids=NO_HTTP)
async def test_what_is_no_http_is_cut_off_at_once(
    http: HttpRunnerClient, hostile: Hostile, rejected: Counter[Rejection], script: Script
) -> None:
    """In a head, in a body, behind it."""
    hostile.script = script

    with pytest.raises(NoAnswer) as caught:
        await http.get_state(target(hostile.ip), after=None)
    await asyncio.wait_for(hostile.ended.wait(), 5)

    assert caught.value.rejection in (Rejection.INVALID_HTTP, Rejection.TOO_LARGE)
    assert {caught.value.rejection: 1} == rejected


@pytest.mark.parametrize(
    ("script", "rejection"),
    [
        *((script, Rejection.STATUS) for script in STATUS.values()),
        *((script, Rejection.INVALID_STATE) for script in INVALID.values()),
    ],
    ids=[*STATUS, *INVALID],
)
async def test_what_is_no_state_is_none(
    http: HttpRunnerClient, hostile: Hostile, rejected: Counter[Rejection], script: Script, rejection: Rejection
) -> None:
    """Nothing is followed, unpacked or believed."""
    hostile.script = script

    with pytest.raises(NoAnswer) as caught:
        await http.get_state(target(hostile.ip), after=None)

    assert rejection == caught.value.rejection
    assert {rejection: 1} == rejected


@pytest.mark.parametrize("script", [*TOO_LARGE.values(), *NO_HTTP.values(), *STATUS.values(), *INVALID.values()])
async def test_nothing_of_a_rejected_answer_is_reported(
    http: HttpRunnerClient, hostile: Hostile, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the error nor in a log, at any level."""
    hostile.script = script

    with caplog.at_level(logging.DEBUG), pytest.raises(NoAnswer) as caught:
        await http.get_state(target(hostile.ip), after=None)

    assert MARK.decode() not in caplog.text
    assert "evil" not in str(caught.value)


async def test_the_budget_ends_a_flood_soon(http: HttpRunnerClient, hostile: Hostile) -> None:
    """Little more is taken than the budget and what lies in the sockets' buffers."""
    hostile.script = endless(OK + b"\r\n", b"x" * 1024)

    with pytest.raises(NoAnswer):
        await http.get_state(target(hostile.ip), after=None)
    await asyncio.wait_for(hostile.ended.wait(), 5)

    assert hostile.sent < 100 * WIRE_BYTES


async def test_a_long_honest_answer_in_many_packets_counts(http: HttpRunnerClient, hostile: Hostile) -> None:
    """The longest message, each character escaped, in packets of a small network, after an interim answer."""
    body = json.dumps({**GOOD, "message": "\U0001f600" * 4096}).encode()
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
    hostile.script = lambda: (answer[at : at + 1200] for at in range(0, len(answer), 1200))

    answered = await http.get_state(target(hostile.ip), after=None)

    assert "Connected" == answered.state


async def test_a_connection_is_used_again(http: HttpRunnerClient, hostile: Hostile) -> None:
    """The budget is an answer's, not a connection's."""
    hostile.script = once(OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    hostile.keeps_alive = True

    for _ in range(600):
        await http.get_state(target(hostile.ip), after=None)

    assert 1 == hostile.connections


async def test_bytes_after_an_answer_end_the_connection(http: HttpRunnerClient, hostile: Hostile) -> None:
    """Nobody waits for them: they are no answer to the next question."""
    hostile.script = lambda: itertools.chain(
        [OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY], itertools.repeat(b"HTTP/1.1 200 OK\r\n\r\n" * 100)
    )

    await http.get_state(target(hostile.ip), after=None)

    await asyncio.wait_for(hostile.ended.wait(), 5)


async def test_a_trickle_ends_with_the_time_for_an_answer(
    http: HttpRunnerClient, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then stays within the budget of reads, but not of time."""
    monkeypatch.setattr(client, "WAIT", timedelta(seconds=0.2))
    monkeypatch.setattr(client, "GRACE", timedelta(seconds=0.2))
    hostile.script = endless(OK + b"X: ", b"a")
    hostile.pause = 0.05
    started = time.monotonic()

    with pytest.raises(NoAnswer):
        await http.get_state(target(hostile.ip), after=None)

    assert time.monotonic() - started < 10
    await asyncio.wait_for(hostile.ended.wait(), 5)
