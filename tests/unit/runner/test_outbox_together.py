"""What is asked of the outbox while its thread is busy shares a transaction, and with that the wait for the disk."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from session_runner.outbox import outbox as module
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.outbox.schema import DamagedOutboxError


class Busy:
    """An outbox whose thread waits until it is let go."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.statements: list[str] = []
        self._busy, self._gate = threading.Event(), threading.Event()

    def _begin(self, database: sqlite3.Connection) -> None:
        database.set_trace_callback(self.statements.append)
        self._busy.set()
        self._gate.wait(20)

    async def ask(self, *asked: Awaitable[Any]) -> list[Any]:
        """Ask for several things, and let the thread go when all of them wait; gives answers and errors."""
        first = asyncio.ensure_future(self.outbox.run(self._begin))
        await asyncio.to_thread(self._busy.wait, 20)
        waiting = [asyncio.ensure_future(one) for one in asked]
        await asyncio.sleep(0.05)
        self._gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        await first
        return list(found)


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Busy]:
    """One with an empty table of numbers."""
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(lambda database: database.execute("CREATE TABLE numbers (number INTEGER UNIQUE)"))
        yield Busy(outbox)


def store(database: sqlite3.Connection, *numbers: int) -> int:
    """Store numbers; gives the last one."""
    for number in numbers:
        database.execute("INSERT INTO numbers VALUES (?)", (number,))
    return numbers[-1]


def stored(database: sqlite3.Connection) -> list[int]:
    """Give what is stored."""
    return [number for (number,) in database.execute("SELECT number FROM numbers ORDER BY number")]


async def test_what_comes_together_waits_for_the_disk_once(busy: Busy) -> None:
    """Each gets its own answer, and one that fails takes back no other's."""
    outbox = busy.outbox
    found = await busy.ask(outbox.run(store, 1), outbox.note(store, 2), outbox.run(store, 3, 2), outbox.run(store, 4))

    assert [1, 2, 4] == [found[0], found[1], found[3]]
    assert isinstance(found[2], sqlite3.IntegrityError)
    assert [1, 2, 4] == await outbox.run(stored)
    assert 1 == busy.statements.count("COMMIT")


async def test_who_does_not_wait_any_more_has_nothing_done(busy: Busy) -> None:
    """If it had not begun; and of many calls only so many share a transaction."""
    outbox = busy.outbox
    given_up = asyncio.ensure_future(outbox.run(store, 0))
    numbers = range(1, module.TOGETHER + 10)

    async def give_up() -> None:
        given_up.cancel()

    await busy.ask(give_up(), *(outbox.run(store, number) for number in numbers))

    assert [*numbers] == [number for number in await outbox.run(stored) if number]


async def test_what_sqlite_takes_back_as_a_whole_was_done_for_nobody(busy: Busy) -> None:
    """For want of room it ends the transaction itself; each caller learns that nothing of theirs was stored."""

    def fail(database: sqlite3.Connection) -> None:
        database.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    outbox = busy.outbox
    found = await busy.ask(outbox.run(store, 1), outbox.run(fail), outbox.run(store, 2))

    assert [sqlite3.OperationalError] * 3 == [type(one) for one in found]
    assert [] == await outbox.run(stored)
    assert 3 == await outbox.run(store, 3)


async def test_a_note_that_shares_with_a_request_waits_for_the_disk(busy: Busy) -> None:
    """Whatever their order: what is answered is on the disk; notes by themselves do not wait, and what follows them does."""
    outbox = busy.outbox
    await busy.ask(outbox.note(store, 1), outbox.run(store, 2), outbox.note(store, 3))
    mixed = [*busy.statements]
    busy.statements.clear()
    await outbox.note(store, 4)

    assert [] == [statement for statement in mixed if "synchronous" in statement]
    assert "PRAGMA synchronous = NORMAL" == busy.statements[0]
    assert 2 == await outbox.run(lambda database: database.execute("PRAGMA synchronous").fetchone()[0])


async def test_a_commit_that_fails_was_for_nobody(busy: Busy) -> None:
    """Nor is anything of it there for the next one to commit."""

    def end_badly(database: sqlite3.Connection) -> None:
        database.execute("PRAGMA defer_foreign_keys = ON")
        database.execute("INSERT INTO others VALUES (7)")

    outbox = busy.outbox
    await outbox.run(
        lambda database: database.execute("CREATE TABLE others (number INTEGER REFERENCES numbers (number))")
    )
    found = await busy.ask(outbox.run(store, 1), outbox.run(end_badly), outbox.note(store, 2))

    assert [sqlite3.IntegrityError] * 3 == [type(one) for one in found]
    assert 3 == await outbox.run(store, 3)
    assert [3] == await outbox.run(stored)


async def test_without_room_whoever_is_answered_has_it_stored(busy: Busy) -> None:
    """Nothing of the others is there, whatever SQLite took back by itself."""

    def fill(database: sqlite3.Connection, number: int, size: int) -> int:
        database.execute("INSERT INTO texts VALUES (?, zeroblob(?))", (number, size))
        return number

    def bound(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE texts (number INTEGER, text BLOB)")
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 6}")

    outbox = busy.outbox
    await outbox.run(bound)
    found = await busy.ask(*(outbox.run(fill, number, 9000 if number % 2 else 10) for number in range(12)))
    kept = await outbox.run(lambda database: [row[0] for row in database.execute("SELECT number FROM texts")])

    assert [one for one in found if isinstance(one, int)] == kept
    assert any(isinstance(one, sqlite3.OperationalError) for one in found)


async def test_damage_that_one_meets_is_named_to_that_one_and_to_who_watches(busy: Busy) -> None:
    """What the others asked for was not in the damaged part."""

    def meet(_database: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    outbox = busy.outbox
    found = await busy.ask(outbox.run(store, 1), outbox.run(meet), outbox.run(store, 2))

    assert (1, DamagedOutboxError, 2) == (found[0], type(found[1]), found[2])
    with pytest.raises(DamagedOutboxError):
        await outbox.watch()


async def test_what_waits_when_the_file_is_closed_is_answered_and_stored(tmp_path: Path) -> None:
    """However much that is: more than shares one transaction."""
    count = 3 * module.TOGETHER
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        await outbox.run(lambda database: database.execute("CREATE TABLE numbers (number INTEGER UNIQUE)"))
        waiting = [asyncio.ensure_future(outbox.run(store, number)) for number in range(count)]
        await asyncio.sleep(0)

    assert [*range(count)] == await asyncio.gather(*waiting)
    async with open_outbox(tmp_path / "messages.sqlite") as outbox:
        assert [*range(count)] == await outbox.run(stored)
