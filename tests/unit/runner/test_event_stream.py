"""The stream of events over a real server: from now on, from where a client was, and what it is told when that is gone."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from session_protocol.vocabulary import RunnerState
from session_runner.http import event_stream
from session_runner.outbox import events
from session_runner.outbox.outbox import Outbox
from support.runner_parts import make_api
from support.waiting import async_until
from unit.runner.inbox_harness import ADA, NOW, Receiving, becomes, receiving

SEND = {"Authorization": "Bearer send-token"}


class Served:
    """A session and its API."""

    def __init__(self, folder: Path) -> None:
        for scope in ("state", "send"):
            (folder / scope).write_text(f"{scope}-token\n")
        self.session = Receiving(linked=NOW - timedelta(days=1))
        self.session.say(RunnerState.CONNECTED)
        self.outbox: Outbox
        self.client = TestClient(TestServer(make_api(self.session.parts, folder)))

    async def receive(self, identifier: str) -> None:
        """Let a message come in."""
        before = await self.newest()
        self.session.put(ADA, identifier, t=NOW.timestamp() + 1)
        await async_until("an event", self.newest, lambda now: now > before, within=20)

    async def newest(self) -> int:
        """The place of the newest event."""
        return await self.outbox.run(events.newest)

    @contextlib.asynccontextmanager
    async def stream(self, query: str = "", **headers: str) -> AsyncIterator[ClientResponse]:
        """Open the stream."""
        async with self.client.get(f"/v1/events{query}", headers=SEND | headers) as response:
            yield response


async def read(response: ClientResponse, count: int) -> list[dict[str, Any]]:
    """Give so many of the stream's next events, with their fields."""
    found: list[dict[str, Any]] = []
    fields: dict[str, Any] = {}
    while len(found) < count:
        line = (await asyncio.wait_for(response.content.readline(), 10)).decode()
        name, _, value = line.strip().partition(": ")
        if name and name != "retry":
            fields[name] = value
        elif fields.get("data"):
            found.append(fields)
            fields = {}
    return found


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A session that has read nothing yet but its state."""
    made = Served(tmp_path)
    async with receiving(made.session, tmp_path) as made.outbox, made.client:
        await async_until("the state", made.newest, lambda now: now > 0, within=20)
        yield made


async def test_events_come_as_they_happen(served: Served) -> None:
    """Each with its id and type, and the bytes that are stored."""
    async with served.stream() as response:
        await served.receive("A")
        await served.receive("B")
        first, second = await read(response, 2)
    rows = await served.outbox.run(events.after, 1, most=10)

    assert (200, "text/event-stream") == (response.status, response.content_type)
    assert "no-store" == response.headers["Cache-Control"]
    assert ["A", "B"] == [json.loads(one["data"])["data"]["id"] for one in (first, second)]
    assert [(row.id, "message", row.body.decode()) for row in rows] == [
        (one["id"], one["event"], one["data"]) for one in (first, second)
    ]


@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_client_goes_on_where_it_was(served: Served, way: str) -> None:
    """With what happened meanwhile, and nothing twice."""
    async with served.stream() as response:
        await served.receive("A")
        (first,) = await read(response, 1)
    await served.receive("B")
    headers = {"Last-Event-ID": first["id"]} if way == "header" else {}
    query = f"?after={first['id']}" if way == "query" else ""
    async with served.stream(query, **headers) as response:
        await served.receive("C")
        found = await read(response, 2)

    assert ["B", "C"] == [json.loads(one["data"])["data"]["id"] for one in found]


async def test_what_is_gone_is_reported_gone(served: Served) -> None:
    """A stream has no hole that nobody knows of."""
    async with served.stream("?after=EVNONE") as response:
        document = await response.json()

    assert (410, "EventsGone") == (response.status, document["error"]["code"])


async def test_a_hole_ends_the_stream(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a client that reads more slowly than events go."""
    after = served.session.inbox.after

    async def later(place: int, *, most: int) -> list[events.Stored]:
        return [row for row in await after(place, most=most) if row.place > place + 1]

    monkeypatch.setattr(served.session.inbox, "after", later)
    async with served.stream() as response:
        await served.receive("A")
        await served.receive("B")
        rest = await asyncio.wait_for(response.content.read(), 10)

    assert rest.startswith(b"retry: ")
    assert b"data" not in rest


async def test_silence_is_filled(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing on the way takes the stream for dead; after its time it ends."""
    monkeypatch.setattr(event_stream, "HEARTBEAT", 0.02)
    monkeypatch.setattr(event_stream, "LONGEST", 1.0)  # a busy machine has time for two
    async with served.stream() as response:
        rest = await asyncio.wait_for(response.content.read(), 10)

    assert rest.count(b": nothing yet") >= 2


async def test_the_end_of_the_runner_ends_it(served: Served) -> None:
    """At once."""
    async with served.stream() as response:
        served.session.store.close()
        served.session.inbox.changed.emit()
        await asyncio.wait_for(response.content.read(), 10)


async def test_there_are_only_so_many(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted, and one that ends makes room."""
    monkeypatch.setattr(event_stream, "MOST_STREAMS", 1)
    value = served.session.metrics.registry.get_sample_value
    async with served.stream() as response:
        assert 200 == response.status
        assert 1 == value("whatsapp_runner_event_streams")
        async with served.stream() as refused:
            assert 429 == refused.status

    async def streams() -> float | None:
        return value("whatsapp_runner_event_streams")

    await async_until("none", streams, lambda now: now == 0, within=20)


async def test_it_needs_the_token_for_messages(served: Served, tmp_path: Path) -> None:
    """And a runner that has its file open."""
    async with served.client.get("/v1/events", headers={"Authorization": "Bearer state-token"}) as response:
        assert 403 == response.status
    await becomes(served.outbox)
    idle = tmp_path / "idle"
    idle.mkdir()
    other = Served(idle)
    async with other.client, other.stream() as response:
        assert 503 == response.status


async def test_many_long_events_are_read_a_few_at_a_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream holds what it reads, and so does every other; all come in the end."""
    monkeypatch.setattr(events, "MOST_READ", 1)
    async with served.stream() as response:
        for identifier in "ABC":
            await served.receive(identifier)
        found = await read(response, 3)
    some = await served.outbox.run(events.after, 0, most=10)

    assert list("ABC") == [json.loads(one["data"])["data"]["id"] for one in found]
    assert 1 == len(some)


async def test_a_last_id_that_is_no_text_is_of_no_event(served: Served) -> None:
    """Bytes that a client made up fail nothing."""
    reader, writer = await asyncio.open_connection(served.client.host, served.client.port)
    writer.write(
        b"GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer send-token\r\nLast-Event-ID: \xff\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()

    assert b" 410 " in answer
