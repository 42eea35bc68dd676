"""The requests and their progress in the outbox: one function for each transaction.

A content stays here until the page has it. The row stays for a week, so that its statuses can be read and a late receipt
finds it; a key of idempotency counts for a day. Times are seconds since 1970. A row belongs to the account that it was
accepted for, or that was the first one known after it; no other account sends it.
"""

from collections.abc import Collection, Sequence
from sqlite3 import Connection
from typing import Final

import msgspec
from msgspec import Struct

from session_runner.messages.contents import Content, kind_of, read_stored, stored
from session_runner.messages.progress import WAITING, WATCHED, Progress
from session_runner.values import Private

KEPT: Final = 7 * 24 * 3600.0
""" Seconds for which a message that is with the page stays here. """
KEYS_KEPT: Final = 24 * 3600.0
""" Seconds for which a key of idempotency counts. """


class NewMessage(Private, frozen=True, kw_only=True):
    """What is stored before a request is answered."""

    hidden = ("given", "digits", "content", "account", "key", "digest", "callback_data")

    identifier: str
    given: str
    digits: str
    content: Content
    reply_to: str | None = None
    accepted: float
    account: str | None = None
    """ A digest of the number that sends it; None: it is not known yet. """
    key: str | None = None
    """ Of idempotency, with the digest of its body. """
    digest: str | None = None
    to_prepare: bool = False
    """ Whether its file has to be fetched or converted before the page gets it. """
    to_stranger: bool | None = None
    """ Whether it goes to somebody who has never written; None: not known. """
    callback_data: str | None = None
    """ What its sender wants to have back in each status. """


class Earlier(Private, frozen=True, kw_only=True):
    """What was answered to a key of idempotency."""

    hidden = ("given", "digits", "digest")

    identifier: str
    given: str
    digits: str
    digest: str


class Waiting(Private, frozen=True, kw_only=True):
    """A message that the page is to get."""

    hidden = ("digits", "content")

    identifier: str
    digits: str
    content: Content
    reply_to: str | None
    tries: int
    accepted: float
    begun: bool = False
    """ Whether the page may have been told of it before. """


class Results(Struct, frozen=True, kw_only=True):
    """What came of messages of which the page was told."""

    handed_over: tuple[tuple[str, str | None], ...] = ()
    """ By id, with the page's key. """
    failed: tuple[tuple[str, int], ...] = ()
    """ With the code: they are not in the page, and were never sent. """
    tried: tuple[str, ...] = ()
    """ The page did not take them. """
    kept_back: tuple[str, ...] = ()
    """ It was not told of them after all, nor before. """


class Watched(Private, frozen=True, kw_only=True):
    """A message of which the page may know more."""

    hidden = ("page_key",)

    identifier: str
    page_key: str
    progress: Progress


class Message(Private, frozen=True, kw_only=True):
    """All that is told of a message."""

    hidden = ("digits",)

    identifier: str
    digits: str
    kind: str
    progress: Progress
    error: int | None
    problem: str | None = None
    """ What the code does not say, for people. """
    times: dict[str, float]
    """ When it came to each progress. """


def earlier(database: Connection, key: str) -> Earlier | None:
    """Return what was answered to this key."""
    row = database.execute(
        "SELECT id, given, digits, digest FROM requests WHERE idempotency_key = ?", (key,)
    ).fetchone()
    return row and Earlier(identifier=row["id"], given=row["given"], digits=row["digits"], digest=row["digest"])


def count_waiting(database: Connection) -> int:
    """Return how many messages wait for the page."""
    return int(database.execute("SELECT count(*) FROM requests WHERE progress IN (?, ?)", WAITING).fetchone()[0])


def add(database: Connection, message: NewMessage) -> None:
    """Store a message."""
    database.execute(
        "INSERT INTO requests "
        "(id, given, digits, kind, content, reply_to, progress, accepted, account, idempotency_key, digest, stranger, "
        "to_prepare, callback_data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.identifier,
            message.given,
            message.digits,
            kind_of(message.content),
            stored(message.content),
            message.reply_to,
            Progress.ACCEPTED,
            message.accepted,
            message.account,
            message.key,
            message.digest,
            message.to_stranger,
            message.to_prepare,
            message.callback_data,
        ),
    )
    _note(database, message.identifier, Progress.ACCEPTED, message.accepted)


def due(
    database: Connection,
    *,
    account: str | None,
    most: int,
    only: Sequence[str] | None = None,
    but: Collection[str] = (),
) -> list[Waiting]:
    """Return the messages that the page of this account is to get, the oldest first; None: it is not known whose it is.

    :param only: those of which it is the turn; None: all.
    :param but: chats that are left out.
    """
    chosen = None if only is None else msgspec.json.encode(only).decode()
    rows = database.execute(
        "SELECT id, digits, kind, content, reply_to, tries, accepted, progress FROM requests "
        "WHERE progress IN (?1, ?2) AND (account IS NULL OR account = ?3) "
        "AND (?4 IS NULL OR id IN (SELECT value FROM json_each(?4))) "
        "AND digits NOT IN (SELECT value FROM json_each(?5)) ORDER BY place LIMIT ?6",
        (*WAITING, account, chosen, msgspec.json.encode(sorted(but)).decode(), most),
    )
    return [
        Waiting(
            identifier=row["id"],
            digits=row["digits"],
            content=read_stored(row["kind"], row["content"]),
            reply_to=row["reply_to"],
            tries=row["tries"],
            accepted=row["accepted"],
            begun=row["progress"] == Progress.HANDING_OVER,
        )
        for row in rows
    ]


