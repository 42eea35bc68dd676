"""The store of files: whole on the disk before they count, bounded, and swept."""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import os
import sqlite3
import stat
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from session_runner.media import fetching, files
from session_runner.media import media as module
from session_runner.media.files import Draft
from session_runner.media.media import AT_ONCE
from session_runner.messages.contents import Audio, Image, Text
from session_runner.messages.errors import (
    MediaError,
    MediaLostError,
    NoMediaRoomError,
    NotReadyError,
    TooManyUploadsError,
    UnknownObjectError,
)
from session_runner.outbox import media as rows
from session_runner.outbox import requests
from session_runner.outbox.outbox import Outbox, open_outbox
from session_runner.outbox.requests import NewMessage
from session_runner.page.errors import CallFailedError
from session_runner.profile.volume import LOW_BELOW, Volume
from support.runner_parts import PHONE, make_parts
from support.waiting import async_until

NOW = datetime(2026, 11, 30, tzinfo=UTC)
T = NOW.timestamp()
KEY = "false_15550100777@c.us_3A5F"
JPEG = b"\xff\xd8\xff\xe0" + bytes(1000)
MB = 1024 * 1024


class Page:
    """A page with the file of one message, or its failure."""

    def __init__(self) -> None:
        self.file: bytes | str = b""
        self.asked: list[int] = []

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script."""
        assert "download.js" == script
        start, length = argument["start"], argument["length"]
        self.asked.append(start)
        if isinstance(self.file, bytes):
            if len(self.asked) == 1:
                return {"pending": True}
            return {"size": len(self.file), "piece": base64.b64encode(self.file[start : start + length]).decode()}
        if self.file == "raises":
            raise CallFailedError("Execution context was destroyed")
        answers = {
            "breaks": {"size": 10 * MB, "piece": base64.b64encode(bytes(MB)).decode()},
            "null": None,
            "never": {"pending": True},
            "large": {"size": 101 * MB, "piece": ""},
        }
        answer = answers.get(self.file, {"failed": self.file})
        if self.file == "breaks":
            self.file = "raises"
        return answer


class Store:
    """An open store in a folder."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.folder = folder / "media"
        numbers = itertools.count(1)
        self.page = Page()
        parts = make_parts(clock=lambda: self.now, random_bytes=lambda size: next(numbers).to_bytes(size))
        parts.base.commands.open(self.page)
        self.media = parts.sending.media
        self.path = folder / "messages.sqlite"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Outbox]:
        """Open it as a session does."""
        async with open_outbox(self.path) as outbox, self.media.opened(outbox, self.folder):
            yield outbox

    async def upload(self, *pieces: bytes, declared: str = "", filename: str | None = None) -> str:
        """Upload a file; gives its id."""
        async with self.media.taking() as upload:
            for piece in pieces or (JPEG,):
                await upload.write(piece)
            return await self.media.keep(upload, declared=declared, filename=filename)

    async def names(self) -> list[str]:
        """The files that are there."""
        return [path.name for path in self.folder.iterdir()]

    async def kept(self, identifier: str) -> None:
        """Wait until a fetch is over."""

        async def look() -> bool:
            return (await self.media.find(identifier)).stored

        await async_until("it is kept", look, lambda stored: stored, every=0.01)

    async def read(self, identifier: str) -> bytes:
        """Give a file's bytes."""
        _, pieces = await self.media.open(await self.media.find(identifier))
        return b"".join([piece async for piece in pieces])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One that is not open yet."""
    return Store(tmp_path)


async def test_an_upload_is_there_in_the_next_run(store: Store) -> None:
    """Under its id, for the runner's eyes only, with what its content says."""
    async with store.open():
        identifier = await store.upload(JPEG[:3], JPEG[3:], declared="image/png", filename="a" * 300)
    async with store.open():
        found = await store.media.find(identifier)

        assert (f"{PHONE}000000000000001", "image/jpeg", len(JPEG), "a" * 240) == (
            found.identifier,
            found.mime_type,
            found.size,
            found.filename,
        )
        assert JPEG == await store.read(identifier)
    assert [0o600, 0o700] == [stat.S_IMODE(path.stat().st_mode) for path in (store.folder / identifier, store.folder)]


async def test_what_is_not_kept_leaves_nothing(store: Store) -> None:
    """A client that hangs up, an empty file."""
    async with store.open():
        async with store.media.taking() as upload:
            await upload.write(JPEG)
        with pytest.raises(MediaError):
            await store.upload(b"")

        assert [] == list(store.folder.iterdir())


async def test_half_an_upload_of_a_killed_runner_is_removed(store: Store) -> None:
    """Also a whole file that was not listed yet; a listed one that is gone is not known any more."""
    async with store.open():
        kept, lost = await store.upload(), await store.upload()
    (store.folder / f"{files.PART}x").write_bytes(JPEG)
    (store.folder / f"{PHONE}7").write_bytes(JPEG)
    (store.folder / lost).unlink()
    store.now = datetime.now(UTC) + timedelta(seconds=1)
    async with store.open() as outbox:
        assert [kept] == [path.name for path in store.folder.iterdir()]
        assert [kept] == [medium.identifier for medium in await outbox.run(rows.stored)]


