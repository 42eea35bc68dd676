"""What is told besides messages: what becomes of sent ones, the session's state, and that its phone has to be linked again.

Each is told once. What was told last is kept beside it, so that a runner that dies in between tells what it has missed.
"""

from sqlite3 import Connection
from typing import Final

from session_protocol.vocabulary import RunnerState, WebhookEvent

from session_runner.messages.events import Ack, Data, Event, StateChange
from session_runner.messages.progress import Progress
from session_runner.outbox import events, people
from session_runner.outbox.seen import Taking

_PUBLISHED: Final = (Progress.SENT, Progress.DELIVERED, Progress.READ, Progress.PLAYED, Progress.FAILED)
MOST: Final = 500
""" Statuses in one transaction. """


def publish_statuses(database: Connection, how: Taking) -> int:
    """Tell the statuses that nobody was told of yet; return how many those are."""
    rows = database.execute(
        "SELECT request, status, time, digits, error, problem, callback_data FROM statuses JOIN requests ON requests.id = request "
        "WHERE published = 0 AND status IN (?, ?, ?, ?, ?) ORDER BY time LIMIT ?",
        (*_PUBLISHED, MOST),
    ).fetchall()
    for row in rows:
        ack = Ack(
            id=row["request"],
            status=row["status"],
            person=people.resolve(
                database, number=row["digits"], lid=None, new_user=how.new_user, now=how.now.timestamp()
            ),
            timestamp=int(row["time"]),
            error_code=row["error"] if row["status"] == Progress.FAILED else None,
            details=row["problem"] if row["status"] == Progress.FAILED else None,
            callback_data=row["callback_data"],
        )
        _add(database, WebhookEvent.ACK, ack, how)
        key = (row["request"], row["status"])
        database.execute("UPDATE statuses SET published = 1 WHERE request = ? AND status = ?", key)
    return len(rows)


def publish_state(database: Connection, how: Taking, *, state: RunnerState, reason: str, linked: bool | None) -> int:
    """Tell the state if it is another one than the last, and once for each link that is missing that it is."""
    last = database.execute("SELECT state, link_needed FROM reading").fetchone()
    needed = bool(last["link_needed"]) if linked is None else not linked
    if (last["state"], bool(last["link_needed"])) == (state, needed):
        return 0
    change = StateChange(state=state, reason=reason)
    new = [WebhookEvent.STATE] if last["state"] != state else []
    new += [WebhookEvent.LINK_NEEDED] if needed and not last["link_needed"] else []
    for kind in new:
        _add(database, kind, change, how)
    database.execute("UPDATE reading SET state = ?, link_needed = ?", (state, needed))
    return len(new)


def _add(database: Connection, kind: WebhookEvent, data: Data, how: Taking) -> None:
    events.add(database, Event(id=how.new_event(), type=kind, time=how.now, data=data), how.deliveries)
