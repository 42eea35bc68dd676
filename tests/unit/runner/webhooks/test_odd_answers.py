"""Receivers whose answers are odd: what they have taken is not sent again, whatever is wrong with the rest of the answer."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from session_runner.outbox import deliveries
from session_runner.webhooks import channel, sender
from unit.runner.webhooks.receivers import Receiver, Sessions, receiving, webhook


@contextlib.asynccontextmanager
async def answering(pieces: Sequence[bytes], *, closes: bool) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers each request with these bytes, a moment between them; gives its address and counts requests."""
    requests: list[int] = []
    connections: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        requests.append(len(head))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        if not closes:
            await reader.read()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", requests
        await asyncio.gather(*connections)  # whoever asked has closed his end


OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("pieces", "closes"),
    [
        ([OK + b"Content-Length: 100\r\n\r\nhalf"], True),
        ([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"], True),
        ([OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"], True),
        ([OK + b"Content-Length: 100\r\n\r\nand never the rest"], False),
        ([OK + b"Content-Length: 10000000\r\n\r\n", b"x" * 1_000_000, b"x" * 1_000_000], True),
        ([OK + b"Set-Cookie: " + b"x" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"], True),
        ([b"HTTP/1.1 299 As It Likes\r\nConnection: close\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"], True),
        ([b"HTTP/1.0 200\r\n\r\n"], True),
    ],
)
async def test_what_was_taken_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: Sequence[bytes], *, closes: bool
) -> None:
    """The status says that it was; a body that breaks off, never ends or is no body says nothing else."""
    monkeypatch.setattr(sender, "BODY", 0.2)
    async with answering(pieces, closes=closes) as (url, requests):
        session = Sessions(tmp_path, (webhook(url),))
        async with session.running() as outbox:
            await session.store(outbox, "one")
            await session.store(outbox, "two")
            await session.settles()

    assert 2 == len(requests)
    assert [("bot", "2xx")] * 2 == session.counted


@pytest.mark.parametrize("pieces", [[b""], [b"HTTP/1.1 200"], [b"SSH-2.0-x\r\n\r\n"], [OK + b"Content-Length: 1"]])
async def test_what_has_no_status_is_tried_again(tmp_path: Path, pieces: Sequence[bytes]) -> None:
    """Nobody knows whether it was taken."""
    async with answering(pieces, closes=True) as (url, requests):
        session = Sessions(tmp_path, (webhook(url),))
        async with session.running() as outbox:
            await session.store(outbox, "one")
            await session.tried(outbox)

    assert requests
    assert ("bot", "none") == session.counted[0]


async def test_a_full_volume_sends_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a delivery was taken is noted when there is room again; until then it is not posted a second time."""
    monkeypatch.setattr(channel, "SECRET_PAUSE", 0.05)
    noted, receiver, fails = deliveries.delivered, Receiver(), [3]

    def delivered(database: sqlite3.Connection, place: int) -> None:
        if fails[0]:
            fails[0] -= 1
            raise sqlite3.OperationalError("database or disk is full")
        noted(database, place)

    monkeypatch.setattr(deliveries, "delivered", delivered)
    async with receiving(receiver):
        session = Sessions(tmp_path, (webhook(receiver),))
        async with session.running() as outbox:
            await session.store(outbox, "one")
            await session.store(outbox, "two")
            await session.settles()

    assert ["one", "two"] == receiver.texts
