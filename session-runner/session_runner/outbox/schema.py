"""How the outbox's file is opened, and brought up to this version; its tables are in `migrations`.

One SQLite file beside the login, readable by the runner alone, because it is as secret. The runner has locked the profile,
so it takes the file for itself: then no memory is shared over a file, which network disks cannot do. A commit is on the
disk when it returns. What is deleted is overwritten.
"""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Final

from session_runner.outbox.migrations import MIGRATIONS

VERSION: Final = len(MIGRATIONS)
_SETTINGS: Final = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
"""
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_VOLUMES_FAULT: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
)
""" What SQLite says of a volume without room, which may be a write that failed or a second file that cannot be made. """


_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedOutboxError(Exception):
    """The file is no outbox of ours, or damaged."""


class NoRoomError(Exception):
    """The volume did not take what opening the file writes; nothing is wrong with the file itself."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, which is made if it is not there. The connection may be used by one thread at a time.

    :raises DamagedOutboxError: it cannot be read, or is a newer runner's.
    :raises NoRoomError: the volume is full.
    :raises OSError: it cannot be made for another reason.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoomError(error.strerror) from error
        raise
    database = sqlite3.connect(path, isolation_level="IMMEDIATE", check_same_thread=False)
    try:
        _prepare(database, path)
    except sqlite3.DatabaseError as error:
        database.close()
        if error.sqlite_errorcode & 0xFF in _VOLUMES_FAULT:
            raise NoRoomError(str(error)) from error
        raise damaged(path, error) from error
    except DamagedOutboxError:
        database.close()
        raise
    database.row_factory = sqlite3.Row
    return database


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is what is wrong: something in it that is only found while it is used."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def damaged(path: Path, error: sqlite3.Error) -> DamagedOutboxError:
    """Return the error in words for people."""
    return DamagedOutboxError(f"{path.name} on the profile volume cannot be read ({error}).")


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    database.executescript(_SETTINGS)
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise DamagedOutboxError(
            f"{path.name} on the profile volume is a newer runner's (version {version}, {VERSION} is known); use its image."
        )
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;")
