"""What a phone had before it was linked is brought to who asks for it: all of it, once, and a bounded part at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.messages.events import Event, History
from session_runner.outbox import backfills, deliveries, seen
from session_runner.outbox.backfills import Receiver
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.page.errors import CallFailedError
from session_runner.receiving import backfill as backfill_module
from session_runner.receiving.backfill import BackfillReader
from support.at_work import at_work
from support.events import read_event
from support.waiting import async_until
from unit.runner.failing import Died, dying_at, full_once
from unit.runner.inbox_harness import ADA, BOB, NOW, Receiving, T, published

DAY = 86400
GROUP = "123@g.us"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on at once."""
    for name, seconds in {"BETWEEN": 0.0, "RETRY": 0.01, "PAUSE": 0.02}.items():
        monkeypatch.setattr(backfill_module, name, seconds)
    monkeypatch.setattr(backfill_module, "AT_ONCE", 2)


@dataclass
class Asking:
    """A connected session whose first synchronisation is over, and who wants its history."""

    folder: Path
    session: Receiving = field(default_factory=lambda: Receiving(linked=NOW - timedelta(hours=1)))
    receivers: list[Receiver] = field(default_factory=list)
    stored: int = 0

    def __post_init__(self) -> None:
        self.session.say(RunnerState.CONNECTED)
        self.wants("bot")

    def wants(self, name: str, *, groups: bool = False, body: Callable[[Event], bytes | None] = Event.body) -> None:
        """Let a webhook want it."""
        self.receivers.append(Receiver(name=name, groups=groups, body=body))

    def put(self, chat_id: str, *identifiers: str, days: float = 1, **content: Any) -> None:
        """Have messages from before the link in the page's store."""
        start = self.session.linked.timestamp() - days * DAY
        for number, identifier in enumerate(identifiers):
            self.session.page.put(chat_id, identifier, t=start + number, body=identifier, **content)

    def reader(self) -> BackfillReader:
        """Make one."""
        return BackfillReader(
            store=self.session.store,
            page=self.session.linked_page,
            inbox=self.session.inbox,
            receivers=lambda: self.receivers,
            stored=self.count,
        )

    def count(self) -> None:
        """Handle that there is something to deliver."""
        self.stored += 1

    async def settle(self, outbox: Outbox, *, synchronised: bool = True) -> None:
        """Note the link, and that what came with it has arrived."""
        linked = self.session.linked.timestamp()
        await outbox.run(seen.opened, now=linked - DAY)
        await outbox.run(seen.reading, linked=linked, now=linked)
        await outbox.run(seen.caught_up, time=linked, synchronised=synchronised)

    @contextlib.asynccontextmanager
    async def reading(self, *, synchronised: bool = True) -> AsyncIterator[Outbox]:
        """Have it brought."""
        async with open_outbox(self.folder / "messages.sqlite") as outbox:
            await self.settle(outbox, synchronised=synchronised)
            async with at_work(self.reader().work(outbox)):
                yield outbox


async def chunks(outbox: Outbox, webhook: str = "bot") -> list[History]:
    """Give what is to be delivered."""

    def rows(database: Connection) -> list[bytes]:
        query = "SELECT body FROM deliveries WHERE webhook = ? ORDER BY place"
        return [row["body"] for row in database.execute(query, (webhook,))]

    found = [read_event(body).data for body in await outbox.run(rows)]
    return [one for one in found if isinstance(one, History)]


def texts(found: list[History]) -> list[list[str]]:
    """Give the messages of each chunk."""
    return [[message.id for message in chunk.messages] for chunk in found]


def has(expected: list[list[str]], found: list[History]) -> bool:
    """Whether these are the messages of the chunks."""
    return expected == texts(found)


async def is_over(outbox: Outbox, webhook: str = "bot") -> list[History]:
    """Wait for the last chunk; give all of them."""
    return await async_until(
        "the end", lambda: chunks(outbox, webhook), lambda found: bool(found) and found[-1].progress == 100, within=20
    )


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """Somebody who wants it."""
    return Asking(tmp_path)


async def test_all_of_it_is_brought_once(asking: Asking) -> None:
    """Chat after chat, each from its newest messages backwards; what came since is none of it, and neither are notes."""
    asking.put(ADA, *"ABCDE", days=100)
    asking.put(BOB, "F", days=0.5)
    asking.session.page.put(BOB, "NEW", t=T)
    asking.put(BOB, "NOTE", type="e2e_notification")
    asking.put(GROUP, "G")
    async with asking.reading() as outbox:
        found = await is_over(outbox)
        await asyncio.sleep(0.1)
        assert found == await chunks(outbox)
        assert [] == await published(outbox)

    assert [["D", "E"], ["B", "C"], ["A"], ["F"], []] == texts(found)
    assert [1, 2, 3, 4, 5] == [chunk.chunk for chunk in found]
    assert [99, 99, 100, 0, 180] == [chunk.days for chunk in found]
    assert sorted(chunk.progress for chunk in found) == [chunk.progress for chunk in found]
    assert [False, False] == [message.late for message in found[0].messages]
    assert found[0].person is not None
    assert "15550100701" == found[0].person.wa_id
    assert len(found) == asking.stored