async def test_a_file_has_a_lifetime(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not found afterwards, and swept."""
    monkeypatch.setattr(module, "SWEEP", 0.01)
    async with store.open() as outbox:
        identifier = await store.upload()
        work = asyncio.create_task(store.media.work(outbox))
        await asyncio.sleep(0.1)
        assert JPEG == await store.read(identifier)
        store.now = datetime.now(UTC) + timedelta(days=31)
        with pytest.raises(UnknownObjectError):
            await store.media.find(identifier)
        await async_until("the file is gone", store.names, lambda names: names == [], every=0.01)
        work.cancel()


async def test_a_sweep_that_fails_is_not_the_end(store: Store) -> None:
    """The volume's watch is there for that."""
    store.folder.write_text("no folder")
    async with store.open():
        pass


async def test_a_deleted_file_is_gone(store: Store) -> None:
    """From the list and from the disk; a second time there is nothing to delete."""
    async with store.open():
        identifier = await store.upload()
        await store.media.delete(identifier)

        assert [] == list(store.folder.iterdir())
        with pytest.raises(UnknownObjectError):
            await store.media.delete(identifier)


async def test_a_file_that_vanished_cannot_be_read(store: Store) -> None:
    """An error that says so."""
    async with store.open():
        identifier = await store.upload()
        (store.folder / identifier).unlink()
        with pytest.raises(UnknownObjectError, match="gone"):
            await store.read(identifier)


async def test_few_are_taken_at_once(store: Store) -> None:
    """More are told to come again, before anything of them is read."""
    async with store.open():
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(AT_ONCE):
                await stack.enter_async_context(store.media.taking())
            with pytest.raises(TooManyUploadsError):
                await store.upload()
        await store.upload()


async def test_a_file_that_is_too_large_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it is."""
    monkeypatch.setattr(module, "LARGEST", 10)
    async with store.open():
        with pytest.raises(MediaError, match="more than 10 bytes"):
            await store.upload(b"123456", b"78901")


async def test_the_browser_keeps_its_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old file goes for a new one; one that a message waits for does not, and then there is no room."""
    room = [Volume(capacity=64 * MB, available=72 * MB)]
    monkeypatch.setattr(module, "measure", lambda *_, **__: room[0])
    async with store.open() as outbox:
        old = await store.upload(JPEG + bytes(MB))
        room[0] = Volume(capacity=64 * MB, available=2 * LOW_BELOW)
        with pytest.raises(NoMediaRoomError):
            await store.upload(bytes(100))
        store.now += timedelta(hours=2)
        await outbox.run(
            requests.add, NewMessage(identifier="3EB0", given="1", digits="1", content=Text(body="x"), accepted=1.0)
        )
        await outbox.run(_point_to, old)
        with pytest.raises(NoMediaRoomError):
            await store.upload(bytes(100))
        await outbox.run(_point_to, "another")
        new = await store.upload(bytes(100))

        assert [new] == [path.name for path in store.folder.iterdir()]
        with pytest.raises(UnknownObjectError):
            await store.media.find(old)


def _point_to(database: object, identifier: str) -> None:
    database.execute(f"UPDATE requests SET content = json_object('media', '{identifier}')")  # type: ignore[attr-defined]


async def test_a_volume_that_fails_refuses_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error that a client knows."""

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    async with store.open():
        monkeypatch.setattr(files.Draft, "write", full)
        with pytest.raises(NoMediaRoomError):
            await store.upload()


async def test_a_client_that_hangs_up_is_no_fault_of_the_volume(store: Store) -> None:
    """Nothing is left of its file."""
    async with store.open():
        with pytest.raises(ConnectionError):
            async with store.media.taking():
                raise ConnectionResetError
        assert [] == await store.names()


async def test_nothing_is_taken_before_the_profile_is_ours(store: Store) -> None:
    """Nor afterwards."""
    with pytest.raises(NotReadyError):
        await store.upload()


async def test_a_received_file_is_listed_once(store: Store) -> None:
    """With what the page says of it, and is not counted as stored before it was fetched."""
    digest = base64.b64encode(hashlib.sha256(JPEG).digest()).decode()
    async with store.open() as outbox:
        for mime_type in ("image/jpeg; x=y", "image/png"):
            await outbox.run(
                rows.receive, identifier="7", page_key=KEY, mime_type=mime_type, digest=digest, size=5, now=T
            )
        await outbox.run(rows.receive, identifier="8", page_key=KEY, mime_type=None, digest="x", size=None, now=T)
        found, bare = await store.media.find("7"), await store.media.find("8")

        assert ("image/jpeg", 5, hashlib.sha256(JPEG).hexdigest(), False) == (
            found.mime_type,
            found.size,
            found.sha256,
            found.stored,
        )
        assert ("application/octet-stream", None, None) == (bare.mime_type, bare.size, bare.sha256)
        assert [] == await outbox.run(rows.stored)


async def received(store: Store, outbox: Outbox, content: bytes | str) -> str:
    """Have a message with a file come in; gives the file's id. A text is the page's failure."""
    await outbox.run(rows.receive, identifier="7", page_key=KEY, mime_type="image/png", digest=None, size=None, now=T)
    store.page.file = content
    return "7"


async def test_a_received_file_is_fetched_once(store: Store) -> None:
    """In pieces, which two readers follow; then it is on the disk, with what its content says."""
    content = JPEG + bytes(3 * MB)
    async with store.open() as outbox:
        identifier = await received(store, outbox, content)
        both = list(await asyncio.gather(store.read(identifier), store.read(identifier)))
        asked = len(store.page.asked)
        await store.kept("7")
        found = await store.media.find(identifier)

        assert [content, content] == both
        assert content == await store.read(identifier)
        assert asked == len(store.page.asked)
        assert ("image/jpeg", len(content), True) == (found.mime_type, found.size, found.stored)
        (store.folder / "7").unlink()
        assert content == await store.read(identifier)


@pytest.mark.parametrize(
    ("failure", "error", "text"),
    [
        ("media_not_found", MediaLostError, "link has expired"),
        ("msg_not_found", MediaLostError, "not in the session"),
        ("TypeError", NotReadyError, "ask again"),
        ("raises", NotReadyError, "away"),
        ("null", NotReadyError, "did not answer"),
        ("large", MediaLostError, "most"),
        ("never", NotReadyError, "not fetched the file yet"),
        ("breaks", NotReadyError, "away"),
    ],
)
async def test_a_file_that_cannot_be_had_says_why(
    store: Store, failure: str, error: type[Exception], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And can be asked for again."""
    monkeypatch.setattr(fetching, "PAGE_SECONDS", 0.5)
    async with store.open() as outbox:
        identifier = await received(store, outbox, failure)
        with pytest.raises(error, match=text):
            await store.read(identifier)
        store.page.file = JPEG
        assert JPEG == await store.read(identifier)


async def test_a_reader_that_finds_the_draft_gone_waits_for_the_reason(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that breaks off removes what it wrote a moment before it is over."""
    drop = Draft.drop

    def slowly(draft: Draft) -> None:
        drop(draft)
        time.sleep(0.2)

    monkeypatch.setattr(Draft, "drop", slowly)
    async with store.open() as outbox:
        identifier = await received(store, outbox, "breaks")
        with pytest.raises(NotReadyError, match="away"):
            await store.read(identifier)


async def test_a_file_can_be_sent_on_once_it_was_fetched(store: Store) -> None:
    """By the id that the webhook gave; what is sent must be what it is sent as."""
    async with store.open() as outbox:
        identifier = await received(store, outbox, JPEG)
        with pytest.raises(MediaError, match="get its content first"):
            await store.media.fit(Image(media=identifier))
        await store.read(identifier)
        await store.kept("7")
        fit, to_convert = await store.media.fit(Image(media=identifier, caption="x"))

        assert Image(media="7", caption="x", mime_type="image/jpeg", filename="image.jpg") == fit
        assert not to_convert
        assert store.folder / "7" == await store.media.path_of(fit)
        with pytest.raises(MediaError, match="audio takes"):
            await store.media.fit(Audio(media=identifier))
        with pytest.raises(MediaError, match="no such file"):
            await store.media.fit(Image(media="1"))
        assert None is await store.media.path_of(Image(media="1"))


async def test_a_name_of_half_a_character_is_kept_as_far_as_it_goes(store: Store) -> None:
    """A form's bytes may be no text."""
    async with store.open():
        identifier = await store.upload(filename="a\udcff.pdf")

        assert "a\ufffd.pdf" == (await store.media.find(identifier)).filename


async def test_an_upload_that_cannot_be_listed_leaves_no_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would count it."""
    async with store.open():
        monkeypatch.setattr(rows, "add", no_room)
        with pytest.raises(sqlite3.OperationalError):
            await store.upload()

        assert [] == await store.names()


async def test_a_file_has_the_size_that_it_has(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it could not be noted when it was fetched."""
    async with store.open() as outbox:
        identifier = await received(store, outbox, JPEG)
        with monkeypatch.context() as full:
            full.setattr(rows, "fetched", no_room)
            medium = await store.media.find(identifier)
            assert JPEG == await store.read(identifier)
            kept = store.folder / identifier
            await async_until("it is kept", lambda: asyncio.sleep(0, kept.is_file()), every=0.001)
            _, pieces = await store.media.open(medium)  # while it is being noted
            assert JPEG == b"".join([piece async for piece in pieces])
            await async_until(
                "it is over", lambda: asyncio.sleep(0, store.media._fetches), lambda under_way: not under_way
            )
        medium, pieces = await store.media.open(await store.media.find(identifier))

        assert (len(JPEG), JPEG) == (medium.size, b"".join([piece async for piece in pieces]))


def no_room(*_given: object, **_named: object) -> None:
    """Fail as a full volume does, when it has tried for a while."""
    time.sleep(0.2)
    raise sqlite3.OperationalError("database or disk is full")
