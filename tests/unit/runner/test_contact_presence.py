"""Who is there, typing or gone is told to who wants to know, and nothing of it is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import RunnerState, WebhookEvent, WebhookFormat
from session_runner.live import Live
from session_runner.messages.events import Event, Person, PresenceChange
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.receiving import contact_presence
from session_runner.receiving.contact_presence import ContactPresence
from session_runner.webhooks import ephemeral
from session_runner.webhooks.recorder import wants_presence
from support.at_work import at_work
from support.events import read_event
from support.waiting import async_until
from unit.runner.failing import full_once
from unit.runner.inbox_harness import ADA, BOB, Receiving, T, chat, published
from unit.runner.webhooks.receivers import ACCOUNT, Receiver, Sessions, receiving, webhook


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(contact_presence, "PAUSE", 0.01)


@dataclass
class Watching:
    """A connected session, and what is told of its contacts."""

    session: Receiving = field(default_factory=Receiving)
    wanted: bool = True
    events: list[Event] = field(default_factory=list)

    def sees(self, who: str, state: str, *, online: bool = True) -> None:
        """Have the page note something."""
        self.session.page.doing.append({"who": chat(who), "state": state, "online": online, "t": T * 1000.0})

    @contextlib.asynccontextmanager
    async def looking(self, folder: Path) -> AsyncIterator[tuple[Outbox, ContactPresence]]:
        """Have it told."""
        made = ContactPresence(
            store=self.session.store,
            page=self.session.linked_page,
            inbox=self.session.inbox,
            wanted=lambda: self.wanted,
            publish=self.events.append,
        )
        self.session.say(RunnerState.CONNECTED)
        async with open_outbox(folder / "messages.sqlite") as outbox, at_work(made.work(outbox)):
            yield outbox, made

    async def hears(self, count: int) -> list[tuple[str | None, str]]:
        """Wait for so many changes."""
        await async_until("it", lambda: asyncio.sleep(0, len(self.events)), lambda found: found >= count, within=20)
        await asyncio.sleep(0.05)
        changes = [event.data for event in self.events if isinstance(event.data, PresenceChange)]
        return [(None if one.person is None else one.person.wa_id, one.state) for one in changes]


async def test_what_contacts_do_is_published(tmp_path: Path) -> None:
    """By their `userId`; it is no event of a stream, and the next runner knows nothing of it."""
    watching = Watching()
    for state, online in (("composing", True), ("recording", True), ("available", True), ("paused", False)):
        watching.sees(ADA, state, online=online)
    async with watching.looking(tmp_path) as (outbox, _):
        found = await watching.hears(4)
        assert [] == await published(outbox)
        (ada,) = {event.chat for event in watching.events}

    assert [("15550100701", state) for state in ("typing", "recording", "online", "offline")] == found
    change = read_event(watching.events[0].body()).data
    assert isinstance(change, PresenceChange)
    assert (T, ada) == (change.timestamp, change.person and change.person.user_id)


async def test_the_page_is_asked_nothing_while_nobody_wants_to_know(tmp_path: Path) -> None:
    """Or no phone is connected; when nobody wants to any more, it is told once."""
    watching = Watching(wanted=False)
    watching.sees(ADA, "composing")
    async with watching.looking(tmp_path) as (_, made):
        await asyncio.sleep(0.05)
        assert [] == watching.session.page.is_watched
        watching.wanted = True
        await watching.hears(1)
        watching.session.say(RunnerState.RECONNECTING)
        await asyncio.sleep(0.05)
        watching.session.page.is_watched.clear()
        made.something_happened()
        await asyncio.sleep(0.05)
        assert [] == watching.session.page.is_watched
        watching.wanted = False
        watching.session.say(RunnerState.CONNECTED)
        await asyncio.sleep(0.05)

    assert [False] == watching.session.page.is_watched


async def test_what_does_not_answer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that fails or gives something else, or a volume without room."""
    watching, failed = Watching(), full_once(contact_presence, "chat_of", monkeypatch)
    watching.session.page.fails.append("presence_take.js")
    watching.session.page.answers["presence_take.js"] = [{"who": 1}]
    async with watching.looking(tmp_path):
        await asyncio.sleep(0.05)
        watching.session.page.answers.clear()
        watching.sees(ADA, "composing")
        await asyncio.sleep(0.05)
        watching.sees(BOB, "composing")
        assert [("15550100702", "typing")] == await watching.hears(1)
    assert failed


