"""What a file is by its content, what it may be sent as, and its id.

The type that a client names is not believed: what decides how WhatsApp shows a file is read from its first bytes. The
table has just the types that the Cloud API documents for pictures, videos and sounds, and what containers hold; a document
may be anything, and is named by its client where its content does not contradict. The libraries for this were tried: they
take an M4A, a 3GP or a HEIC for an MP4, every Vorbis for Opus, any ZIP for a DOCX, or bring a parser in C.
"""

import base64
import hashlib
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct
from session_protocol.live_settings import LARGEST_FILE

from session_runner.messages.errors import MediaError

MB: Final = 1024 * 1024
HEAD: Final = 512
""" Bytes from the beginning of a file that tell its type. """
TAIL: Final = 64 * 1024
""" Bytes from the end of a voice note that tell how long it is. """
LONGEST_WAVEFORM: Final = 300
""" Seconds. """
LARGEST: Final = LARGEST_FILE
""" Bytes of any file. """
ID_DIGITS: Final = 15
""" Of a media id, behind the session's phone-number-id. """
_ID: Final = re.compile(r"[0-9]{30}")
UNKNOWN: Final = "application/octet-stream"
LONGEST_FILENAME: Final = 240


class MediaKind(StrEnum):
    """As what a file is sent."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


class Variant(StrEnum):
    """What else of a file decides what it may be sent as."""

    PLAIN = ""
    MONO = "mono"
    """ Ogg with Opus in one channel: a voice note. """
    ANIMATED = "animated"
    """ WebP with several pictures. """


class Limit(Struct, frozen=True, kw_only=True):
    """What the Cloud API documents for a kind."""

    types: tuple[str, ...]
    """ Empty: any. """
    largest: int
    """ Bytes. """


LIMITS: Final = {
    MediaKind.IMAGE: Limit(types=("image/jpeg", "image/png"), largest=5 * MB),
    MediaKind.VIDEO: Limit(types=("video/mp4", "video/3gpp"), largest=16 * MB),
    MediaKind.AUDIO: Limit(types=("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), largest=16 * MB),
    MediaKind.DOCUMENT: Limit(types=(), largest=LARGEST),
    MediaKind.STICKER: Limit(types=("image/webp",), largest=100 * 1024),
}
CONVERTIBLE: Final = ("application/ogg", "audio/flac", "audio/mpeg", "audio/ogg", "audio/wav")
""" What a voice note is made of here, of any size that a file may have; the first is what Ogg is without Opus: Vorbis. """
ANIMATED_STICKER: Final = 500 * 1024
_ANIMATED: Final = 0x02
""" The bit of it in a WebP's extended head. """
_OPUS: Final = "audio/ogg"
""" What a voice note is: Ogg with Opus, mono. """

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
)
_BRANDS: Final = (
    (b"M4A", "audio/mp4"),
    (b"M4B", "audio/mp4"),
    (b"3g", "video/3gpp"),
    (b"qt", "video/quicktime"),
    (b"hei", "image/heic"),
    (b"hev", "image/heic"),
    (b"mif1", "image/heic"),
    (b"avif", "image/avif"),
)
""" What a container of MP4's family says it is first; any other is a video, or what its client calls a sound. """
_SOUNDS: Final = frozenset({"audio/mp4", "audio/m4a", "audio/x-m4a"})
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OGG_PAGE: Final = b"OggS"
_GRANULE: Final = slice(6, 14)
_OPUS_RATE: Final = 48_000
_IN_ZIP: Final = (
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/epub",
)
_IN_OLE: Final = ("application/msword", "application/vnd.ms-", "application/x-ole-storage")
_TEXTS: Final = ("text/", "application/json", "application/xml")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")


def sniff(head: bytes, *, declared: str = "") -> str:
    """Return the type of a file by its first `HEAD` bytes; `declared` counts where they leave it open."""
    bare = named(declared)
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    return _in_container(head, bare) or _by_frame(head) or _as_text(head, bare)


def variant(head: bytes) -> Variant:
    """Return what else is to be known of a file, by its first `HEAD` bytes."""
    opus = _opus_head(head)
    if opus is not None and opus[9:10] == b"\x01":
        return Variant.MONO
    if head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X" and head[20:21] and head[20] & _ANIMATED:
        return Variant.ANIMATED
    return Variant.PLAIN


