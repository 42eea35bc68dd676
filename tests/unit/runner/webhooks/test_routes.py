"""The routes about webhooks, with a real server, outbox and receiver."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace
from prometheus_client import generate_latest
from session_runner.metrics.metrics import Metrics
from session_runner.outbox.deliveries import Backlog
from support.runner_parts import make_api, make_parts
from unit.runner.webhooks.receivers import Receiver, Sessions, receiving, webhook

ADMIN = {"Authorization": "Bearer admin-token"}


@contextlib.asynccontextmanager
async def served(session: Sessions) -> AsyncIterator[Any]:
    """A session's API."""
    (session.folder / "admin").write_text("admin-token")
    (session.folder / "state").write_text("state-token")
    parts = make_parts()
    parts = replace(parts, receiving=replace(parts.receiving, deliverer=session.deliverer))
    async with TestClient(TestServer(make_api(parts, session.folder))) as client:
        yield client


async def test_dead_letters_are_listed_and_redriven(tmp_path: Path) -> None:
    """By whoever administers the session; the texts in them are not shown."""
    receiver = Receiver(answer=lambda _: web.Response(status=404))
    async with receiving(receiver):
        session = Sessions(tmp_path, (webhook(receiver),))
        async with session.running() as outbox, served(session) as client:
            await session.store(outbox, "hello")
            await session.settles(dead=1)
            states = await (await client.get("/v1/webhooks", headers=ADMIN)).json()
            answer = await client.get("/v1/dead-letters?webhook=bot", headers=ADMIN)
            letters = await answer.text()
            receiver.answer = lambda _: web.Response()
            body = {"webhook": "bot", "ids": ["evt-1"]}
            redriven = await (await client.post("/v1/dead-letters/redrive", json=body, headers=ADMIN)).json()
            await session.settles()
            after = await (await client.get("/v1/dead-letters", headers=ADMIN)).json()
            nothing = await (await client.post("/v1/dead-letters/redrive", headers=ADMIN)).json()

    (letter,) = json.loads(letters)["deadLetters"]
    assert ("evt-1", "bot", "message", 1) == (letter["id"], letter["webhook"], letter["type"], letter["tries"])
    assert "The receiver answered 404." == letter["problem"]
    assert "hello" not in letters
    (state,) = states["webhooks"]
    assert ("bot", 0, 1, None, "The receiver answered 404.") == tuple(
        state[key] for key in ("name", "waiting", "deadLetters", "oldestTime", "problem")
    )
    assert ({"redriven": 1}, {"redriven": 0}, {"deadLetters": []}) == (redriven, nothing, after)
    assert ["hello", "hello"] == receiver.texts


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/webhooks"), ("GET", "/v1/dead-letters"), ("POST", "/v1/dead-letters/redrive")]
)
async def test_only_who_administers_may_ask(tmp_path: Path, method: str, path: str) -> None:
    """And is told while there is nobody to ask."""
    async with served(Sessions(tmp_path, ())) as client:
        statuses = [
            (await client.request(method, path, headers=headers)).status
            for headers in ({}, {"Authorization": "Bearer state-token"}, ADMIN)
        ]

    assert [401, 403, 503] == statuses


@pytest.mark.parametrize("body", [b'{"ids": 1}', b'{"webhook": "\xff"}', b'{"a":' + b"[" * 5000])
async def test_a_wrong_request_is_refused(tmp_path: Path, body: bytes) -> None:
    """With what to send instead."""
    async with served(Sessions(tmp_path, ())) as client:
        answer = await client.post("/v1/dead-letters/redrive", data=body, headers=ADMIN)

        assert (400, True) == (answer.status, '{"ids": ["ID"]}' in (await answer.json())["detail"])


def test_metrics_have_the_backlog_of_each_webhook() -> None:
    """By its name; neither address nor event is in a label."""
    metrics = Metrics()
    metrics.webhooks.show({"bot": Backlog(waiting=2, oldest=5.0, dead=1), "log": Backlog()})
    metrics.count_delivery("bot", "5xx")

    lines = [line for line in generate_latest(metrics.registry).decode().splitlines() if "webhook" in line]
    assert 'whatsapp_runner_webhook_backlog{webhook="bot"} 2.0' in lines
    assert 'whatsapp_runner_webhook_backlog{webhook="log"} 0.0' in lines
    assert 'whatsapp_runner_webhook_oldest_timestamp_seconds{webhook="bot"} 5.0' in lines
    assert 'whatsapp_runner_webhook_dead_letters{webhook="bot"} 1.0' in lines
    assert 'whatsapp_runner_webhook_deliveries_total{code="5xx",webhook="bot"} 1.0' in lines
    assert not [
        line for line in lines if line.startswith('whatsapp_runner_webhook_oldest_timestamp_seconds{webhook="log"}')
    ]
