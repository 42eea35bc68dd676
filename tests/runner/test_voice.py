"""Voice notes of real sounds: the converter by itself, what it may not do, and one on its way to the phone."""

import asyncio
import ctypes
import errno
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runner.sender import FRIEND, Sender
from runner.test_media import post
from session_runner.media import voice
from session_runner.media.voice_child import SoundInfo, load
from session_runner.messages.errors import MediaError
from session_runner.messages.media import Variant, is_to_convert, may_be_decoded, sniff, variant
from support.runner_process import TOKENS

SOUNDS = {
    "16k.wav": (0x010002, 16_000, 1),
    "44k.wav": (0x010002, 44_100, 2),
    "24bit.wav": (0x010003, 96_000, 2),
    "a.flac": (0x170002, 44_100, 2),
    "vorbis.ogg": (0x200060, 22_050, 2),
    "stereo.ogg": (0x200064, 48_000, 2),
    "a.mp3": (0x230082, 44_100, 2),
}
""" By name: libsndfile's number for the format, samples a second, channels. """


class Note:
    """A writer that keeps what comes."""

    def __init__(self) -> None:
        self.content = b""

    async def write(self, piece: bytes) -> None:
        """Append."""
        self.content += piece


def make(path: Path, *, form: int, rate: int, channels: int, seconds: int = 2) -> Path:
    """Make a sound: a tone."""
    library: Any = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_write_float.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    library.sf_close.argtypes = (ctypes.c_void_p,)
    info = SoundInfo(0, rate, channels, form, 0, 0)
    file = library.sf_open(str(path).encode(), 0x20, ctypes.byref(info))
    assert file
    count = rate * channels
    tone = (ctypes.c_float * count)(*(0.3 * math.sin(2764 * (place // channels) / rate) for place in range(count)))
    for _ in range(seconds):
        assert count == library.sf_write_float(file, tone, count)
    library.sf_close(file)
    return path


def length(content: bytes, folder: Path) -> tuple[int, float, float]:
    """Channels, seconds and the greatest loudness of a sound, as the library reads it."""
    path = folder / "read"
    path.write_bytes(content)
    sounds, _ = load()
    info, samples = SoundInfo(), (ctypes.c_float * 480_000)()
    with path.open("rb") as file:
        count = sounds.sf_readf_float(sounds.sf_open_fd(file.fileno(), 0x10, ctypes.byref(info), 0), samples, 480_000)
    return info.channels, count / info.rate, max(samples[:count])


@pytest.fixture(params=SOUNDS)
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of each."""
    form, rate, channels = SOUNDS[request.param]
    return make(tmp_path / request.param, form=form, rate=rate, channels=channels)


async def test_each_sound_becomes_a_voice_note(sound: Path, tmp_path: Path) -> None:
    """Ogg with Opus in one channel, as long and as loud as before."""
    head = (await asyncio.to_thread(sound.read_bytes))[:512]
    assert is_to_convert(mime_type=sniff(head), form=variant(head), ptt=True)
    note = Note()
    await voice.convert(sound, note)
    channels, seconds, loudest = length(note.content, tmp_path)

    assert ("audio/ogg", Variant.MONO) == (sniff(note.content[:512]), variant(note.content[:512]))
    assert may_be_decoded(note.content[-65536:])
    assert (1, 2.0) == (channels, round(seconds, 1))
    assert 0.25 < loudest < 0.4
    assert len(note.content) < 20_000


@pytest.mark.parametrize("content", [b"RIFF\x24\0\0\0WAVEfmt " + bytes(50), b"ID3\4" + bytes(500), b"OggS" * 50, b""])
async def test_what_only_begins_like_a_sound_is_refused(content: bytes, tmp_path: Path) -> None:
    """With a reason for people."""
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(MediaError, match="cannot be read"):
        await voice.convert(tmp_path / "a", Note())


async def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    """Nobody knows which of them is the voice."""
    with pytest.raises(MediaError, match="two channels"):
        await voice.convert(make(tmp_path / "a.wav", form=0x010002, rate=48_000, channels=6), Note())


async def test_a_converter_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is one of which nobody wants the note any more; a crash is said as such."""
    path = make(tmp_path / "a.wav", form=0x010002, rate=48_000, channels=1)
    monkeypatch.setattr(voice, "SECONDS", 0.001)
    with pytest.raises(MediaError, match="not converted within"):
        await voice.convert(path, Note())
    monkeypatch.setattr(voice, "SECONDS", 30)

    class Full:
        async def write(self, piece: bytes) -> None:
            raise MediaError(f"{len(piece)} are too many")

    with pytest.raises(MediaError, match="too many"):
        await voice.convert(path, Full())
    monkeypatch.setattr(voice, "_PROGRAM", tmp_path / "none.py")
    with pytest.raises(voice.ConversionError, match="ended with"):
        await voice.convert(path, Note())


_ATTACKER = """
import ctypes, os, socket, sys
sys.path.insert(0, sys.argv[1])
import voice_child
voice_child.limit()
voice_child.load()
voice_child.enclose(ctypes.CDLL(None))
def tried(what):
    try:
        what()
    except OSError as error:
        return error.errno
    return 0
print(*(tried(one) for one in (
    lambda: open("/etc/passwd"),
    lambda: open("/tmp/written-by-a-voice-note", "w"),
    socket.socket,
    os.fork,
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.kill(os.getppid(), 0),
    lambda: os.listdir("/"),
)), flush=True)
os._exit(0)
"""


def test_whatever_it_is_led_to_it_opens_nothing() -> None:
    """No file, no connection, no other process, once it is about to read somebody's bytes."""
    folder = str(Path(voice.__file__).parent)
    found = subprocess.run(
        [sys.executable, "-I", "-c", _ATTACKER, folder], capture_output=True, text=True, check=True, timeout=30
    )

    assert [str(errno.EPERM)] * 7 == found.stdout.split()


async def test_a_voice_note_arrives_with_its_length(sender: Sender, tmp_path: Path) -> None:
    """A WAV that was uploaded, played by the page for its duration; sent as a voice note, in the page's own type."""
    path = make(tmp_path / "a.wav", form=0x010002, rate=44_100, channels=2, seconds=3)
    headers = {"Authorization": f"Bearer {TOKENS['send']}"}
    with path.open("rb") as file:
        async with sender.runner.client.post(
            f"{sender.runner.url}/v1/media", data={"file": file}, headers=headers
        ) as answer:
            media = await answer.json()
    status, answered = await post(sender, {"type": "audio", "audio": {"id": media["id"], "voice": True}})
    identifier = answered["messages"][0]["id"]
    await sender.becomes(identifier, "sent")
    (arrived,) = await sender.phone.messages(sender.device)

    assert (200, "audio/wav", FRIEND) == (status, media["mimeType"], answered["contacts"][0]["wa_id"])
    assert (identifier, "ptt", "audio/ogg; codecs=opus") == (arrived["id"], arrived["kind"], arrived["mimetype"])
    assert 3 == arrived["duration"]
    assert arrived["size"] < 30_000