def change(number: int, chat_id: str) -> Event:
    """Somebody types."""
    data = PresenceChange(chat=chat_id, person=Person(user_id=chat_id), state="typing", timestamp=number)
    return Event(id=f"evt-{number}", type=WebhookEvent.PRESENCE, time=Receiving().now, data=data)


async def test_a_webhook_gets_it_at_once_or_never(tmp_path: Path) -> None:
    """In its own format; one that answers with an error is not asked again, and nothing waits for it."""
    receiver = Receiver()
    receiver.answer = lambda _: web.Response(status=500)
    async with receiving(receiver):
        session = Sessions(
            tmp_path,
            (
                webhook(receiver, events=(WebhookEvent.PRESENCE,)),
                webhook(receiver, "cloud", format=WebhookFormat.CLOUD_API),
                webhook(receiver, "other", events=(WebhookEvent.MESSAGE,)),
            ),
        )
        async with session.running():
            await session.settles()
            session.deliverer.send_ephemeral(change(1, "ZZ.1"), ACCOUNT)
            await async_until("it is over", lambda: asyncio.sleep(0, session.counted), bool, within=20)
            await asyncio.sleep(0.1)
            await session.settles()

    (arrival,) = receiver.requests
    assert change(1, "ZZ.1").body() == arrival.body
    assert [("bot", "5xx")] == session.counted


async def test_of_a_chat_the_newest_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of few chats at all, so that a receiver that hangs costs nothing; messages go on beside it."""
    monkeypatch.setattr(ephemeral, "MOST", 2)
    receiver, begun, gate = Receiver(), asyncio.Event(), asyncio.Event()
    handle = receiver.handle

    async def slow(request: Any) -> Any:
        if b"presence" in await request.read():
            begun.set()
            await gate.wait()
        return await handle(request)

    receiver.handle = slow  # type: ignore[method-assign]
    async with receiving(receiver):
        session = Sessions(tmp_path, (webhook(receiver),))
        async with session.running() as outbox:
            await session.settles()
            session.deliverer.send_ephemeral(change(1, "ZZ.1"), ACCOUNT)
            await begun.wait()
            for number, chat_id in ((2, "ZZ.2"), (3, "ZZ.3"), (4, "ZZ.2"), (5, "ZZ.5")):
                session.deliverer.send_ephemeral(change(number, chat_id), ACCOUNT)
            await session.store(outbox, "beside")
            await session.settles()
            assert ["beside"] == receiver.texts
            gate.set()
            await session.has(receiver, 4)
            await asyncio.sleep(0.05)

    sent = [read_event(one.body) for one in receiver.requests]
    assert ["evt-1", "evt-4", "evt-5"] == [one.id for one in sent if one.type is WebhookEvent.PRESENCE]


async def test_without_its_secret_nothing_is_sent(tmp_path: Path) -> None:
    """A delivery says so."""
    receiver = Receiver()
    async with receiving(receiver):
        session = Sessions(tmp_path, (webhook(receiver, secret_name="bot"),))
        async with session.running():
            await session.settles()
            session.deliverer.send_ephemeral(change(1, "ZZ.1"), ACCOUNT)
            await asyncio.sleep(0.1)

    assert [] == receiver.requests


@pytest.mark.parametrize("events", [(WebhookEvent.PRESENCE,), (WebhookEvent.MESSAGE,)])
def test_a_webhook_that_names_it_wants_to_know(events: tuple[WebhookEvent, ...]) -> None:
    """No other."""
    live = Live(store=Receiving().store, settings=LiveSettings(webhooks=(webhook("https://a/", events=events),)))

    assert (WebhookEvent.PRESENCE in events) == wants_presence(live)
