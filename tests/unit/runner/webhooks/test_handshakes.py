"""The handshake of the Cloud API with a real receiver on loopback: before anything is sent, and again when it may succeed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from session_protocol.vocabulary import WebhookFormat
from session_runner.webhooks import channel
from unit.runner.webhooks.receivers import Arrival, Receiver, Sessions, receiving, secret, webhook


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that takes everything."""
    made = Receiver()
    async with receiving(made):
        yield made


def shakes(arrival: Arrival, token: str) -> web.Response:
    """A receiver that knows the handshake."""
    if arrival.method != "GET":
        return web.Response()
    if (arrival.query["hub.mode"], arrival.query["hub.verify_token"]) != ("subscribe", token):
        return web.Response(status=403)
    return web.Response(text=arrival.query["hub.challenge"])


async def test_a_receiver_of_the_cloud_api_is_asked_first(tmp_path: Path, receiver: Receiver) -> None:
    """Until it answers the challenge nothing is delivered; then it is not asked again."""
    secret(tmp_path, signingSecret="abc", verifyToken="token")
    session = Sessions(tmp_path, (webhook(receiver, format=WebhookFormat.CLOUD_API, secret_name="bot"),))
    receiver.answer = lambda it: shakes(it, "another")
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.says("handshake with 403")
        receiver.answer = lambda it: shakes(it, "token")
        session.ahead += timedelta(seconds=10)
        session.deliverer.wake()
        await session.settles()
        await session.store(outbox, "b")
        await session.settles()

    assert ["GET", "GET", "POST", "POST"] == [it.method for it in receiver.requests]
    assert receiver.requests[0].query["hub.challenge"].isdecimal()


async def test_another_verify_token_is_tried_at_once(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the kubelet has brought it, whatever the pause is."""
    monkeypatch.setattr(channel, "SECRET_PAUSE", 0.05)
    secret(tmp_path, signingSecret="abc", verifyToken="wrong")
    session = Sessions(tmp_path, (webhook(receiver, format=WebhookFormat.CLOUD_API, secret_name="bot"),))
    receiver.answer = lambda it: shakes(it, "token")
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.has(receiver, 1)
        await asyncio.sleep(0.2)
        secret(tmp_path, signingSecret="abc", verifyToken="token")
        await session.settles()

    assert ["GET", "GET", "POST"] == [it.method for it in receiver.requests]


async def test_a_handshake_that_nobody_answers_is_tried_again(tmp_path: Path) -> None:
    """With the reason in the report."""
    secret(tmp_path, signingSecret="abc", verifyToken="token")
    closed = webhook("http://127.0.0.1:1/", format=WebhookFormat.CLOUD_API, secret_name="bot")
    session = Sessions(tmp_path, (closed,))
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.says("cannot be reached")
