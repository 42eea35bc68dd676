"""What is known of the files in the media folder, and of those that can be had from the page: one function for each transaction.

A row without a page's key is of a file that was uploaded; one with it is of a message that came in, whose file is fetched
when it is asked for and kept for a while (`stored`). Times are seconds since 1970.
"""

from collections.abc import Iterable
from sqlite3 import Connection
from typing import Final

from session_runner.messages.media import Variant, hex_digest, named
from session_runner.messages.progress import WAITING
from session_runner.values import Private

UPLOADS_KEPT: Final = 30 * 24 * 3600.0
""" Seconds, as at Meta. """
RECEIVED_KEPT: Final = 7 * 24 * 3600.0


class Medium(Private, frozen=True, kw_only=True):
    """One file."""

    hidden = ("page_key", "filename")

    identifier: str
    mime_type: str
    size: int | None
    """ None: the message does not say, and it was not fetched yet. """
    sha256: str | None
    """ In hexadecimal digits. """
    created: float
    used: float
    page_key: str | None = None
    """ Of the message that it came with. """
    variant: Variant = Variant.PLAIN
    filename: str | None = None
    stored: bool = True
    """ Whether the file is in the folder. """
    for_one_message: bool = False
    """ Whether it is for a waiting message alone, and goes with it; the column is called `passing`. """


def add(database: Connection, medium: Medium) -> None:
    """Note a file, unless it is known."""
    database.execute(
        "INSERT OR IGNORE INTO media (id, page_key, mime_type, variant, sha256, size, filename, stored, created, used, passing) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            medium.identifier,
            medium.page_key,
            medium.mime_type,
            medium.variant,
            medium.sha256,
            medium.size,
            medium.filename,
            medium.stored,
            medium.created,
            medium.used,
            medium.for_one_message,
        ),
    )


def receive(
    database: Connection,
    *,
    identifier: str,
    page_key: str,
    mime_type: str | None,
    digest: str | None,
    size: int | None,
    now: float,
    filename: str | None = None,
) -> None:
    """Note the file of a message that came in, which has not been fetched; what the page says of it may be missing.

    :param digest: of its content, as the page writes it.
    """
    medium = Medium(
        identifier=identifier,
        page_key=page_key,
        mime_type=named(mime_type or ""),
        sha256=None if digest is None else hex_digest(digest),
        size=size,
        filename=filename,
        stored=False,
        created=now,
        used=now,
    )
    add(database, medium)


def count_received(database: Connection) -> int:
    """Return of how many messages that came in the file is known."""
    return int(database.execute("SELECT count(*) FROM media WHERE page_key IS NOT NULL").fetchone()[0])


def find(database: Connection, identifier: str, *, now: float) -> Medium | None:
    """Return a file whose time is not over."""
    row = database.execute(
        "SELECT * FROM media WHERE id = ? AND created > ? - iif(page_key IS NULL, ?, ?)",
        (identifier, now, UPLOADS_KEPT, RECEIVED_KEPT),
    ).fetchone()
    return row and Medium(
        identifier=row["id"],
        page_key=row["page_key"],
        mime_type=row["mime_type"],
        variant=Variant(row["variant"]),
        sha256=row["sha256"],
        size=row["size"],
        filename=row["filename"],
        stored=bool(row["stored"]),
        created=row["created"],
        used=row["used"],
        for_one_message=bool(row["passing"]),
    )


def use(database: Connection, identifier: str, *, now: float) -> None:
    """Note that a file was sent or read: what was used last is removed last."""
    database.execute("UPDATE media SET used = ? WHERE id = ?", (now, identifier))


def fetched(
    database: Connection, identifier: str, *, size: int, sha256: str, mime_type: str, form: Variant, now: float
) -> None:
    """Note that the file of a message is in the folder, and what it is."""
    database.execute(
        "UPDATE media SET stored = 1, size = ?, sha256 = ?, mime_type = ?, variant = ?, used = ? WHERE id = ?",
        (size, sha256, mime_type, form, now, identifier),
    )


def forget(database: Connection, identifiers: Iterable[str]) -> None:
    """Note that files are gone: uploads are not known any more, those of messages can be fetched again."""
    names = [(identifier,) for identifier in identifiers]
    database.executemany("DELETE FROM media WHERE id = ? AND page_key IS NULL", names)
    database.executemany("UPDATE media SET stored = 0 WHERE id = ?", names)


def delete(database: Connection, identifier: str) -> None:
    """Forget a file altogether."""
    database.execute("DELETE FROM media WHERE id = ?", (identifier,))


def release(database: Connection, identifier: str) -> bool:
    """Forget a file if it was for one message alone, which does not wait any more; return whether it was."""
    return database.execute("DELETE FROM media WHERE id = ? AND passing = 1", (identifier,)).rowcount > 0


def stored(database: Connection) -> list[Medium]:
    """Return the files that are in the folder, those first that were used longest ago."""
    rows = database.execute("SELECT id, page_key, size, created, used FROM media WHERE stored ORDER BY used")
    return [
        Medium(identifier=identifier, page_key=key, mime_type="", size=size, sha256=None, created=created, used=used)
        for identifier, key, size, created, used in rows
    ]


def needed(database: Connection) -> frozenset[str]:
    """Return the files that waiting messages need."""
    rows = database.execute(
        "SELECT DISTINCT json_extract(content, '$.media') FROM requests WHERE progress IN (?, ?)", WAITING
    )
    return frozenset(identifier for (identifier,) in rows if identifier)


def sweep(database: Connection, *, now: float) -> None:
    """Forget the files whose time is over; their content is removed by whoever compares the folder with `stored`."""
    database.execute(
        "DELETE FROM media WHERE created <= ? - iif(page_key IS NULL, ?, ?)", (now, UPLOADS_KEPT, RECEIVED_KEPT)
    )
    waits = needed(database)
    gone = [row for row in database.execute("SELECT id FROM media WHERE passing = 1") if row[0] not in waits]
    database.executemany("DELETE FROM media WHERE id = ?", gone)
