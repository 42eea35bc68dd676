"""Messages with files, from the request to the page: what it is told, and what becomes of one that is slow or gone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import RunnerState
from session_runner.messages.contents import File, Image
from session_runner.messages.errors import MediaError
from session_runner.messages.requests import SendRequest
from session_runner.sending import messaging
from unit.runner.messaging_harness import FRIEND, PlayedPage, Session, running

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class FilePage(PlayedPage):
    """A page that takes files."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Path] = []
        self.pending = 0
        """ How often it is still sending the file up. """

    async def attach(self, file: Path) -> None:
        """Put a file into its input."""
        self.files.append(file)

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script."""
        if script == "send.js" and self.pending:
            self.pending -= 1
            return [{"pending": True}]
        return await super().call(script, argument)


class Files:
    """A session with files."""

    def __init__(self) -> None:
        self.session = Session()
        self.session.say(RunnerState.CONNECTED)
        self.page = FilePage()
        self.media = self.session.media

    async def upload(self, content: bytes = PNG) -> str:
        """Upload a file; gives its id."""
        async with self.media.taking() as upload:
            await upload.write(content)
            return await self.media.keep(upload, declared="", filename=None)

    async def send(self, media: str) -> str:
        """Ask for a picture; gives the message's id."""
        request = SendRequest(given=FRIEND, digits=FRIEND, content=Image(media=media, caption="Look"))
        return (await self.session.messaging.accept(request)).identifier


@pytest.fixture
async def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Files]:
    """A connected session that tries again at once; its page opens when a test says so."""
    monkeypatch.setattr(messaging, "RETRY", 0.01)
    made = Files()
    async with running(made.session, tmp_path) as outbox, made.media.opened(outbox, tmp_path / "media"):
        yield made


async def test_the_page_is_given_the_file(files: Files, tmp_path: Path) -> None:
    """With its type and a name; while it goes up the page is asked again, which is no failed try."""
    files.page.pending = 20
    media = await files.upload()
    identifier = await files.send(media)
    files.session.door.open(files.page)
    await files.session.becomes(identifier, "handed_over")

    assert [tmp_path / "media" / media] * 21 == files.page.files
    assert [identifier] == [given[0] for given in files.page.given]
    content = files.page.asked[0]["content"]
    assert ("Look", "image.png", "image/png") == (content["caption"], content["filename"], content["mime_type"])


async def test_a_phone_that_is_linked_meanwhile_sends_no_file_of_the_first(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late that happens: the page is told whose message it is by the number that it was begun for."""
    session, path_of = files.session, files.media.path_of

    async def relink(content: File) -> Path | None:
        files.page.own = "15550100002"
        session.store.show_account("+15550100002")
        return await path_of(content)

    files.page.own = "15550100001"
    session.store.show_account("+15550100001")
    identifier = await files.send(await files.upload())
    monkeypatch.setattr(files.media, "path_of", relink)
    session.door.open(files.page)
    await session.becomes(identifier, "handed_over")  # whether the first phone sent it nobody knows

    assert [] == files.page.given


async def test_a_file_that_is_gone_fails_its_message(files: Files, tmp_path: Path) -> None:
    """Unless the page has the message already; nothing is sent without the file."""
    media = await files.upload()
    (tmp_path / "media" / media).unlink()
    identifier, there = await files.send(media), await files.send(media)
    files.page.acks[there] = 0
    files.session.door.open(files.page)
    await files.session.becomes(identifier, "failed")
    await files.session.becomes(there, "handed_over")
    found = await files.session.messaging.find(identifier)

    assert found is not None
    assert (MediaError.code, [], []) == (found.error, files.page.given, files.page.files)


async def test_what_cannot_be_sent_is_refused_at_once(files: Files) -> None:
    """An unknown file, and another kind of file."""
    with pytest.raises(MediaError):
        await files.send("1" * 30)
    media = await files.upload(b"%PDF-1.7")
    with pytest.raises(MediaError):
        await files.send(media)
