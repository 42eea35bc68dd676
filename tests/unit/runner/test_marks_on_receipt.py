"""What comes is marked as read where the settings say so: which messages, when, and once, whoever dies meanwhile."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import pytest
from session_protocol.vocabulary import ReadMarking, RunnerState
from session_runner.messages.incoming import WAITING_AFTER
from session_runner.outbox import marks, people, seen
from session_runner.outbox.marks import Marking
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.receiving import inbox as inbox_module
from support.waiting import async_until
from unit.runner.inbox_harness import ADA, BOB, NOW, Receiving, T, becomes, ids, reaction, receiving
from unit.runner.messaging_harness import Session, running
from unit.runner.test_inbox import dies_at, settle

QUICK = {"RETRY": 0.01, "AGAIN": 0.02, "SETTLED": 0.02, "WHOLE": 0.1}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    for name, seconds in QUICK.items():
        monkeypatch.setattr(inbox_module, name, seconds)


@pytest.fixture
async def session(tmp_path: Path) -> Receiving:
    """A session that was linked yesterday, and marks what comes as read."""
    made = Receiving()
    made.mark(ReadMarking.ON_RECEIPT)
    made.say(RunnerState.CONNECTED)
    await settle(made, tmp_path)
    return made


def waiting(database: Connection) -> dict[str, float]:
    """The marks that wait, each with when it is due."""
    rows = database.execute("SELECT message, accepted FROM read_marks ORDER BY accepted, message")
    return {row["message"]: row["accepted"] for row in rows}


async def test_marks_follow_the_settings(session: Receiving, tmp_path: Path) -> None:
    """None without them; an edit counts from the next message on, in either direction."""
    rung: list[str] = []
    session.inbox.marks_stored.connect(lambda: rung.append("marks"))
    expected = []
    async with receiving(session, tmp_path) as outbox:
        for chat, identifier, reading in (
            (ADA, "A", ReadMarking.MANUAL),
            (BOB, "B", ReadMarking.ON_RECEIPT),
            (ADA, "C", ReadMarking.MANUAL),
        ):
            session.mark(reading)
            session.put(chat, identifier)
            expected.append(("message", identifier))
            await becomes(outbox, *expected)
        found = await outbox.run(waiting)

    assert (["B"], ["marks"]) == (list(found), rung)


async def test_what_a_person_would_not_read_now_is_not_marked(session: Receiving, tmp_path: Path) -> None:
    """Own ones, groups, what is late by half a day, what cannot be read; nor is what happens to a message a new one."""
    session.page.put(ADA, "OWN", own=True)
    session.page.put(ADA, "OLD", t=T - marks.LATEST - 1)
    session.page.put(BOB, "DARK", type="ciphertext")
    session.page.put("7-1@g.us", "GROUP", author={"id": ADA})
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "OLD"), ("message", "OWN"), ("message", "GROUP"))
        session.later(seconds=WAITING_AFTER)
        session.put(ADA, "OLD", edit="E1", body="edited", reactions=[reaction(ADA, "x")])
        await async_until("all of it", lambda: ids(outbox), lambda found: len(found) >= 6, within=20)

        assert {} == await outbox.run(waiting)
        session.put(BOB, "DARK", type="chat", body="filled")
        await async_until("it is filled", lambda: ids(outbox), lambda found: len(found) >= 7, within=20)
        assert ["DARK"] == list(await outbox.run(waiting))


async def test_what_arrives_with_the_link_is_not_marked(tmp_path: Path) -> None:
    """It is told to nobody either."""
    session = Receiving(linked=NOW - timedelta(minutes=1))
    session.mark(ReadMarking.ON_RECEIPT)
    session.page.synchronised = False
    session.page.put(ADA, "HISTORY", t=T - 3600)
    session.page.put(BOB, "NEW", t=T - 10)
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(seen.opened, now=T - 7200.0)
    session.say(RunnerState.CONNECTED)
    async with receiving(session, tmp_path) as outbox:
        await becomes(outbox, ("message", "NEW"))

        assert ["NEW"] == list(await outbox.run(waiting))


async def test_a_chat_has_one_mark(session: Receiving, tmp_path: Path) -> None:
    """Of its last message, in the turn of the first: the page marks a chat as a whole. One that is overdue is due now."""
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        first = (await outbox.run(waiting))["A"]
        session.later(seconds=1)
        session.put(ADA, "B")
        session.put(BOB, "C")
        await becomes(outbox, ("message", "A"), ("message", "B"), ("message", "C"))
        second = await outbox.run(waiting)
        session.later(hours=1)
        session.put(ADA, "D")
        await becomes(outbox, *(("message", one) for one in "ABCD"))
        third = await outbox.run(waiting)

    assert (["B", "C"], first) == (list(second), second["B"])
    assert T + 3601 == third["D"]


@pytest.mark.parametrize(("drawn", "delay"), [(b"\0\0", 2.0), (b"\xff\xff", 6.0)])
async def test_a_mark_comes_some_seconds_later(session: Receiving, tmp_path: Path, drawn: bytes, delay: float) -> None:
    """By chance, as a person would take a moment; it belongs to the account whose message it is."""
    rest = session.inbox._random
    session.inbox._random = lambda size: drawn if size == len(drawn) else rest(size)
    session.store.show_account("+15550100001")
    async with receiving(session, tmp_path) as outbox:
        session.put(ADA, "A")
        await becomes(outbox, ("message", "A"))
        found = await outbox.run(waiting)
        account = await outbox.run(lambda database: database.execute("SELECT account FROM read_marks").fetchone()[0])

    assert {"A": pytest.approx(T + delay, abs=0.001)} == found
    assert session.inbox._page.account == account


async def test_an_event_and_its_mark_are_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that is killed anywhere leaves both or neither, and its successor adds what is missing."""
    for step in range(24):
        folder = tmp_path / str(step)
        folder.mkdir()
        session = Receiving()
        session.mark(ReadMarking.ON_RECEIPT)
        session.say(RunnerState.CONNECTED)
        await settle(session, folder)
        session.page.put(ADA, "A")
        session.page.put(BOB, "B")
        await dies_at(step, session, folder, monkeypatch)
        async with open_outbox(folder / "messages.sqlite") as outbox:
            assert {one for _, one in await ids(outbox)} == set(await outbox.run(waiting)), step
        successor = Receiving()
        successor.mark(ReadMarking.ON_RECEIPT)
        successor.page = session.page
        successor.door.open(successor.page)
        successor.inbox._random = session.inbox._random
        successor.say(RunnerState.CONNECTED)
        async with receiving(successor, folder) as outbox:
            await async_until("all of it", partial(ids, outbox), lambda found: len(found) == 2, within=20)

            assert {"A", "B"} == set(await outbox.run(waiting)), step


