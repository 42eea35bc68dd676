"""How old the oldest messages are that have not come further: what is measured, and what a state is made of."""

from collections.abc import Sequence
from sqlite3 import Connection

import msgspec
from msgspec import Struct

from session_runner.messages.progress import WAITING, Progress


class Ages(Struct, frozen=True, kw_only=True):
    """Since when, in seconds since 1970; None: there is none."""

    accepted: float | None = None
    """ The oldest message that the page is still to get, and whose turn it is. """
    paced: float | None = None
    """ The oldest one that waits for its turn. """
    paced_count: int = 0
    handed_over: float | None = None
    """ The oldest one that the page has and of which WhatsApp has said nothing. """
    unanswered: float | None = None
    """ The same, among those after the last one that WhatsApp has said anything of. """


def ages(database: Connection, *, account: str | None, paced: Sequence[str] = ()) -> Ages:
    """Return the ages of this account's messages; `paced`: the ids of those that wait for their turn.

    While nobody knows whose account it is, as of a page that does not load, all that wait are counted.
    """
    waiting = database.execute(
        "SELECT min(accepted) FILTER (WHERE NOT is_paced) AS accepted, min(accepted) FILTER (WHERE is_paced) AS paced, "
        "count(*) FILTER (WHERE is_paced) AS paced_count FROM (SELECT accepted, id IN (SELECT value FROM json_each(?)) AS is_paced "
        "FROM requests WHERE progress IN (?, ?) AND (? IS NULL OR account IS NULL OR account = ?))",
        (msgspec.json.encode(paced).decode(), *WAITING, account, account),
    ).fetchone()
    silent = database.execute(
        "SELECT place, time FROM requests JOIN statuses ON request = id AND status = progress "
        "WHERE progress = ? AND page_key IS NOT NULL AND (account IS NULL OR account = ?) ORDER BY place",
        (Progress.HANDED_OVER, account),
    ).fetchall()
    if not silent:
        return Ages(**waiting)
    answered = database.execute(
        "SELECT coalesce(max(place), 0) FROM requests WHERE progress NOT IN (?, ?, ?) AND page_key IS NOT NULL",
        (*WAITING, Progress.HANDED_OVER),
    ).fetchone()[0]
    return Ages(
        **waiting,
        handed_over=min(row["time"] for row in silent),
        unanswered=min((row["time"] for row in silent if row["place"] > answered), default=None),
    )
