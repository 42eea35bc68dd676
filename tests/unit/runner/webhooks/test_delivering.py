"""Deliveries to a real receiver on loopback: what comes, in which order, how often, and what becomes of the rest."""

import asyncio
import hashlib
import hmac
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from session_protocol.live_settings import Header, LiveSettings
from session_protocol.vocabulary import WebhookFormat
from session_runner.webhooks import channel, connections, sender
from session_runner.webhooks.guard import refusal
from session_runner.webhooks.signing import cloud_api_headers
from unit.runner.webhooks.receivers import SECRET, Arrival, Receiver, Sessions, receiving, secret, text_of, webhook


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that takes everything."""
    made = Receiver()
    async with receiving(made):
        yield made


async def test_events_of_a_chat_come_in_their_order_one_at_a_time(tmp_path: Path, receiver: Receiver) -> None:
    """Each once; when all are taken nothing is left of them."""
    session = Sessions(tmp_path, (webhook(receiver),))
    async with session.running() as outbox:
        for number in range(20):
            await session.store(outbox, str(number))
        await session.settles()

    assert [str(number) for number in range(20)] == receiver.texts
    assert 1 == receiver.most_at_once
    assert {("bot", "2xx")} == set(session.counted)


async def test_chats_do_not_wait_for_each_other(tmp_path: Path, receiver: Receiver) -> None:
    """Eight at once, no more."""
    session = Sessions(tmp_path, (webhook(receiver),))
    async with session.outbox() as outbox:
        for number in range(40):
            await session.store(outbox, str(number), chat=f"ZZ.{number % 20}")
    async with session.running() as outbox:
        await session.settles()

    assert 40 == len(set(receiver.texts))
    assert 1 < receiver.most_at_once <= sender.AT_ONCE


async def test_a_failing_receiver_gets_the_same_bytes_again(tmp_path: Path, receiver: Receiver) -> None:
    """What comes behind in that chat waits for it, another chat does not."""
    session = Sessions(tmp_path, (webhook(receiver),))
    receiver.answer = lambda it: web.Response(status=500 if text_of(it.body) == "first" else 200)
    async with session.running() as outbox:
        for text, chat in (("first", "ZZ.1"), ("second", "ZZ.1"), ("other", "ZZ.2")):
            await session.store(outbox, text, chat=chat)
        await session.settles(waiting=2)
        await session.tried(outbox)
        before = list(receiver.texts)
        receiver.answer = lambda _: web.Response()
        session.ahead += timedelta(seconds=10)
        session.deliverer.wake()
        await session.settles()

    assert ["first", "other"] == sorted(before)
    assert ["first", "second"] == receiver.texts[2:]
    first = [it.body for it in receiver.requests if text_of(it.body) == "first"]
    assert (2, 1) == (len(first), len(set(first)))


async def test_a_refusal_makes_a_dead_letter_that_holds_up_nothing(tmp_path: Path, receiver: Receiver) -> None:
    """It is listed without its body, and sent again when somebody says so, as the same bytes."""
    session = Sessions(tmp_path, (webhook(receiver),))
    receiver.answer = lambda it: web.Response(status=410 if text_of(it.body) == "first" else 200)
    async with session.running() as outbox:
        await session.store(outbox, "first")
        await session.store(outbox, "second")
        await session.settles(dead=1)
        letters = await session.deliverer.dead_letters(None)
        none = await session.deliverer.dead_letters("other")
        receiver.answer = lambda _: web.Response()
        assert 0 == await session.deliverer.redrive(webhook=None, identifiers=["evt-9"])
        assert 1 == await session.deliverer.redrive(webhook="bot", identifiers=["evt-1"])
        await session.settles()

    assert letters is not None
    assert [("evt-1", "bot", "message", 1, "The receiver answered 410.")] == [
        (it.identifier, it.webhook, it.kind, it.tries, it.problem) for it in letters
    ]
    assert [] == none
    assert ["first", "second", "first"] == receiver.texts
    assert receiver.requests[0].body == receiver.requests[2].body


async def test_a_receiver_that_wants_rest_gets_it(tmp_path: Path, receiver: Receiver) -> None:
    """All chats keep to Retry-After."""
    session = Sessions(tmp_path, (webhook(receiver),))
    receiver.answer = lambda _: web.Response(status=429, headers={"Retry-After": "300"})
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        await session.store(outbox, "b", chat="ZZ.2")
        session.ahead += timedelta(seconds=290)
        session.deliverer.wake()
        await asyncio.sleep(0.1)
        early = len(receiver.requests)
        receiver.answer = lambda _: web.Response()
        session.ahead += timedelta(seconds=20)
        session.deliverer.wake()
        await session.settles()

    assert 1 == early
    assert ["a", "a", "b"] == sorted(receiver.texts)


async def test_a_clock_that_was_ahead_keeps_nothing_back(tmp_path: Path, receiver: Receiver) -> None:
    """A pause from then has its end in a day, by the clock of now: neither its delivery nor its receiver waits for that."""
    session = Sessions(tmp_path, (webhook(receiver),))
    session.ahead = timedelta(days=1)
    receiver.answer = lambda _: web.Response(status=429, headers={"Retry-After": "300"})
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        receiver.answer = lambda _: web.Response()
        session.ahead = timedelta()
        await session.store(outbox, "b", chat="ZZ.2")
        await session.settles()

    assert ["a", "a", "b"] == sorted(receiver.texts)


async def test_a_receiver_that_hangs_holds_up_no_other(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each webhook has its own rows; what is unanswered in time is tried again."""
    monkeypatch.setattr(sender, "SECONDS", 2)
    silent = Receiver(hangs=True)
    async with receiving(silent):
        session = Sessions(tmp_path, (webhook(silent, "silent"), webhook(receiver)))
        async with session.running() as outbox:
            for number in range(5):
                await session.store(outbox, str(number), chat=f"ZZ.{number}")
            await session.settles(waiting=5)
            await session.has(silent, 5)
            await session.says("The receiver did not answer within 2 s.")
            after = await session.deliverer.reports()

    assert {"0", "1", "2", "3", "4"} == set(receiver.texts)
    assert after is not None
    assert (5, 0) == (after[0].backlog.waiting, after[1].backlog.waiting)
    assert ("silent", "none") in session.counted