def check(
    kind: MediaKind,
    *,
    mime_type: str,
    size: int,
    form: Variant = Variant.PLAIN,
    ptt: bool = False,
    most: int | None = None,
) -> None:
    """Check that a file can be sent as this kind.

    :param most: bytes that it may have, where that is another number than the Cloud API's.
    :raises MediaError: it cannot; the text says what would do.
    """
    if is_to_convert(mime_type=mime_type, form=form, ptt=ptt):
        return  # what comes of it is checked then
    limit = LIMITS[kind]
    if limit.types and mime_type not in limit.types:
        raise MediaError(
            f"By its content the file is {mime_type}; {kind} takes {', '.join(limit.types)}. Send it as a document."
        )
    if most is None:
        most = ANIMATED_STICKER if kind is MediaKind.STICKER and form is Variant.ANIMATED else limit.largest
    if size > most:
        raise MediaError(f"The file has {size} bytes; {kind} takes {most}. Send it as a document.")
    if ptt and form is not Variant.MONO:
        raise MediaError(
            f"A voice note is made of WAV, MP3, FLAC and Ogg; this is {mime_type}. Convert it, "
            "as by ffmpeg -i FILE -ac 1 -c:a libopus note.ogg, or send it without voice."
        )


def is_to_convert(*, mime_type: str, form: Variant, ptt: bool) -> bool:
    """Whether a file is made another one before it is sent: a sound that is to be a voice note, and is none yet."""
    return ptt and form is not Variant.MONO and mime_type in CONVERTIBLE


def largest(kind: MediaKind, *, ptt: bool = False, most: int | None = None) -> int:
    """Return the bytes that a file may have before it is known what it is."""
    if ptt:
        return LARGEST
    if most is not None:
        return most
    return ANIMATED_STICKER if kind is MediaKind.STICKER else LIMITS[kind].largest


def may_be_decoded(tail: bytes) -> bool:
    """Whether a voice note is short enough for the page to decode it as a whole, by its last `TAIL` bytes.

    Decoded, a minute has 12 MB; how long it is stands in the last page of an Ogg file.
    """
    page = tail[max(0, tail.rfind(_OGG_PAGE)) :]
    samples = int.from_bytes(page[_GRANULE], "little") if page.startswith(_OGG_PAGE) else 0
    return 0 < samples <= LONGEST_WAVEFORM * _OPUS_RATE


def is_media_id(identifier: str) -> bool:
    """Whether it is a file's, and not a session's."""
    return _ID.fullmatch(identifier) is not None


def upload_id(phone_number_id: str, random: int) -> str:
    """Return the id of an uploaded file."""
    return f"{phone_number_id}{random % 10**ID_DIGITS:0{ID_DIGITS}}"


def named(declared: str) -> str:
    """Return the type that somebody gives, without its parameters."""
    bare = declared[:200].partition(";")[0].strip().lower()
    return bare if _TYPE.fullmatch(bare) else UNKNOWN


def hex_digest(encoded: str) -> str | None:
    """Return a SHA-256 in hexadecimal digits that the page gives in base64; None: it is none."""
    try:
        digest = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    return digest.hex() if len(digest) == hashlib.sha256().digest_size else None


def _in_container(head: bytes, bare: str) -> str | None:
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12], bare)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], UNKNOWN)
    if head.startswith(b"OggS"):
        return _OPUS if _opus_head(head) else "application/ogg"
    if head.startswith(b"PK\x03\x04"):
        return bare if bare.startswith(_IN_ZIP) else "application/zip"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return bare if bare.startswith(_IN_OLE) else "application/x-ole-storage"
    return None


def _by_brand(brand: bytes, bare: str) -> str:
    for prefix, found in _BRANDS:
        if brand.startswith(prefix):
            return found
    return "audio/mp4" if bare in _SOUNDS else "video/mp4"


def _by_frame(head: bytes) -> str | None:
    """MP3 and AAC without a container begin with a frame: eleven bits that are set, then version and layer."""
    if len(head) < len(b"\xff\xfb") or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    return "audio/mpeg" if head[1] & 0xE6 == 0xE2 else None


def _opus_head(head: bytes) -> bytes | None:
    """The first packet of an Ogg stream, behind a page's head of 27 bytes and its table of one segment."""
    packet = head[28:]
    return packet if packet.startswith(b"OpusHead") else None


def _as_text(head: bytes, bare: str) -> str:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < HEAD - 4:  # else a letter was cut
            return UNKNOWN
    if b"\0" in head:
        return UNKNOWN
    return bare if bare.startswith(_TEXTS) else "text/plain"
