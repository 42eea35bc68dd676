"""Makes LevelDB folders by hand: manifests, logs and tables as LevelDB writes them, and damaged ones."""

import struct
from pathlib import Path

from session_runner.profile.leveldb import crc32c, masked

BLOCK = 32768
TABLE_END = bytes.fromhex("57fb808b247547db")


def records(*payloads: bytes) -> bytes:
    """Return a file with these records, in fragments where a block ends."""
    out = b""
    for payload in payloads:
        first, left = True, payload
        while first or left:
            room = BLOCK - len(out) % BLOCK
            if room < 7:
                out += bytes(room)
                room = BLOCK
            part, left = left[: room - 7], left[room - 7 :]
            kind = (1 if not left else 2) if first else (4 if not left else 3)
            out += struct.pack("<IHB", masked(crc32c(bytes([kind]) + part)), len(part), kind) + part
            first = False
    return out


def varint(number: int) -> bytes:
    """Return a number as LevelDB writes it."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def text(value: bytes) -> bytes:
    """Return a text with its length."""
    return varint(len(value)) + value


def edit(*, log: int | None = None, new: dict[int, int] | None = None, gone: tuple[int, ...] = ()) -> bytes:
    """Return one version edit: the log in use, tables with their sizes, tables that went."""
    out = b"\x01" + text(b"idb_cmp1") + b"\x03" + varint(900) + b"\x04" + varint(1 << 40) + b"\x09\x00"
    out += b"\x05\x01" + text(b"key")
    if log is not None:
        out += b"\x02" + varint(log)
    for number, size in (new or {}).items():
        out += b"\x07\x00" + varint(number) + varint(size) + text(b"a") + text(b"z")
    for number in gone:
        out += b"\x06\x00" + varint(number)
    return out


def database(folder: Path) -> Path:
    """Make a sound database: one table, one that went, and a log of two records."""
    folder.mkdir(parents=True)
    (folder / "000005.ldb").write_bytes(b"data" + TABLE_END)
    (folder / "000007.log").write_bytes(records(b"first", b"second" * 10_000))
    (folder / "MANIFEST-000004").write_bytes(records(edit(new={3: 10, 5: 12}), edit(log=7, gone=(3,))))
    (folder / "CURRENT").write_text("MANIFEST-000004\n")
    (folder / "LOCK").write_text("")
    (folder / "LOG").write_text("words for people")
    return folder
