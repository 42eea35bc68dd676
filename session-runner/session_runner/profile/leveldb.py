"""Whether a LevelDB database can be opened: the check before a browser opens the login's databases.

Chromium deletes a database that it cannot open and begins a new one, and with it goes the login. So what LevelDB's own
recovery asks of a folder is asked first, without writing anything: CURRENT names a manifest, the manifest's records are
whole, the tables it lists are there in their full size, and the logs are chains of records. As there, a record that is cut
off at the end of a file is no damage: a killed browser leaves that.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from session_protocol.files import read_small

_BLOCK: Final = 32768
_HEADER: Final = struct.Struct("<IHB")
_LONGEST: Final = 16 << 20
""" Bytes of a manifest or log that are looked at; Chromium begins a new one long before. """
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LOG_NAME: Final = re.compile(r"[0-9]{1,18}\.log")
_LOG, _GONE, _NEW = 2, 6, 7
_SHAPES: Final = {
    1: ("text",),  # how keys are compared
    _LOG: ("number",),
    3: ("number",),  # the next file
    4: ("number",),  # the last sequence
    5: ("number", "text"),  # where a level's next compaction begins
    _GONE: ("number", "number"),  # level, table
    _NEW: ("number", "number", "number", "text", "text"),  # level, table, size, first and last key
    9: ("number",),  # an earlier log
}
""" What each field of a version edit consists of. """
_TABLE_END: Final = bytes.fromhex("57fb808b247547db")
_POLYNOMIAL: Final = 0x82F63B78


class DamagedDatabaseError(Exception):
    """The database cannot be opened; the text names the file and what is wrong with it."""


def check_database(folder: Path) -> None:
    """Check a database; a folder without one is not damaged.

    :raises DamagedDatabaseError: LevelDB could not open it. :raises OSError: a file cannot be read.
    """
    names = {path.name for path in folder.iterdir()}
    data = {name for name in names if name.endswith((".log", ".ldb", ".sst")) or name.startswith("MANIFEST-")}
    if "CURRENT" not in names:
        if data:
            raise DamagedDatabaseError("CURRENT is missing")
        return
    manifest = _current(folder)
    if manifest not in names:
        raise DamagedDatabaseError(f"{manifest} is missing")
    if (folder / manifest).stat().st_size > _LONGEST:
        return  # the tables of half a manifest are not those in use
    tables, log = _live_files(_records(folder / manifest, checked=True), manifest)
    for number, size in tables.items():
        _check_table(folder, number, size)
    logs = sorted(name for name in names if _LOG_NAME.fullmatch(name) and int(name.partition(".")[0]) >= log)
    if not logs and (log or not tables):
        raise DamagedDatabaseError("its log is missing")
    for name in logs:
        for _record in _records(folder / name, checked=False):
            pass


def _current(folder: Path) -> str:
    try:
        text = read_small(folder / "CURRENT")
    except UnicodeDecodeError:
        text = ""
    name = text.removesuffix("\n")
    if not text.endswith("\n") or not name.startswith("MANIFEST-") or not name.removeprefix("MANIFEST-").isdecimal():
        raise DamagedDatabaseError("CURRENT is garbage")
    return name


def _check_table(folder: Path, number: int, size: int) -> None:
    for name in (f"{number:06d}.ldb", f"{number:06d}.sst"):
        path = folder / name
        if not path.is_file():
            continue
        with path.open("rb") as file:
            found = file.seek(0, 2)
            if found != size:
                raise DamagedDatabaseError(f"{name} has {found} bytes instead of {size}")
            file.seek(max(0, size - len(_TABLE_END)))
            if file.read() != _TABLE_END:
                raise DamagedDatabaseError(f"{name} is garbage")
        return
    raise DamagedDatabaseError(f"{number:06d}.ldb is missing")


def _records(path: Path, *, checked: bool) -> Iterator[bytes]:
    """Yield the records of a manifest or log. The checksums of a log are compared in its first block alone.

    :raises DamagedDatabaseError: the chain is broken before its end.
    """
    with path.open("rb") as file:
        content = file.read(_LONGEST)
    parts: list[bytes] = []
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        for kind, payload in _block(block, name=path.name, checked=checked or start == 0):
            if (kind in (_MIDDLE, _LAST)) != bool(parts):
                raise DamagedDatabaseError(f"{path.name} is garbage: a record does not follow from the one before")
            parts.append(payload)
            if kind in (_FULL, _LAST):
                yield b"".join(parts)
                parts = []


def _block(block: bytes, *, name: str, checked: bool) -> Iterator[tuple[int, bytes]]:
    at, whole = 0, len(block) == _BLOCK
    while at + _HEADER.size <= len(block):
        crc, length, kind = _HEADER.unpack_from(block, at)
        if kind == 0 and length == 0:
            return  # room that was reserved and not written
        end = at + _HEADER.size + length
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or (end > len(block) and whole):
            raise DamagedDatabaseError(f"{name} is garbage")
        if end > len(block):
            return  # cut off
        if checked and masked(crc32c(block[at + 6 : end])) != crc:
            raise DamagedDatabaseError(f"{name} is garbage: a checksum is wrong")
        yield kind, block[at + _HEADER.size : end]
        at = end


def _live_files(edits: Iterator[bytes], name: str) -> tuple[dict[int, int], int]:
    """Return the tables in use, by number with their sizes, and the number of the first log that counts."""
    tables: dict[int, int] = {}
    log = 0
    empty = True
    try:
        for edit in edits:
            empty = False
            for field, numbers in _fields(edit):
                if field == _LOG:
                    log = numbers[0]
                elif field == _GONE:
                    tables.pop(numbers[1], None)
                elif field == _NEW:
                    tables[numbers[1]] = numbers[2]
    except (IndexError, KeyError, ValueError) as error:
        raise DamagedDatabaseError(f"{name} is garbage: a record cannot be read") from error
    if empty:
        raise DamagedDatabaseError(f"{name} has no whole record")
    return tables, log


def _fields(edit: bytes) -> Iterator[tuple[int, list[int]]]:
    """Yield the fields of a version edit with their numbers.

    :raises IndexError, KeyError, ValueError: it is none.
    """
    at = 0
    while at < len(edit):
        field, at = _varint(edit, at)
        numbers = []
        for kind in _SHAPES[field]:
            number, at = _varint(edit, at)
            if kind == "number":
                numbers.append(number)
            else:
                at += number
        if at > len(edit):
            raise ValueError("a text is cut off")
        yield field, numbers


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


def _table() -> list[int]:
    values = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        values.append(value)
    return values


_CRC_TABLE: Final = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C; zlib has only the other polynomial."""
    crc, table = 0xFFFFFFFF, _CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Return the form in which LevelDB stores a checksum."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