@pytest.mark.timeout(120)
async def test_a_thousand_events_outlast_a_bad_receiver(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails, wants rest and hangs, and refuses a few for good: each other one is taken once, in the order of its chat.

    Again only if its answer came too late, as it may on a machine that is busy.
    """
    monkeypatch.setattr(sender, "SECONDS", 0.5)
    session, chance = Sessions(tmp_path, (webhook(receiver),)), random.Random(1)
    taken: list[str] = []
    silences: list[bool] = []
    refused = {str(number) for number in range(0, 1000, 100)}

    def answer(it: Arrival) -> web.Response:
        text, luck = text_of(it.body), chance.random()
        if text in refused:
            return web.Response(status=410)
        if luck < 0.03:
            return web.Response(status=429, headers={"Retry-After": "60"})
        if luck < 0.2:
            return web.Response(status=chance.choice((500, 502, 503, 408)))
        taken.append(text)
        return web.Response()

    def is_silent() -> bool:
        silences.append(chance.random() < 0.01)
        return silences[-1]

    receiver.answer, receiver.is_silent = answer, is_silent
    async with session.outbox() as outbox:
        for number in range(1000):
            await session.store(outbox, str(number), chat=f"ZZ.{number % 7}")
    async with session.running():
        for _ in range(5000):
            reports = await session.deliverer.reports()
            if reports and not reports[0].backlog.waiting:
                break
            await asyncio.sleep(0.02)
            session.ahead += timedelta(seconds=30)
            session.deliverer.wake()
        await session.settles(dead=len(refused))

    unanswered = session.counted.count(("bot", "none"))
    once = list(dict.fromkeys(taken))
    assert sorted(set(map(str, range(1000))) - refused) == sorted(once)
    assert len(taken) - len(once) <= unanswered - sum(silences)
    for chat in range(7):
        of_chat = [int(text) for text in once if int(text) % 7 == chat]
        assert sorted(of_chat) == of_chat
    assert 1000 == len({it.body for it in receiver.requests})


@pytest.mark.parametrize("status", [302, 307])
async def test_no_redirect_is_followed(tmp_path: Path, receiver: Receiver, status: int) -> None:
    """It would lead where nobody has looked."""
    session = Sessions(tmp_path, (webhook(receiver),))
    receiver.answer = lambda _: web.Response(status=status, headers={"Location": f"{receiver.url}/elsewhere"})
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.settles(dead=1)

    assert ["/hook"] == [it.path for it in receiver.requests]


async def test_what_nobody_takes_for_three_days_is_dead(tmp_path: Path, receiver: Receiver) -> None:
    """Whatever the answers are."""
    session = Sessions(tmp_path, (webhook(receiver),))
    receiver.answer = lambda _: web.Response(status=503)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        session.ahead += timedelta(days=3, minutes=1)
        session.deliverer.wake()
        await session.settles(dead=1)

    assert 2 == len(receiver.requests)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
    ],
)
async def test_the_guard_sees_the_address_that_is_connected_to(tmp_path: Path, receiver: Receiver, url: str) -> None:
    """However it is written; what waits goes out once the address is another one."""
    port = receiver.url.rpartition(":")[2]
    session = Sessions(tmp_path, (webhook(url.format(port=port)),), guard=refusal)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.says("nothing is sent")

    assert [] == receiver.requests
    assert ("bot", "refused") in session.counted


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "127.1", "0x7f.1"])
async def test_an_address_written_oddly_is_none(tmp_path: Path, receiver: Receiver, host: str) -> None:
    """Where it would lead is not even asked."""
    odd = webhook(f"http://{host}:{receiver.url.rpartition(':')[2]}/")
    session = Sessions(tmp_path, (odd,), guard=refusal)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        reports = await session.deliverer.reports() or []

    assert [] == receiver.requests
    assert reports[0].problem


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
async def test_the_pods_own_address_is_refused(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Also where the operator opened a range that it lies in, and however it is written."""
    monkeypatch.setattr(connections, "refusal", (allows := lambda *_: None))
    session = Sessions(tmp_path, (webhook(receiver.url.replace("127.0.0.1", host)),), guard=allows)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.says("own pod")

    assert [] == receiver.requests


async def test_the_receiver_can_verify_a_delivery(tmp_path: Path, receiver: Receiver) -> None:
    """By the signature of the Cloud API over the very bytes; with the headers that somebody wants."""
    secret(tmp_path, signingSecret="abc", authorization="Bearer xyz")
    wanted = webhook(
        receiver,
        format=WebhookFormat.CLOUD_API,
        secret_name="bot",
        headers=(Header(name="X-Team", value="support"),),
    )
    session = Sessions(tmp_path, (wanted,))
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.settles()

    (arrival,) = receiver.requests
    digest = hmac.new(b"abc", arrival.body, hashlib.sha256).hexdigest()
    assert f"sha256={digest}" == arrival.headers["X-Hub-Signature-256"]
    assert ("support", "Bearer xyz", "application/json") == (
        arrival.headers["X-Team"],
        arrival.headers["Authorization"],
        arrival.headers["Content-Type"],
    )


async def test_a_standard_delivery_names_its_event(tmp_path: Path, receiver: Receiver) -> None:
    """The id is the same at each try, the time is the try's own."""
    secret(tmp_path, signingSecret=SECRET)
    session = Sessions(tmp_path, (webhook(receiver, secret_name="bot"),))
    receiver.answer = lambda _: web.Response(status=500)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        receiver.answer = lambda _: web.Response()
        session.ahead += timedelta(seconds=10)
        session.deliverer.wake()
        await session.settles()

    first, second = receiver.requests
    assert ("evt-1", "evt-1") == (first.headers["webhook-id"], second.headers["webhook-id"])
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_nothing_is_sent_unsigned(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits goes out when the Secret is there."""
    monkeypatch.setattr(channel, "SECRET_PAUSE", 0.05)
    secret(tmp_path)
    session = Sessions(tmp_path, (webhook(receiver, secret_name="bot"),))
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.says("no entry signingSecret")
        secret(tmp_path, signingSecret=SECRET)
        await session.settles()

    assert 1 == len(receiver.requests)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_receiver_that_has_a_new_secret_first_loses_nothing(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """What it refuses waits, in its order, and goes out as soon as the kubelet has brought the new one, whatever the pause."""
    monkeypatch.setattr(channel, "SECRET_PAUSE", 0.05)
    secret(tmp_path, signingSecret="old")
    session = Sessions(tmp_path, (webhook(receiver, format=WebhookFormat.CLOUD_API, secret_name="bot"),))

    def answer(it: Arrival) -> web.Response:
        (expected,) = cloud_api_headers("new", it.body).values()
        return web.Response(status=200 if it.headers["X-Hub-Signature-256"] == expected else status)

    receiver.answer = answer
    async with session.running() as outbox:
        for text in ("a", "b"):
            await session.store(outbox, text)
        await session.tried(outbox)
        await asyncio.sleep(0.2)
        refused = list(receiver.texts)
        secret(tmp_path, signingSecret="new")
        await session.settles()

    assert (["a"], ["a", "a", "b"]) == (refused, receiver.texts)


async def test_a_receiver_that_never_knows_the_sender_refuses_in_the_end(tmp_path: Path, receiver: Receiver) -> None:
    """After ten minutes, counted for each delivery; at once where there is no Secret that could come."""
    secret(tmp_path, signingSecret="old")
    session = Sessions(
        tmp_path,
        (webhook(receiver, format=WebhookFormat.CLOUD_API, secret_name="bot"), webhook(receiver, "unsigned")),
    )
    receiver.answer = lambda _: web.Response(status=401)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        await session.settles(waiting=1, dead=1)
        session.ahead += timedelta(minutes=11)
        session.deliverer.wake()
        await session.settles(dead=2)
        letters = await session.deliverer.dead_letters("bot") or []

    assert [("The receiver answered 401.", 2)] == [(letter.problem, letter.tries) for letter in letters]


async def test_a_secret_that_cannot_be_read_ends_no_pause(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is being written, or somebody has made a mistake."""
    monkeypatch.setattr(channel, "SECRET_PAUSE", 0.05)
    secret(tmp_path, signingSecret="old")
    session = Sessions(tmp_path, (webhook(receiver, format=WebhookFormat.CLOUD_API, secret_name="bot"),))
    receiver.answer = lambda _: web.Response(status=401)
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        secret(tmp_path, signingSecret="")
        await asyncio.sleep(0.2)

    assert ["a"] == receiver.texts


async def test_an_edit_counts_at_once(tmp_path: Path, receiver: Receiver) -> None:
    """What waited for the old address goes to the new one without its pause; a webhook that is gone gets nothing."""
    session = Sessions(tmp_path, (webhook("http://127.0.0.1:1/"),))
    async with session.running() as outbox:
        await session.store(outbox, "a")
        await session.tried(outbox)
        session.live.replace(LiveSettings(webhooks=(webhook(receiver),)))
        await session.has(receiver, 1)
        await session.settles()
        session.live.replace(LiveSettings())
        await session.store(outbox, "b")
        await asyncio.sleep(0.1)

    assert ["a"] == receiver.texts
    assert ("bot", "none") in session.counted


async def test_two_who_turn_out_to_be_one_get_nothing_twice(tmp_path: Path, receiver: Receiver) -> None:
    """What is under way when their chats become one is not sent beside itself."""
    receiver.hangs = True
    session = Sessions(tmp_path, (webhook(receiver),))
    async with session.running() as outbox:
        await session.store(outbox, "a", chat="ZZ.2")
        await session.has(receiver, 1)
        await outbox.run(lambda database: database.execute("UPDATE deliveries SET chat = 'ZZ.1'"))
        await session.store(outbox, "b", chat="ZZ.1")
        await asyncio.sleep(0.2)

    assert ["a"] == receiver.texts
