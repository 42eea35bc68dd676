"""What LevelDB could not open, and what looks odd and can be opened."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.profile.leveldb import DamagedDatabaseError, check_database, crc32c, masked
from unit.runner.leveldb_files import TABLE_END, database, edit, records
from unit.runner.pages import quick

Change = Callable[[Path], object]
MANIFEST, LOG, TABLE = "MANIFEST-000004", "000007.log", "000005.ldb"


def overwrite(path: Path, at: int, content: bytes) -> None:
    """Change some bytes of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def only_new(folder: Path) -> None:
    """Leave nothing but what a new database has, without its log."""
    for path in folder.glob("*.l*"):
        path.unlink()
    new(folder)


def new(folder: Path) -> None:
    """Make it a database that was never compacted: all it has is in its log."""
    (folder / MANIFEST).write_bytes(records(b"\x01\x01a"))


def test_the_checksum_is_the_one_of_leveldb() -> None:
    """CRC-32C's own check value, and the mask of LevelDB's tests: one that differs from what it masks."""
    assert 0xE3069283 == crc32c(b"123456789")
    assert 0x8A9136AA == crc32c(bytes(32))
    assert masked(crc32c(b"foo")) != crc32c(b"foo")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Path.exists, id="sound"),
        pytest.param(lambda folder: [path.unlink() for path in folder.iterdir()], id="empty"),
        pytest.param(lambda folder: (folder / TABLE).rename(folder / "000005.sst"), id="older name"),
        pytest.param(lambda folder: (folder / "000009.ldb").write_text("unfinished"), id="a table that nobody lists"),
        pytest.param(
            lambda folder: overwrite(folder / LOG, (folder / LOG).stat().st_size, b"\x01\x02"), id="cut header"
        ),
        pytest.param(
            lambda folder: overwrite(folder / LOG, (folder / LOG).stat().st_size, records(b"x" * 90)[:50]),
            id="cut record",
        ),
        pytest.param(lambda folder: overwrite(folder / LOG, (folder / LOG).stat().st_size, bytes(900)), id="zeros"),
        pytest.param(lambda folder: (folder / LOG).write_bytes(b""), id="new log"),
        pytest.param(lambda folder: (folder / "000006.log").write_bytes(b"old"), id="a log that is over"),
        pytest.param(new, id="without tables"),
        pytest.param(
            lambda folder: overwrite(folder / MANIFEST, (folder / MANIFEST).stat().st_size, records(edit(log=9))[:30]),
            id="cut manifest",
        ),
    ],
)
def test_what_can_be_opened_is_not_damaged(tmp_path: Path, change: Change) -> None:
    """A browser that was killed leaves unfinished ends; that is no damage."""
    folder = database(tmp_path / "db")
    change(folder)

    check_database(folder)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda folder: (folder / "CURRENT").unlink(), "CURRENT is missing"),
        (lambda folder: (folder / "CURRENT").write_text(""), "CURRENT is garbage"),
        (lambda folder: (folder / "CURRENT").write_text("MANIFEST-000004"), "CURRENT is garbage"),
        (lambda folder: (folder / "CURRENT").write_text("../../etc/passwd\n"), "CURRENT is garbage"),
        (lambda folder: (folder / "CURRENT").write_bytes(b"\xff\xfe\n"), "CURRENT is garbage"),
        (lambda folder: (folder / MANIFEST).unlink(), f"{MANIFEST} is missing"),
        (lambda folder: (folder / MANIFEST).write_bytes(b""), f"{MANIFEST} has no whole record"),
        (lambda folder: (folder / MANIFEST).write_bytes(bytes(500)), f"{MANIFEST} has no whole record"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"garbage" * 100), f"{MANIFEST} is garbage"),
        (lambda folder: overwrite(folder / MANIFEST, 12, b"\xff"), f"{MANIFEST} is garbage"),
        (lambda folder: (folder / MANIFEST).write_bytes(records(b"\x63\x01")), f"{MANIFEST} is garbage"),
        (lambda folder: (folder / MANIFEST).write_bytes(records(b"\x07\x00\xff")), f"{MANIFEST} is garbage"),
        (lambda folder: (folder / TABLE).unlink(), f"{TABLE} is missing"),
        (lambda folder: (folder / TABLE).write_bytes(b"da" + TABLE_END), f"{TABLE} has 10 bytes instead of 12"),
        (lambda folder: (folder / TABLE).write_bytes(bytes(12)), f"{TABLE} is garbage"),
        (lambda folder: (folder / LOG).unlink(), "its log is missing"),
        (only_new, "its log is missing"),
        (lambda folder: (folder / LOG).write_bytes(b"garbage" * 10_000), f"{LOG} is garbage"),
        (lambda folder: overwrite(folder / LOG, 8, b"\xff"), f"{LOG} is garbage"),
        (lambda folder: overwrite(folder / LOG, 32768, b"\xff" * 40), f"{LOG} is garbage"),
    ],
)
def test_what_cannot_be_opened_is_named(tmp_path: Path, change: Change, shown: str) -> None:
    """The file, and what is wrong with it."""
    folder = database(tmp_path / "db")
    change(folder)
    with pytest.raises(DamagedDatabaseError) as caught:
        check_database(folder)

    assert str(caught.value).startswith(shown)


@quick
@given(content=st.binary(max_size=200), name=st.sampled_from(["CURRENT", MANIFEST, LOG, TABLE]))
def test_anything_in_the_place_of_a_file_is_judged(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    """Any bytes give a judgement, never another error."""
    folder = database(tmp_path_factory.mktemp("leveldb") / "db")
    (folder / name).write_bytes(content)
    with contextlib.suppress(DamagedDatabaseError):
        check_database(folder)
