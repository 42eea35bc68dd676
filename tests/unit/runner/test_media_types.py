"""What a file is by its first bytes, whatever its client calls it, and as what it may be sent."""

import pytest
from session_runner.messages.errors import MediaError
from session_runner.messages.media import (
    ANIMATED_STICKER,
    CONVERTIBLE,
    HEAD,
    LARGEST,
    LIMITS,
    MB,
    UNKNOWN,
    MediaKind,
    Variant,
    check,
    hex_digest,
    is_media_id,
    is_to_convert,
    largest,
    may_be_decoded,
    named,
    sniff,
    upload_id,
    variant,
)

REST = b"\0" * 60
OGG = b"OggS\0\2" + b"\0" * 20 + b"\1\x13"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def iso(brand: bytes) -> bytes:
    """A container of MP4's family."""
    return b"\0\0\0\x20ftyp" + brand + REST


FILES = {
    "image/jpeg": b"\xff\xd8\xff\xe0" + REST,
    "image/png": b"\x89PNG\r\n\x1a\n" + REST,
    "image/gif": b"GIF89a" + REST,
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 " + REST,
    "image/heic": iso(b"heic"),
    "image/avif": iso(b"avif"),
    "video/mp4": iso(b"isom"),
    "video/3gpp": iso(b"3gp5"),
    "video/quicktime": iso(b"qt  "),
    "video/x-msvideo": b"RIFF\x24\0\0\0AVI LIST" + REST,
    "audio/mp4": iso(b"M4A "),
    "audio/mpeg": b"ID3\x04" + REST,
    "audio/aac": b"\xff\xf1\x50\x80" + REST,
    "audio/amr": b"#!AMR\n" + REST,
    "audio/flac": b"fLaC" + REST,
    "audio/ogg": OGG + b"OpusHead\1\1" + REST,
    "application/ogg": OGG + b"\1vorbis" + REST,
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt " + REST,
    "application/pdf": b"%PDF-1.7\n" + REST,
    "application/zip": b"PK\x03\x04" + REST,
    "application/x-ole-storage": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + REST,
    "text/plain": b"Hello\n",
}


@pytest.mark.parametrize("expected", FILES)
@pytest.mark.parametrize("declared", ["", "image/x-icon", "no type", "video/mp4; codecs=x"])
def test_a_file_is_what_its_content_says(expected: str, declared: str) -> None:
    """Whatever its client calls it."""
    assert expected == sniff(FILES[expected], declared=declared)


@pytest.mark.parametrize("head", [b"\xff\xfb\x90\x64" + REST, b"\xff\xf3\x90\x64" + REST, b"\xff\xe3\x90" + REST])
def test_an_mp3_may_begin_with_its_sound(head: bytes) -> None:
    """Of each version of it."""
    assert "audio/mpeg" == sniff(head)


@pytest.mark.parametrize(
    ("content", "declared", "expected"),
    [
        (FILES["application/zip"], DOCX, DOCX),
        (
            FILES["application/zip"],
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.text",
        ),
        (FILES["application/x-ole-storage"], "application/msword", "application/msword"),
        (FILES["video/mp4"], "audio/mp4", "audio/mp4"),
        (b"a,b\n1,2\n", "Text/CSV; charset=utf-8", "text/csv"),
        (b'{"a": 1}', "application/json", "application/json"),
        (b"%PDF-1.7", DOCX, "application/pdf"),
        (b"\0binary", "text/plain", UNKNOWN),
        (b"\xff\x00" + REST, "audio/mpeg", UNKNOWN),
        (b"\xff", "text/plain", UNKNOWN),
        (b"RIFF\x24\0\0\0????" + REST, "image/webp", UNKNOWN),
        (b"\xe4" * HEAD, "text/plain", UNKNOWN),
    ],
)
def test_what_the_content_leaves_open_its_client_says(content: bytes, declared: str, expected: str) -> None:
    """What a ZIP or a text is, and whether a container with sound is a video; nothing that contradicts it."""
    assert expected == sniff(content, declared=declared)


def test_a_text_may_be_cut_within_a_letter() -> None:
    """Only its beginning is looked at."""
    assert "text/plain" == sniff((b"a" + "ä".encode() * HEAD)[:HEAD])


