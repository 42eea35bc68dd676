"""The steps of a reading of the page's store that belong together, each in one transaction."""

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from msgspec import Struct
from session_protocol.vocabulary import RunnerState

from session_runner.messages.incoming import Entry, PageMessage, Who
from session_runner.outbox import events, notices, seen
from session_runner.outbox.seen import Reading, Taking


class State(Struct, frozen=True, kw_only=True):
    """What the session is in."""

    state: RunnerState
    reason: str
    linked: bool | None
    linked_time: float | None
    """ When its phone was linked; None: there is none, or its page cannot be read now. """


class Begun(Struct, frozen=True, kw_only=True):
    """How a round begins."""

    is_full: bool
    """ So much waits for webhooks that nothing is told. """
    published: int = 0
    more: bool = False
    """ Whether there may be more statuses. """
    reading: Reading | None = None
    """ How far the page's store was read; None: nothing is read now. """


class Touched(Struct, frozen=True, kw_only=True):
    """A chat in which something happened."""

    who: Who
    entries: Sequence[Entry]
    messages: Mapping[str, PageMessage]
    """ By key, what is in those that the page gave with them. """


class Taken(Struct, frozen=True, kw_only=True):
    """What came of such chats."""

    published: int
    left: tuple[tuple[Who, Sequence[Entry]], ...]
    """ What is still to be read, by chat, in its order. """
    is_full: bool


def begin(database: Connection, how: Taking, state: State) -> Begun:
    """Tell the state and the statuses, if there is room, and return how far the page's store was read.

    While there is no room the newest state is kept, and each status at its request.
    """
    if events.is_full(database, how.deliveries):
        return Begun(is_full=True)
    changes = notices.publish_state(database, how, state=state.state, reason=state.reason, linked=state.linked)
    statuses = notices.publish_statuses(database, how)
    reading = (
        None if state.linked_time is None else seen.reading(database, linked=state.linked_time, now=how.now.timestamp())
    )
    return Begun(is_full=False, published=changes + statuses, more=statuses == notices.MOST, reading=reading)


def take(
    database: Connection, messages: Sequence[PageMessage], *, fresh: frozenset[str], how: Taking
) -> tuple[int, bool]:
    """Store what is new of these messages; return how many events that are, and whether there is no room for more."""
    count = seen.take(database, messages, fresh=fresh, how=how)
    return count, bool(count) and events.is_full(database, how.deliveries)


def take_touched(database: Connection, chats: Sequence[Touched], how: Taking) -> Taken:
    """Find what is new in chats, and store it as far as the page gave what is in it; the rest has to be read."""
    published, left, is_full = 0, [], False
    for chat in chats:
        if is_full:
            break
        news = seen.sift(database, chat.who, chat.entries, how).news
        while news and not is_full and news[0].key in chat.messages:
            entry = news.pop(0)
            fresh = frozenset({entry.key} if entry.fresh else ())
            count, is_full = take(database, [chat.messages[entry.key]], fresh=fresh, how=how)
            published += count
        if news:
            left.append((chat.who, news))
    return Taken(published=published, left=tuple(left), is_full=is_full)
