"""Sounds that are to be voice notes, from the request to the page, with a converter that is played."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from session_runner.media import voice
from session_runner.messages import links as rules
from session_runner.messages.contents import Audio
from session_runner.messages.errors import MediaError
from session_runner.sending import preparing
from support.waiting import async_until
from unit.runner.messaging_harness import running
from unit.runner.preparing_harness import Linked
from unit.runner.preparing_harness import linked as linked  # noqa: PLC0414 -- a fixture
from unit.runner.test_media_types import FILES

NOTE = b"OggS" + bytes(24) + b"OpusHead\1\1" + bytes(100) + b"OggS\0\0" + (48_000).to_bytes(8, "little")
WAV = FILES["audio/wav"]


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was given to a converter that makes the same note of everything."""
    given: list[bytes] = []

    async def convert(source: Path, writer: Any) -> None:
        given.append(await asyncio.to_thread(source.read_bytes))
        await writer.write(NOTE)

    monkeypatch.setattr(preparing, "convert", convert)
    return given


@pytest.mark.parametrize("by", ["id", "link"])
async def test_a_sound_is_made_a_voice_note(linked: Linked, converted: list[bytes], by: str) -> None:
    """Before the page gets it; what was uploaded stays, what was made of it goes."""
    linked.site.answers["/a.wav"] = lambda: web.Response(body=WAV)
    async with linked.running():
        media = await linked.upload(WAV)
        link = linked.site.url + "/a.wav"
        content = Audio(media=media, ptt=True) if by == "id" else Audio(link=link, ptt=True)
        identifier = await linked.ask(content)
        await linked.session.becomes(identifier, "handed_over")
        await async_until("one file", lambda: asyncio.sleep(0, linked.files), lambda files: files == [media])

    content = linked.page.asked[0]["content"]
    assert [WAV] == converted
    assert ("audio/ogg", True, True) == (content["mime_type"], content["ptt"], content["waveform"])
    assert linked.page.files[0].name != media


@pytest.mark.parametrize("by", ["id", "link"])
async def test_a_voice_note_passes_unchanged(linked: Linked, converted: list[bytes], by: str) -> None:
    """What is Ogg with Opus in one channel already."""
    linked.site.answers["/a.ogg"] = lambda: web.Response(body=NOTE)
    async with linked.running():
        link = linked.site.url + "/a.ogg"
        media = await linked.upload(NOTE)
        identifier = await linked.ask(Audio(media=media, ptt=True) if by == "id" else Audio(link=link, ptt=True))
        await linked.session.becomes(identifier, "handed_over")

    assert [] == converted
    assert linked.page.asked[0]["content"]["waveform"] is True


async def test_what_cannot_be_made_one_fails_or_is_refused(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, where its upload tells; a converter that was ended is started again, a few times."""
    ended = []

    async def convert(source: Path, _writer: Any) -> None:
        if (await asyncio.to_thread(source.read_bytes)).startswith(b"ID3"):
            raise MediaError("The sound cannot be read.")
        ended.append(source)
        raise voice.ConversionError("The converter ended with -9.")

    monkeypatch.setattr(preparing, "convert", convert)
    async with linked.running():
        with pytest.raises(MediaError, match="made of WAV, MP3, FLAC and Ogg"):
            await linked.ask(Audio(media=await linked.upload(FILES["audio/mp4"]), ptt=True))
        with pytest.raises(MediaError, match="audio takes"):
            await linked.ask(Audio(media=await linked.upload(WAV)))
        unreadable = await linked.ask(Audio(media=await linked.upload(FILES["audio/mpeg"]), ptt=True))
        assert "cannot be read" in await linked.failed(unreadable)
        killed = await linked.ask(Audio(media=await linked.upload(WAV), ptt=True))
        assert "ended with -9" in await linked.failed(killed)
        picture = await linked.ask(Audio(link=linked.site.url + "/a.png", ptt=True))
        assert "audio takes" in await linked.failed(picture)

    assert rules.TRIES == len(ended)


async def test_what_takes_a_processor_for_too_long_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header can make days of a few bytes: a second try would end as the first one did."""
    program = tmp_path / "ends.py"
    program.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGXCPU)\n")
    monkeypatch.setattr(voice, "_PROGRAM", program)
    with pytest.raises(MediaError, match="120 s of a processor"):
        await voice.convert(program, None)  # type: ignore[arg-type]


async def test_a_sound_that_is_gone_fails_its_message(linked: Linked, converted: list[bytes]) -> None:
    """Nothing is made of nothing."""
    async with running(linked.session, linked.folder, works=False) as outbox:
        async with linked.media.opened(outbox, linked.folder / "media"):
            media = await linked.upload(WAV)
            identifier = await linked.ask(Audio(media=media, ptt=True))
        (linked.folder / "media" / media).unlink()
    async with linked.running():
        assert "gone" in await linked.failed(identifier)

    assert [] == converted