async def test_the_next_runner_brings_it_no_more(asking: Asking) -> None:
    """And one that was ended in the middle goes on."""
    asking.put(ADA, *"ABCDE")
    async with asking.reading() as outbox:
        found = await is_over(outbox)
    async with asking.reading() as outbox:
        await asyncio.sleep(0.1)
        assert found == await chunks(outbox)


async def test_a_runner_may_die_between_any_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each call of the page and each transaction: each message is brought once."""
    for step in range(40):
        folder = tmp_path / str(step)
        folder.mkdir()
        asking = Asking(folder)
        asking.put(ADA, *"ABC")
        asking.put(BOB, "D")
        await dies_at(step, asking, monkeypatch)
        async with asking.reading() as outbox:
            assert [["B", "C"], ["A"], ["D"], []] == texts(await is_over(outbox)), step


async def dies_at(step: int, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run until this step, and end there as a kill does."""
    async with open_outbox(asking.folder / "messages.sqlite") as outbox:
        await asking.settle(outbox)
        with dying_at(step, asking.session.page, monkeypatch), pytest.raises(Died):
            await asyncio.wait_for(asking.reader().work(outbox), 20)


async def test_few_chunks_wait_at_a_time(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is read when those are delivered; what is said now has its own order and room."""
    monkeypatch.setattr(backfills, "MOST_WAITING", 2)
    asking.put(ADA, *"ABCDEFGH")
    async with asking.reading() as outbox:
        await async_until("two", lambda: chunks(outbox), lambda found: len(found) == 2, within=20)
        await asyncio.sleep(0.1)
        assert [["G", "H"], ["E", "F"]] == texts(await chunks(outbox))

        def oldest(database: Connection) -> int:
            return int(database.execute("SELECT min(place) FROM deliveries").fetchone()[0])

        for _ in range(2):
            await outbox.run(deliveries.delivered, await outbox.run(oldest))
        await async_until(
            "the next", lambda: chunks(outbox), lambda found: texts(found) == [["C", "D"], ["A", "B"]], within=20
        )


async def test_a_refused_chunk_stops_the_rest(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until somebody redrives it: a receiver that does not know histories is not sent thousands of them."""
    monkeypatch.setattr(backfills, "MOST_WAITING", 1)
    asking.put(ADA, *"ABCD")
    async with asking.reading() as outbox:
        await async_until("one", lambda: chunks(outbox), lambda found: len(found) == 1, within=20)
        await outbox.run(deliveries.died, 1, webhook="bot", now=T, problem="no")
        await asyncio.sleep(0.1)
        assert [["C", "D"]] == texts(await chunks(outbox))
        await outbox.run(deliveries.redrive, webhook=None, identifiers=None, now=T)
        await outbox.run(deliveries.delivered, 1)
        await async_until("the next", lambda: chunks(outbox), lambda found: texts(found) == [["A", "B"]], within=20)


async def test_a_chunk_has_a_bound_in_bytes(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is larger alone comes alone."""
    monkeypatch.setattr(backfills, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(backfill_module, "AT_ONCE", 50)
    asking.put(ADA, "A", "B")
    asking.session.page.put(ADA, "BIG", t=asking.session.linked.timestamp() - 10, body="x" * 2000)
    asking.session.page.put(ADA, "C", t=asking.session.linked.timestamp() - 5, body="c")
    async with asking.reading() as outbox:
        assert [["C"], ["BIG"], ["A", "B"], []] == texts(await is_over(outbox))


async def test_nothing_is_brought_before_all_has_arrived(asking: Asking) -> None:
    """Nor while no phone is linked and connected."""
    asking.put(ADA, "A")
    async with asking.reading(synchronised=False) as outbox:
        await asyncio.sleep(0.1)
        assert [] == await chunks(outbox)
        asking.session.say(RunnerState.RECONNECTING)
        await asking.settle(outbox)
        await asyncio.sleep(0.1)
        assert [] == await chunks(outbox)
        asking.session.say(RunnerState.CONNECTED)
        await is_over(outbox)


async def test_each_webhook_has_its_own(asking: Asking) -> None:
    """With groups or without; one that comes later gets all of it, too; one without a form for it gets none."""
    asking.put(ADA, "A")
    asking.put(GROUP, "G", author={"id": BOB, "number": "15550100702"})
    asking.wants("all", groups=True)
    async with asking.reading() as outbox:
        await is_over(outbox)
        of_all = await is_over(outbox, "all")
        asking.wants("later")
        asking.wants("never", body=lambda _: None)
        await is_over(outbox, "later")

    assert [["A"], ["G"], []] == texts(of_all)
    assert (True, GROUP, None) == (of_all[1].group, of_all[1].chat, of_all[1].person)
    author = of_all[1].messages[0].person
    assert author is not None
    assert "15550100702" == author.wa_id


async def test_it_is_brought_again_if_it_was_not_wanted_for_a_while(asking: Asking) -> None:
    """A short while is none: a process that has just begun may go by older settings."""
    asking.put(ADA, "A")
    wanted = list(asking.receivers)
    async with asking.reading() as outbox:
        await is_over(outbox)
        for minutes, expected in ((5, [["A"], []]), (20, [["A"], [], ["A"], []])):
            asking.receivers.clear()
            await asyncio.sleep(0.1)
            asking.session.later(minutes=minutes)
            await asyncio.sleep(0.1)
            asking.receivers.extend(wanted)
            await async_until("it", lambda: chunks(outbox), partial(has, expected), within=20)
            await asyncio.sleep(0.1)
            assert expected == texts(await chunks(outbox))


async def test_another_link_has_another_history(asking: Asking) -> None:
    """It begins anew."""
    asking.put(ADA, "A")
    async with asking.reading() as outbox:
        await is_over(outbox)
        asking.session.linked += timedelta(minutes=30)
        asking.session.page.put(ADA, "B", t=asking.session.linked.timestamp() - 60, body="B")
        asking.session.say(RunnerState.CONNECTED)
        await asking.settle(outbox)
        await async_until("it", lambda: chunks(outbox), lambda found: len(found) == 4, within=20)
        assert [["A"], [], ["A", "B"], []] == texts(await chunks(outbox))


async def test_a_chat_that_cannot_be_read_is_left_out(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    """After five tries, which is said; the others are brought."""
    asking.put(ADA, "A")
    asking.put(BOB, "B")
    call = asking.session.page.call

    async def failing(script: str, argument: Any = None) -> Any:
        if script == "inbox_list.js" and argument["id"] == ADA:
            raise CallFailedError("no")
        return await call(script, argument)

    asking.session.page.call = failing  # type: ignore[method-assign]
    async with asking.reading() as outbox:
        assert [["B"], []] == texts(await is_over(outbox))

    assert "The rest of a chat's history is left out" in caplog.text


async def test_what_the_page_gives_later_is_waited_for(asking: Asking) -> None:
    """A chat that it does not tell now, and a message that it does not give."""
    asking.put(ADA, "A")
    waits = iter([{ADA}, {f"false_{ADA}_A"}])
    call = asking.session.page.call

    async def later(script: str, argument: Any = None) -> Any:
        asking.session.page.untold = next(waits, set()) if script == "inbox_list.js" else asking.session.page.untold
        return await call(script, argument)

    asking.session.page.call = later  # type: ignore[method-assign]
    async with asking.reading() as outbox:
        assert [["A"], []] == texts(await is_over(outbox))


async def test_a_page_that_does_not_answer_is_asked_again(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, gives something else or is gone, or a volume without room; what is gone from the page is passed over."""
    asking.put(ADA, *"ABC")
    asking.session.page.fails += ["inbox_chats.js", "inbox_list.js", "inbox_read.js"]
    content = asking.session.page._content
    failed = full_once(backfills, "take", monkeypatch)
    asking.session.page._content = lambda key: None if key.endswith("_C") else content(key)  # type: ignore[method-assign]
    asking.session.door.close()
    async with asking.reading() as outbox:
        await asyncio.sleep(0.05)
        asking.session.door.open(asking.session.page)
        assert [["B"], ["A"], []] == texts(await is_over(outbox))
    assert failed


async def test_how_far_an_own_message_had_come(asking: Asking) -> None:
    """By the page's store, if it says so."""
    for number, ack in enumerate((3, -1, 99, None)):
        own = {} if ack is None else {"ack": ack}
        asking.put(ADA, f"M{number}", days=4 - number, own=True, **own)
    async with asking.reading() as outbox:
        found = await is_over(outbox)

    statuses = {message.id: message.status for chunk in found for message in chunk.messages}
    assert {"M0": "read", "M1": "failed", "M2": None, "M3": None} == statuses


def test_nothing_of_a_history_is_written_for_people() -> None:
    """Neither texts nor names."""
    assert "History(1)" == repr(History(chat="ZZ.1", chunk=1, progress=0))