def begin_handing_over(database: Connection, identifier: str) -> None:
    """Note, before it happens, that the page is told of a message."""
    database.execute("UPDATE requests SET progress = ? WHERE id = ?", (Progress.HANDING_OVER, identifier))


def count_try(database: Connection, identifier: str) -> None:
    """Note that the page did not take a message."""
    database.execute("UPDATE requests SET tries = tries + 1 WHERE id = ?", (identifier,))


def handed_over(database: Connection, identifier: str, *, page_key: str | None, time: float) -> None:
    """Note that the page has a message, and forget its content."""
    database.execute(
        "UPDATE requests SET progress = ?, page_key = ?, content = NULL, handed = ? WHERE id = ?",
        (Progress.HANDED_OVER, page_key, time, identifier),
    )
    _note(database, identifier, Progress.HANDED_OVER, time)


def settle(database: Connection, results: Results, *, time: float) -> None:
    """Note what came of messages of which the page was told."""
    for identifier, page_key in results.handed_over:
        handed_over(database, identifier, page_key=page_key, time=time)
    for identifier, code in results.failed:
        record(database, identifier, Progress.FAILED, time=time, error=code)
    for identifier in results.tried:
        count_try(database, identifier)
    for identifier in results.kept_back:
        database.execute("UPDATE requests SET progress = ? WHERE id = ?", (Progress.ACCEPTED, identifier))


def watched(database: Connection, *, since: float, most: int) -> list[Watched]:
    """Return the messages that the page is asked about, the newest first."""
    rows = database.execute(
        "SELECT id, page_key, progress FROM requests "
        "WHERE progress IN (?, ?, ?) AND page_key IS NOT NULL AND accepted >= ? ORDER BY place DESC LIMIT ?",
        (*WATCHED, since, most),
    )
    return [
        Watched(identifier=identifier, page_key=page_key, progress=Progress(progress))
        for identifier, page_key, progress in rows
    ]


def record(
    database: Connection,
    identifier: str,
    progress: Progress,
    *,
    time: float,
    error: int | None = None,
    problem: str | None = None,
) -> None:
    """Note how far a message has come; a failed one's content is forgotten."""
    failed = progress is Progress.FAILED
    database.execute(
        "UPDATE requests SET progress = ?, error = ?, problem = ?, content = iif(?, NULL, content), "
        "to_prepare = iif(?, 0, to_prepare) WHERE id = ?",
        (progress, error, problem, failed, failed, identifier),
    )
    _note(database, identifier, progress, time)


def record_all(database: Connection, progress: Sequence[tuple[str, Progress, int | None]], *, time: float) -> None:
    """Note how far messages have come: by id, with the code of one that has failed."""
    for identifier, now, error in progress:
        record(database, identifier, now, time=time, error=error)


def belong(database: Connection, *, account: str) -> None:
    """Note whose the messages are that wait and were accepted before it was known."""
    database.execute(
        "UPDATE requests SET account = ? WHERE account IS NULL AND progress IN (?, ?)", (account, *WAITING)
    )


def end_waiting(database: Connection, *, but_of: str | None, error: int, time: float) -> int:
    """Settle what waits for another account than this one, or for any; return how many will not be sent.

    The page was told of what was being handed over. Whether it sent it nobody can tell, so it counts as handed over,
    without a key by which a page could be asked, and nothing hands it over again.
    """
    rows = database.execute(
        "SELECT id, progress FROM requests WHERE progress IN (?, ?) AND (? IS NULL OR account <> ?)",
        (*WAITING, but_of, but_of),
    ).fetchall()
    failed = [row["id"] for row in rows if row["progress"] == Progress.ACCEPTED]
    for row in rows:
        if row["id"] in failed:
            record(database, row["id"], Progress.FAILED, time=time, error=error)
        else:
            handed_over(database, row["id"], page_key=None, time=time)
    return len(failed)


def find(database: Connection, identifier: str) -> Message | None:
    """Return what is known of a message."""
    row = database.execute(
        "SELECT digits, kind, progress, error, problem FROM requests WHERE id = ?", (identifier,)
    ).fetchone()
    if row is None:
        return None
    times = database.execute("SELECT status, time FROM statuses WHERE request = ?", (identifier,))
    return Message(
        identifier=identifier,
        digits=row["digits"],
        kind=row["kind"],
        progress=Progress(row["progress"]),
        error=row["error"],
        problem=row["problem"],
        times=dict(times),
    )


def sweep(database: Connection, *, now: float) -> None:
    """Delete what is older than it is kept, but for what still waits."""
    database.execute("DELETE FROM requests WHERE progress NOT IN (?, ?) AND accepted < ?", (*WAITING, now - KEPT))
    database.execute("UPDATE requests SET idempotency_key = NULL, digest = NULL WHERE accepted < ?", (now - KEYS_KEPT,))


def _note(database: Connection, identifier: str, progress: Progress, time: float) -> None:
    row = (identifier, progress, time)
    database.execute("INSERT OR IGNORE INTO statuses (request, status, time) VALUES (?, ?, ?)", row)
