"""How much of an answer is read, and that a long list is parsed in pieces."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from unit.runtime.fakes import FakeKube
from unit.runtime.kube.test_connection import Server, clock, connection, get, server  # noqa: F401 -- fixtures
from whatsapp_operator.runtime.kube.client import MAX_BYTES, PAGE_BYTES, Kube, Request, Response
from whatsapp_operator.runtime.kube.connection import Connection
from whatsapp_operator.runtime.kube.decoding import SLICE_BYTES, decode
from whatsapp_operator.runtime.kube.errors import AnswerTooLarge, Unreachable
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS

POD = {
    "metadata": {"name": "a", "labels": {f"l{number}": "v" * 30 for number in range(50)}},
    "spec": {"x": [1, 2.5, None]},
}


async def test_a_long_list_is_parsed_in_pieces() -> None:
    """Whatever else waits goes on in between, once in every 64 KB; what comes out is what json makes of it."""
    listing = {"kind": "PodList", "metadata": {"resourceVersion": "7", "continue": "x"}, "items": [POD] * 1000}
    text = json.dumps(listing).encode()
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    found = await decode(text, status=200)
    ticking.cancel()

    assert turns >= len(text) // (SLICE_BYTES + 3000)
    assert {"metadata": listing["metadata"], "items": listing["items"]} == found


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"resourceVersion": "1"}, "items": None},
        {"metadata": {}, "items": []},
        {"metadata": {"name": "big"}, "data": {"x": "y" * 2 * SLICE_BYTES}},
        {"metadata": {"name": "odd"}, "items": {"x": "y" * 2 * SLICE_BYTES}},
        {},
    ],
)
async def test_what_is_no_long_list_is_read_as_it_is(body: dict[str, Any]) -> None:
    """One object, also a large one, and an empty list."""
    assert body == await decode(json.dumps(body).encode(), status=200)


@pytest.mark.parametrize("text", [b"<html>", b"[" * 200_000, b'{"items":[' + b"[" * 200_000, b'{"a":"\xff"}', b"{}x"])
async def test_what_is_no_json_is_no_answer(text: bytes) -> None:
    """However deep it is."""
    with pytest.raises(Unreachable):
        await decode(text, status=200)


@pytest.mark.parametrize("text", [b"[1]", b'"x"', b"7"])
async def test_what_is_no_object_is_cut(text: bytes) -> None:
    """It stands for a message."""
    assert ["message"] == list(await decode(text, status=500))


async def test_no_more_is_read_than_asked_for(connection: Connection, server: Server) -> None:  # noqa: F811
    """And the connection is closed, so that the rest is not waited for."""
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 500 * PAGE_BYTES:
                await response.write(b" " * 65_536)
                sent += 65_536
        except ConnectionError:
            pass
        return response

    server.handler = flood

    with pytest.raises(AnswerTooLarge, match=str(PAGE_BYTES)):
        await connection.send(Request(method="GET", path="/x", timeout=20, max_bytes=PAGE_BYTES))
    assert sent < 20 * PAGE_BYTES


class PagedServer:
    """A server with objects of one size, which counts what it was asked for."""

    def __init__(self, count: int, size: int) -> None:
        self.count = count
        self.size = size
        self.limits: list[int] = []

    def answer(self, request: Request) -> Response:
        """Answer with a page, if it may be as large."""
        query = dict(request.query)
        start, limit = int(query.get("continue") or 0), int(query["limit"])
        self.limits.append(limit)
        found = list(range(start, min(self.count, start + limit)))
        size = len(found) * self.size
        if size > request.max_bytes:
            raise AnswerTooLarge("too large")
        token = str(start + limit) if start + limit < self.count else ""
        items = [{"metadata": {"name": str(number)}} for number in found]
        return Response(
            status=200, body={"metadata": {"resourceVersion": "1", "continue": token}, "items": items}, size=size
        )


async def test_large_objects_are_listed_in_small_pages() -> None:
    """The size is found once, and remembered; all objects come, each once."""
    paged = PagedServer(300, 100_000)
    kube = Kube(FakeKube(paged.answer), timeout=30, page=500)
    first = await kube.list(SESSIONS)
    asked = len(paged.limits)
    second = await kube.list(SESSIONS)

    assert [str(number) for number in range(300)] == [obj["metadata"]["name"] for obj in first.objects]
    assert first == second
    assert max(paged.limits[asked:]) * paged.size <= PAGE_BYTES
    assert len(paged.limits) - asked <= 2 * 300 * paged.size // PAGE_BYTES + 2


async def test_pages_grow_again_with_small_objects() -> None:
    """One hostile object does not make every list slow for good; other kinds are not touched at all."""
    paged = PagedServer(300, 1_000_000)
    kube = Kube(FakeKube(paged.answer), timeout=30, page=500)
    await kube.list(SESSIONS)
    paged.size, paged.count = 1000, 2000
    paged.limits.clear()
    await kube.list(PODS)
    pods = list(paged.limits)
    for _ in range(2):
        paged.limits.clear()
        await kube.list(SESSIONS)

    assert [500] * 4 == pods
    assert [500] * 4 == paged.limits


async def test_one_object_that_is_too_large_is_reported() -> None:
    """No page is smaller than one object."""
    with pytest.raises(AnswerTooLarge):
        await Kube(FakeKube(PagedServer(3, MAX_BYTES + 1).answer), timeout=30).list(SESSIONS)
