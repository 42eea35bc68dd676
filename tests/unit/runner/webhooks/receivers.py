"""A receiver of webhooks on loopback, which counts what comes and answers as it is told, and deliveries to it."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from session_protocol.live_settings import LiveSettings, Webhook
from session_protocol.vocabulary import WebhookEvent, WebhookFormat
from session_runner.live import Live
from session_runner.messages.cloud_events import Account
from session_runner.messages.events import Event, Message, Person, StateChange
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.store import StateStore
from session_runner.webhooks.deliverer import Deliverer
from session_runner.webhooks.recorder import Recorder
from support.at_work import at_work
from support.waiting import async_until

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ACCOUNT = Account(phone_number_id="104000000000001", digits="15550100001")
SECRET = "whsec_" + "QUJDRA" * 8


@dataclass(frozen=True)
class Arrival:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    query: dict[str, str] = field(default_factory=dict)


@dataclass
class Receiver:
    """What came, and what is answered."""

    requests: list[Arrival] = field(default_factory=list)
    answer: Callable[[Arrival], web.Response] = lambda _: web.Response()
    hangs: bool = False
    is_silent: Callable[[], bool] = lambda: False
    """ Whether it takes this request and never answers. """
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Take a request."""
        arrival = Arrival(
            request.method, request.path, dict(request.headers), await request.read(), dict(request.query)
        )
        self.requests.append(arrival)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hangs or self.is_silent():
                await asyncio.sleep(3600)
            await asyncio.sleep(0.001)
            return self.answer(arrival)
        finally:
            self.at_once -= 1

    @property
    def texts(self) -> list[str]:
        """The words of the messages that came, in their order."""
        return [text_of(arrival.body) for arrival in self.requests if arrival.method == "POST"]


def text_of(body: bytes) -> str:
    """The text between the marks that the tests' messages have."""
    return body.partition(b"<<")[2].partition(b">>")[0].decode()


@contextlib.asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[None]:
    """Have it listen."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


def webhook(receiver: Receiver | str, name: str = "bot", **more: Any) -> Webhook:
    """A webhook to a receiver, unsigned if nothing else is said."""
    given: dict[str, Any] = {
        "name": name,
        "url": receiver if isinstance(receiver, str) else f"{receiver.url}/hook",
        "format": WebhookFormat.STANDARD,
        "events": tuple(WebhookEvent),
    }
    return Webhook(**given | more)


@dataclass
class Sessions:
    """The events of one session, and how far its clock is ahead."""

    folder: Path
    webhooks: tuple[Webhook, ...]
    ahead: timedelta = timedelta()
    guard: Callable[..., str | None] = lambda *_: None
    counted: list[tuple[str, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.live = Live(store=StateStore(clock=self.now), settings=LiveSettings(webhooks=self.webhooks))
        self.deliverer = Deliverer(
            live=self.live,
            clock=self.now,
            random=random.Random(1).random,
            secrets=self.folder,
            extra_ca=None,
            measured=lambda _: None,
            counted=lambda name, code: self.counted.append((name, code)),
            guard=self.guard,
        )

    def now(self) -> datetime:
        """The session's clock."""
        return datetime.now(UTC) + self.ahead

    async def store(self, outbox: Outbox, text: str, *, chat: str = "ZZ.1", group: bool = False) -> None:
        """Store that a message came."""
        recorder = Recorder(
            live=self.live,
            account=lambda: ACCOUNT,
            woken=self.deliverer.stored,
        )
        await outbox.run(add, message(text, number=next(self.numbers), chat=chat, group=group), recorder)

    @contextlib.asynccontextmanager
    async def outbox(self) -> AsyncIterator[Outbox]:
        """The file alone."""
        async with open_outbox(self.folder / "messages.sqlite") as outbox:
            yield outbox

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        """The file, with deliveries under way."""
        async with self.outbox() as outbox, at_work(self.deliverer.work(outbox)):
            yield outbox

    async def has(self, receiver: Receiver, count: int) -> None:
        """Wait for so many requests."""
        await async_until(
            f"{count} requests", lambda: asyncio.sleep(0, len(receiver.requests)), lambda n: n >= count, within=20
        )

    async def tried(self, outbox: Outbox) -> None:
        """Wait until a delivery has failed and waits for its pause."""
        query = "SELECT count(*) FROM deliveries WHERE tries > 0"
        await async_until(
            "a try",
            lambda: outbox.run(lambda database: database.execute(query).fetchone()[0]),
            lambda count: count > 0,
            within=20,
        )

    async def says(self, part: str, *, of: int = 0) -> str:
        """Wait until a webhook's problem has these words; return all of them."""

        async def look() -> str:
            reports = await self.deliverer.reports()
            return reports[of].problem if reports else ""

        return await async_until(f"the problem {part!r}", look, lambda problem: part in problem, within=20)

    async def settles(self, *, waiting: int = 0, dead: int = 0) -> None:
        """Wait until no more is waiting, and so much dead."""

        async def counts() -> tuple[int, int]:
            reports = await self.deliverer.reports()
            if not reports:
                return (-1, -1)  # not begun yet
            return (sum(one.backlog.waiting for one in reports), sum(one.backlog.dead for one in reports))

        await async_until("the backlog", counts, lambda found: found == (waiting, dead), within=20)


def add(database: Any, event: Event, recorder: Recorder) -> None:
    """Store an event as the reader of the page's store does."""
    row = (event.id, event.type, event.chat, event.time.timestamp(), event.body())
    place = database.execute("INSERT INTO events (id, kind, chat, time, body) VALUES (?, ?, ?, ?, ?)", row).lastrowid
    recorder.add_for(database, event, place)


def message(text: str, *, number: int = 1, chat: str = "ZZ.1", group: bool = False) -> Event:
    """An event about a text from somebody."""
    return Event(
        id=f"evt-{number}",
        type=WebhookEvent.MESSAGE,
        time=datetime.now(UTC),
        data=Message(
            id=f"3A{number:04d}",
            chat=chat,
            group=group,
            person=Person(user_id="ZZ.1", wa_id="15550100999"),
            timestamp=1,
            content={"type": "text", "text": {"body": f"<<{text}>>"}},
        ),
    )


def change() -> Event:
    """An event about the session's state."""
    return Event(id="evt-0", type=WebhookEvent.STATE, time=NOW, data=StateChange(state="Connected"))


def secret(folder: Path, name: str = "bot", **entries: str) -> None:
    """Mount a Secret."""
    (folder / name).mkdir(exist_ok=True)
    for key, value in entries.items():
        (folder / name / key).write_text(f"{value}\n")
