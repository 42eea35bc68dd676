"""How old the oldest messages are that have not come further: what is measured, and what a state is made of."""

from dataclasses import dataclass
from sqlite3 import Connection

from session_runner.messages.progress import WAITING, Progress


@dataclass(frozen=True, kw_only=True)
class Ages:
    """Since when, in seconds since 1970; None: there is none."""

    accepted: float | None = None
    """ The oldest message that the page is still to get. """
    handed_over: float | None = None
    """ The oldest one that the page has and of which WhatsApp has said nothing. """
    unanswered: float | None = None
    """ The same, among those after the last one that WhatsApp has said anything of. """


def ages(database: Connection, *, account: str | None) -> Ages:
    """Return the ages of this account's messages."""
    accepted = database.execute(
        "SELECT min(accepted) FROM requests WHERE progress IN (?, ?) AND (account IS NULL OR account = ?)",
        (*WAITING, account),
    ).fetchone()[0]
    silent = database.execute(
        "SELECT place, time FROM requests JOIN statuses ON request = id AND status = progress "
        "WHERE progress = ? AND page_key IS NOT NULL AND (account IS NULL OR account = ?) ORDER BY place",
        (Progress.HANDED_OVER, account),
    ).fetchall()
    if not silent:
        return Ages(accepted=accepted)
    answered = database.execute(
        "SELECT coalesce(max(place), 0) FROM requests WHERE progress NOT IN (?, ?, ?) AND page_key IS NOT NULL",
        (*WAITING, Progress.HANDED_OVER),
    ).fetchone()[0]
    return Ages(
        accepted=accepted,
        handed_over=min(row["time"] for row in silent),
        unanswered=min((row["time"] for row in silent if row["place"] > answered), default=None),
    )