def test_more_of_a_file_than_its_type_may_count() -> None:
    """One channel of a sound, several pictures of a sticker."""
    animated = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x02" + REST

    assert Variant.MONO == variant(FILES["audio/ogg"])
    assert Variant.PLAIN == variant(OGG + b"OpusHead\1\2" + REST)
    assert Variant.ANIMATED == variant(animated)
    assert Variant.PLAIN == variant(FILES["image/webp"])


@pytest.mark.parametrize("kind", MediaKind)
def test_each_kind_takes_what_is_documented(kind: MediaKind) -> None:
    """Its types and its size, and not a byte more."""
    limit = LIMITS[kind]
    for mime_type in limit.types or ("application/x-anything",):
        check(kind, mime_type=mime_type, size=limit.largest)
        with pytest.raises(MediaError, match=f"{limit.largest + 1} bytes"):
            check(kind, mime_type=mime_type, size=limit.largest + 1)
    if limit.types:
        with pytest.raises(MediaError, match="By its content the file is application/pdf"):
            check(kind, mime_type="application/pdf", size=1)


def test_a_short_voice_note_may_be_decoded_by_the_page() -> None:
    """By the length in its last page; what has none, or lies about it, may not."""

    def tail(samples: int) -> bytes:
        return REST + b"OggS\0\4" + samples.to_bytes(8, "little", signed=False) + REST

    assert [True, True, False, False] == [may_be_decoded(tail(n)) for n in (1, 300 * 48_000, 300 * 48_000 + 1, 0)]
    assert not may_be_decoded(REST)
    assert not may_be_decoded(tail(2**64 - 1))
    assert not may_be_decoded(b"OggS")


def test_a_link_may_bring_as_much_as_its_kind_takes() -> None:
    """A sound that is converted may be larger than what is made of it."""
    assert (16 * MB, LARGEST) == (largest(MediaKind.AUDIO), largest(MediaKind.AUDIO, ptt=True))
    assert (500 * 1024, 5 * MB) == (largest(MediaKind.STICKER), largest(MediaKind.IMAGE))


def test_an_animated_sticker_may_be_larger() -> None:
    """As documented."""
    check(MediaKind.STICKER, mime_type="image/webp", size=ANIMATED_STICKER, form=Variant.ANIMATED)
    with pytest.raises(MediaError):
        check(MediaKind.STICKER, mime_type="image/webp", size=ANIMATED_STICKER)


@pytest.mark.parametrize("mime_type", ["audio/mp4", "audio/amr"])
def test_a_sound_that_is_not_converted_is_no_voice_note(mime_type: str) -> None:
    """It is refused with what would do."""
    with pytest.raises(MediaError, match="ffmpeg"):
        check(MediaKind.AUDIO, mime_type=mime_type, size=MB, ptt=True)
    check(MediaKind.AUDIO, mime_type="audio/ogg", size=MB, form=Variant.MONO, ptt=True)


@pytest.mark.parametrize("mime_type", CONVERTIBLE)
def test_other_sounds_become_a_voice_note(mime_type: str) -> None:
    """Of whatever size; sent as a sound they are what they are."""
    check(MediaKind.AUDIO, mime_type=mime_type, size=LARGEST, ptt=True)

    assert is_to_convert(mime_type=mime_type, form=Variant.PLAIN, ptt=True)
    assert not is_to_convert(mime_type=mime_type, form=Variant.MONO, ptt=True)
    assert not is_to_convert(mime_type=mime_type, form=Variant.PLAIN, ptt=False)


def test_an_id_is_digits_that_begin_with_the_sessions() -> None:
    """Thirty of them."""
    assert "123456789012345000000000000007" == upload_id("123456789012345", 10**15 + 7)


def test_what_the_page_says_of_a_file_is_read() -> None:
    """Its digest as other programs write it, its type without parameters; nonsense is nothing."""
    assert "00" * 32 == hex_digest("A" * 43 + "=")
    assert (None, None) == (hex_digest("AAAA"), hex_digest("!"))
    assert ("audio/ogg", UNKNOWN) == (named("audio/ogg; codecs=opus"), named("\n"))


def test_a_files_id_is_no_sessions() -> None:
    """By its length."""
    assert is_media_id(upload_id("1" * 15, 5))
    assert not is_media_id("1" * 15)
    assert not is_media_id("x" * 30)