def received(database: Connection, *, now: float) -> None:
    """Note that somebody's message has come, with its mark."""
    person = people.resolve(database, number="15550100777", lid=None, new_user=lambda: "ZZ.1", now=0.0)
    database.execute("INSERT INTO seen VALUES (?, '3AF0', 0, 'chat', '', '{}', 0, 0)", (person.user_id,))
    how = Marking(account=None, delay=0.1)
    marks.receive(database, "3AF0", chat=person.user_id, how=how, now=now)


async def test_the_page_marks_it_when_it_is_due(tmp_path: Path) -> None:
    """Not before, without anything that wakes it then; and in the chat where the message is."""
    session = Session()
    session.say(RunnerState.CONNECTED)
    session.door.open(session.page)
    session.store.show_account("+15550100001")
    session.page.others = {"3AF0"}
    async with running(session, tmp_path) as outbox:
        await asyncio.sleep(0.05)
        await outbox.run(received, now=session.now.timestamp())
        session.messaging.marks_wait()
        await asyncio.sleep(0.3)
        before = list(session.page.marked)
        session.later(seconds=1)
        await async_until("it is marked", lambda: asyncio.sleep(0, session.page.marked), bool, within=20)
        await async_until("nothing is left", lambda: left(outbox), lambda found: not found, within=20)

    assert ([], [("3AF0", False)], [["15550100777@c.us"]]) == (before, session.page.marked, session.page.named)


async def left(outbox: Outbox) -> dict[str, float]:
    """The marks that wait."""
    return await outbox.run(waiting)


async def test_a_clock_that_was_wrong_holds_no_mark_back(tmp_path: Path) -> None:
    """One that would be due in a year is due now."""
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(received, now=T + 365 * 86400.0)
        due = await outbox.run(marks.due, account=None, now=float(T), most=10)

        assert (["3AF0"], None) == (due, await outbox.run(marks.upcoming, now=float(T)))
