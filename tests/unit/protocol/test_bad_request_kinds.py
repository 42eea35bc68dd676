"""More of what strangers send to both servers: none of it is repeated, logged or dear, and the server goes on."""

import asyncio
import io

import pytest
from unit.protocol.test_bad_requests import BAD, HEAD, MARK, Server, logged, server  # noqa: F401 -- fixtures

GET = b"GET /healthz HTTP/1.1\r\n"
ODD = {
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MARK,
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARK * 20,
    "a method without end": MARK * 900 + b" / HTTP/1.1\r\n\r\n",
    "a method with control bytes": b"G\x1b[2J\x07" + MARK + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": GET + b"X: " + MARK + b"\r\n\r\n",
    "two hosts": HEAD + b"Host: " + MARK + b"\r\n\r\n",
    "a zero byte in a value": HEAD + b"X: a\x00" + MARK + b"\r\n\r\n",
    "an escape in a value": HEAD + b"X: \x1b]52;c;" + MARK + b"\x07\r\n\r\n",
    "a carriage return in a value": HEAD + b"X: a\rY: " + MARK + b"\r\n\r\n",
    "lines that end in a line feed alone": b"GET /healthz HTTP/1.1\nHost: x\nX: " + MARK + b"\n\n",
    "a folded header": HEAD + b"X: a\r\n " + MARK + b"\r\n\r\n",
    "a blank before the colon": HEAD + b"X : " + MARK + b"\r\n\r\n",
    "no name": HEAD + b": " + MARK + b"\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + MARK,
    "a length with a plus": HEAD + b"Content-Length: +5\r\n\r\n" + MARK,
    "a length beyond all numbers": HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + MARK,
    "a length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + MARK,
    "an unknown coding": HEAD + b"Transfer-Encoding: " + MARK + b"\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an extension without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + MARK * 3000 + b"\r\n",
    "a chunk beyond all numbers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 40 + b"\r\n" + MARK,
    "a login in the address": b"GET http://anna:" + MARK + b"@x/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "an upgrade": HEAD + b"Connection: upgrade\r\nUpgrade: " + MARK + b"\r\n\r\n" + MARK,
    "an upgrade to HTTP/2": HEAD
    + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
    + MARK
    + b"\r\n\r\n",
    "a tunnel": b"CONNECT " + MARK + b":443 HTTP/1.1\r\nHost: x\r\n\r\n" + MARK,
    "a path that climbs": b"GET /../../" + MARK + b"/%00/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in a path": b"GET /\xff\xfe" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query without end": b"GET /metrics?" + b"name[]=" + MARK * 500 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "an Accept header without sense": GET.replace(b"healthz", b"metrics")
    + b"Accept: "
    + b"a/b;q="
    + MARK * 300
    + b"\r\n\r\n",
    "a token that is none": GET + b"Host: x\r\nAuthorization: Bearer " + MARK * 100 + b"\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", ODD.values(), ids=ODD)
async def test_nothing_of_it_is_repeated_or_logged(server: Server, request_bytes: bytes, logged: io.StringIO) -> None:  # noqa: F811
    """Whether it is answered, refused or cut off."""
    end = b"" if b"chunked" in request_bytes else b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    try:
        answer = await asyncio.wait_for(server.send(request_bytes + end), 7)
    except TimeoutError:  # it waits for more; how long, is in test_connections
        answer = b""

    assert "" == logged.getvalue()
    assert MARK not in answer
    assert b" 200 " in await server.send(HEAD + b"Connection: close\r\n\r\n")


async def test_a_flood_after_an_upgrade_is_cut_off(server: Server) -> None:  # noqa: F811
    """No other protocol is spoken here, so that what comes instead of a request is as bounded as one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(ODD["an upgrade"])
    await reader.readuntil(b"\r\n\r\n")
    sent = 0
    try:
        while sent < 50_000_000:
            writer.write(MARK * 5000)
            await asyncio.wait_for(writer.drain(), 10)
            sent += len(MARK) * 5000
    except ConnectionError:
        pass
    finally:
        writer.close()

    assert sent < 20_000_000


async def test_a_hundred_bad_requests_are_counted_alone(server: Server, logged: io.StringIO) -> None:  # noqa: F811
    """Four at a time; a log with a line for each would be theirs."""
    counted = server.count()
    for _ in range(25):
        await asyncio.gather(*(server.send(request) for request in list(BAD.values())[:4]))

    assert 100 == server.count() - counted
    assert "" == logged.getvalue()
