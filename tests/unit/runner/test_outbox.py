"""The outbox on a real file: what is on it after each step, also for the next runner, and what is on it no more."""

import asyncio
import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from session_runner.messages.contents import Text
from session_runner.messages.progress import Progress
from session_runner.outbox import requests, schema
from session_runner.outbox.migrations import MIGRATIONS
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.outbox.requests import KEPT, KEYS_KEPT, NewMessage
from session_runner.outbox.schema import VERSION, DamagedOutboxError, NoRoomError, open_database

SECRET = "a text that nobody else may read"


def message(
    identifier: str, *, accepted: float = 1000.0, key: str | None = None, account: str | None = None
) -> NewMessage:
    """Make a message."""
    return NewMessage(
        identifier=identifier,
        given="+15550100777",
        digits="15550100777",
        content=Text(body=SECRET),
        accepted=accepted,
        account=account,
        key=key,
        digest=key and f"digest of {key}",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "messages.sqlite"


async def progress(outbox: Outbox, identifier: str) -> str | None:
    """Give a message's progress."""
    found = await outbox.run(requests.find, identifier)
    return None if found is None else found.progress


def files_with(secret: str, path: Path) -> list[str]:
    """Name the files of the outbox that hold a text."""
    return [file.name for file in path.parent.iterdir() if secret.encode() in file.read_bytes()]


def waits_for_disk(database: sqlite3.Connection) -> int:
    """Tell how a transaction is ended: 2 for on the disk, 1 for written."""
    return int(database.execute("PRAGMA synchronous").fetchone()[0])


async def test_a_note_does_not_wait_for_the_disk(path: Path) -> None:
    """It is written and survives a kill; what is stored after it waits again, also when the note failed."""
    async with open_outbox(path) as outbox:
        await outbox.run(requests.add, message("A"))
        assert [1, 2] == [await outbox.note(waits_for_disk), await outbox.run(waits_for_disk)]
        with pytest.raises(sqlite3.IntegrityError):
            await outbox.note(requests.add, message("A"))
        assert 2 == await outbox.run(waits_for_disk)
        await outbox.note(requests.begin_handing_over, "A")
        killed = path.parent / "killed"
        killed.mkdir()
        for file in path.parent.glob("messages.sqlite*"):
            (killed / file.name).write_bytes(file.read_bytes())
    async with open_outbox(killed / path.name) as outbox:
        assert Progress.HANDING_OVER == await progress(outbox, "A")


async def test_what_was_stored_is_there_for_the_next_runner(path: Path) -> None:
    """In its order, also for one that comes after a kill: nothing is closed there."""
    async with open_outbox(path) as outbox:
        for identifier in ("A", "B"):
            await outbox.run(requests.add, message(identifier))
        await outbox.run(requests.begin_handing_over, "A")
    async with open_outbox(path) as outbox:
        waiting = await outbox.run(requests.due, account=None, most=10)

        assert ["A", "B"] == [one.identifier for one in waiting]
        assert 2 == await outbox.run(requests.count_waiting)
        assert "handing_over" == await progress(outbox, "A")


async def test_the_file_is_ours_alone(path: Path) -> None:
    """Nobody else may read it, nor open it meanwhile."""
    async with open_outbox(path) as outbox:
        await outbox.run(requests.add, message("A"))
        modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(path, timeout=0).execute("SELECT * FROM requests")

    assert {0o600} == modes


async def test_a_text_is_gone_once_the_page_has_it(path: Path) -> None:
    """From the file, too, when it is closed; so is that of a message that failed."""
    async with open_outbox(path) as outbox:
        for identifier in ("A", "B"):
            await outbox.run(requests.add, message(identifier))
        await outbox.run(requests.handed_over, "A", page_key="true_15550100777@c.us_A", time=1001.0)
        await outbox.run(requests.record, "B", Progress.FAILED, time=1002.0, error=131000)
        found = await outbox.run(requests.find, "B")

        assert [] == await outbox.run(requests.due, account=None, most=10)
    assert found is not None
    assert (131000, {"accepted": 1000.0, "failed": 1002.0}) == (found.error, found.times)
    assert [] == files_with(SECRET, path)


async def test_what_the_page_is_asked_about(path: Path) -> None:
    """What it has and has not been read, newest first, and not what is older than it is kept."""
    async with open_outbox(path) as outbox:
        for number, identifier in enumerate("ABCD"):
            await outbox.run(requests.add, message(identifier, accepted=1000.0 + number))
        for identifier in "ABC":
            await outbox.run(requests.handed_over, identifier, page_key=f"key of {identifier}", time=1010.0)
        await outbox.run(requests.record, "C", Progress.READ, time=1020.0)
        await outbox.run(requests.record, "B", Progress.SENT, time=1020.0)

        assert ["B", "A"] == [one.identifier for one in await outbox.run(requests.watched, since=0, most=10)]
        assert ["B"] == [one.page_key[-1] for one in await outbox.run(requests.watched, since=0, most=1)]
        assert ["B"] == [one.identifier for one in await outbox.run(requests.watched, since=1001.0, most=10)]


async def test_a_progress_keeps_its_first_time(path: Path) -> None:
    """Said twice it is no news."""
    async with open_outbox(path) as outbox:
        await outbox.run(requests.add, message("A"))
        for time in (1001.0, 1002.0):
            await outbox.run(requests.record, "A", Progress.SENT, time=time)
        found = await outbox.run(requests.find, "A")

    assert found is not None
    assert {"accepted": 1000.0, "sent": 1001.0} == found.times


async def test_what_was_never_shown_to_the_page_fails_together(path: Path) -> None:
    """What the page was told of may have been sent, so nothing is said of it."""
    async with open_outbox(path) as outbox:
        for identifier in "ABC":
            await outbox.run(requests.add, message(identifier))
        await outbox.run(requests.begin_handing_over, "A")

        assert 2 == await outbox.run(requests.end_waiting, but_of=None, error=133010, time=1001.0)
        assert ["handed_over", "failed", "failed"] == [await progress(outbox, one) for one in "ABC"]
        assert [] == await outbox.run(requests.watched, since=0, most=10)
    assert [] == files_with(SECRET, path)


async def test_what_waits_belongs_to_one_account(path: Path) -> None:
    """To the one that it was accepted for, or the first one known; another one's page gets none of it."""
    async with open_outbox(path) as outbox:
        for identifier, account in (("A", "one"), ("B", None), ("C", "two")):
            await outbox.run(requests.add, message(identifier, account=account))
        unknown = await outbox.run(requests.due, account=None, most=10)
        await outbox.run(requests.belong, account="two")
        due = await outbox.run(requests.due, account="two", most=10)
        failed = await outbox.run(requests.end_waiting, but_of="two", error=133010, time=1001.0)

        assert (["B"], ["B", "C"]) == ([one.identifier for one in unknown], [one.identifier for one in due])
        assert 1 == failed
        assert ["failed", "accepted", "accepted"] == [await progress(outbox, one) for one in "ABC"]


async def test_a_key_counts_for_a_day_and_a_message_for_a_week(path: Path) -> None:
    """But what still waits stays."""
    async with open_outbox(path) as outbox:
        await outbox.run(requests.add, message("waits"))
        await outbox.run(requests.add, message("gone", key="first"))
        await outbox.run(requests.handed_over, "gone", page_key="key", time=1001.0)
        await outbox.run(requests.sweep, now=1000.0 + KEYS_KEPT)
        known = await outbox.run(requests.earlier, "first")
        await outbox.run(requests.sweep, now=1001.0 + KEYS_KEPT)
        forgotten = await outbox.run(requests.earlier, "first")
        there = await progress(outbox, "gone")
        await outbox.run(requests.sweep, now=1001.0 + KEPT)

        assert known is not None
        assert ("gone", "digest of first") == (known.identifier, known.digest)
        assert (None, "handed_over") == (forgotten, there)
        assert [None, "accepted"] == [await progress(outbox, one) for one in ("gone", "waits")]


async def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    """Neither half of it."""
    async with open_outbox(path) as outbox:
        await outbox.run(requests.add, message("A", key="same"))
        with pytest.raises(sqlite3.IntegrityError):
            await outbox.run(requests.add, message("B", key="same"))

        assert await progress(outbox, "B") is None
        await outbox.run(requests.add, message("C"))


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_named(path: Path, content: bytes) -> None:
    """And not replaced: there may be messages in it."""
    path.write_bytes(content)
    with pytest.raises(DamagedOutboxError, match=r"messages\.sqlite"):
        open_database(path)

    assert content == path.read_bytes()


async def test_whoever_finds_the_damage_others_learn_of_it(path: Path) -> None:
    """A request of the API ends the session, too, and not only its own answer."""

    def damaged(_: sqlite3.Connection) -> None:
        raise DamagedOutboxError("It is damaged.")

    async with open_outbox(path) as outbox:
        watch = asyncio.create_task(outbox.watch())
        for _ in range(2):
            with pytest.raises(DamagedOutboxError):
                await outbox.run(damaged)
        with pytest.raises(DamagedOutboxError):
            await watch
        ended = asyncio.create_task(outbox.watch())
        with pytest.raises(DamagedOutboxError):
            await ended


def test_a_full_volume_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what SQLite says of it nor what the kernel says; with room the same file opens."""
    with monkeypatch.context() as full:
        full.setattr(schema, "_SETTINGS", f"{schema._SETTINGS}PRAGMA max_page_count = 1;")
        with pytest.raises(NoRoomError, match="disk is full"):
            open_database(path)
    open_database(path).close()

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NoRoomError, match="No space left"):
        open_database(path)


def test_a_newer_runners_file_is_not_touched(path: Path) -> None:
    """An older one would not know what it means."""
    database = open_database(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(DamagedOutboxError, match="newer runner's"):
        open_database(path)


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_an_older_runners_file_is_brought_up(path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """To this version, with what is in it."""
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", MIGRATIONS[:version])
        database = open_database(path)
    database.execute(
        f"INSERT INTO requests (id, given, digits, {'text' if version == 1 else 'content'}, progress, accepted) "
        "VALUES ('A', '+1', '1', ?, 'accepted', 1)",
        ("Hello" if version == 1 else '{"body": "Hello"}',),
    )
    database.commit()
    database.close()
    database = open_database(path)

    assert VERSION == database.execute("PRAGMA user_version").fetchone()[0]
    due = requests.due(database, account=None, most=10)
    assert [("A", Text(body="Hello"))] == [(one.identifier, one.content) for one in due]
    database.close()


def test_a_step_up_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half of it is there."""
    open_database(path).close()
    with monkeypatch.context() as newer:
        newer.setattr(schema, "VERSION", VERSION + 1)
        newer.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE half (id TEXT); CREATE TABLE half (id TEXT);"))
        with pytest.raises(DamagedOutboxError, match="half"):
            open_database(path)
    database = open_database(path)

    assert [] == database.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall()
    database.close()


def test_a_link_is_not_followed(path: Path) -> None:
    """Whoever can write the volume cannot make the runner open another file."""
    path.symlink_to(path.parent / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        open_database(path)


async def test_damage_that_is_found_later_is_named(path: Path) -> None:
    """As at the start; an error of ours is none."""
    async with open_outbox(path) as outbox:
        for number in range(100):
            await outbox.run(requests.add, message(str(number)))
    damage(path)
    async with open_outbox(path) as outbox:
        with pytest.raises(DamagedOutboxError, match=r"messages\.sqlite on the profile volume cannot be read"):
            await outbox.run(requests.due, account=None, most=1000)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await outbox.run(lambda database: database.execute("SELECT * FROM absent"))


def damage(path: Path) -> None:
    """Leave of the file what is read when it is opened: all but the table of requests."""
    with closing(sqlite3.connect(path)) as database:
        page = int(database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'requests'").fetchone()[0])
        size = int(database.execute("PRAGMA page_size").fetchone()[0])
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
