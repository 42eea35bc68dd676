"""An inbox over a real outbox and a page's store that is played, for the tests of it and of its stream."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import ReadMarking, RunnerState, StateReason
from session_runner.messages.events import Event
from session_runner.outbox import events
from session_runner.outbox.events import Deliveries
from session_runner.outbox.outbox import Outbox, open_outbox
from support.at_work import at_work
from support.events import read_event
from support.runner_parts import make_parts
from support.waiting import async_until

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
T = int(NOW.timestamp())
ADA, BOB = "15550100701@c.us", "15550100702@c.us"
CONTENT = ("body", "caption", "quoted", "mimetype", "digest", "filename")


def chat(identifier: str, *, lid: str | None = None, number: str | None = None) -> dict[str, Any]:
    """What the page says of somebody."""
    user, _, server = identifier.partition("@")
    if server == "g.us":
        return {"id": identifier}
    return {"id": identifier, "number": user if server == "c.us" else number, "lid": user if server == "lid" else lid}


def reaction(by: str, emoji: str, *, mine: bool = False, t: float = T, identifier: str = "R") -> dict[str, Any]:
    """A reaction as the page gives it."""
    return {"by": chat(by), "mine": mine, "emoji": emoji, "t": t, "id": identifier}


@dataclass
class PlayedStore:
    """A page by what it has stored."""

    chats: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """ Messages by chat, in the order of their time. """
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    """ What the page knows of somebody besides their id. """
    noted: list[tuple[str, str]] = field(default_factory=list)
    """ Chat and key of what happened since the page was asked. """
    gives: bool = True
    """ Whether it gives what is in a new message as soon as it is asked what happened. """
    lost: bool = True
    synchronised: bool = True
    reacted: list[bool] = field(default_factory=list)
    """ Whether a listing was to tell reactions, each time. """
    read: list[str] = field(default_factory=list)
    """ Every key whose content was asked for. """
    fails: list[str] = field(default_factory=list)
    """ Scripts that fail the next time. """
    answers: dict[str, Any] = field(default_factory=dict)
    """ What a script answers instead. """
    untold: set[str] = field(default_factory=set)
    """ Chats, and keys of messages, of which it does not tell now. """
    ringing: dict[str, dict[str, Any]] = field(default_factory=dict)
    """ Calls by their id. """
    rejected: list[str] = field(default_factory=list)
    """ What the runner rejected. """
    doing: list[dict[str, Any]] = field(default_factory=list)
    """ Who was seen since the page was asked. """
    is_watched: list[bool] = field(default_factory=list)
    """ Whether it was to note that, each time. """

    def put(self, chat_id: str, identifier: str, *, own: bool = False, t: float = T, **content: Any) -> str:
        """Store a message, or change it; gives its key. Nobody is told."""
        messages = self.chats.setdefault(chat_id, [])
        known = [one for one in messages if one["id"] == identifier and one["own"] == own]
        message = known[0] if known else {"key": f"{str(own).lower()}_{chat_id}_{identifier}", "type": "chat"}
        message |= {"id": identifier, "own": own, "t": t, **content}
        if not known:
            messages.append(message)
            messages.sort(key=lambda one: float(one["t"]))
        return str(message["key"])

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script."""
        from session_runner.page.errors import CallFailedError

        if script in self.fails:
            self.fails.remove(script)
            raise CallFailedError("Execution context was destroyed")
        if script in self.answers:
            return self.answers[script]
        match script:
            case "inbox_take.js":
                return self._take()
            case "inbox_chats.js":
                return {"synchronised": self.synchronised, "chats": [self._who(one) for one in self.chats]}
            case "inbox_list.js":
                return self._list(**{("start" if name == "from" else name): one for name, one in argument.items()})
            case "inbox_read.js":
                self.read += argument["keys"]
                return ["later" if key in self.untold else self._content(key) for key in argument["keys"]]
        return self._calls(script, argument)

    def _calls(self, script: str, argument: Any) -> Any:
        if script == "calls_list.js":
            return list(self.ringing.values())
        if script == "presence_take.js":
            self.is_watched.append(argument["wanted"])
            taken, self.doing = self.doing, []
            return taken if argument["wanted"] else []
        assert "call_reject.js" == script
        self.rejected.append(argument["id"])
        return "gone" if self.ringing.pop(argument["id"], None) is None else "rejected"

    def _take(self) -> dict[str, Any]:
        noted, self.noted, lost, self.lost = self.noted, [], self.lost, False
        touched = dict.fromkeys(chat_id for chat_id, _ in noted)
        fresh = {key for _, key in noted}
        chats = [
            {"who": self._who(one), "entries": [self._touched(message, fresh) for message in self.chats[one]]}
            for one in touched
        ]
        return {"lost": lost, "chats": chats}

    def _touched(self, message: dict[str, Any], fresh: set[str]) -> dict[str, Any]:
        is_fresh = message["key"] in fresh
        content = (self._content(message["key"]) or {}) if is_fresh and self.gives else {}
        return content | self._entry(message) | {"fresh": is_fresh}

    def _list(self, *, id: str, since: float, start: str | None, reacted: bool) -> dict[str, Any]:  # noqa: A002 -- the script's word
        if id in self.untold:
            return {"entries": [], "next": None, "failed": True}
        self.reacted.append(reacted)
        messages = [message for message in self.chats[id] if message["t"] >= since]
        keys = [message["key"] for message in messages]
        end = len(messages) if start is None else keys.index(start)
        piece = messages[max(0, end - 3) : end]
        return {"entries": [self._entry(one) for one in piece], "next": piece[0]["key"] if end > 3 else None}

    def _who(self, identifier: str) -> dict[str, Any]:
        return chat(identifier) | self.known.get(identifier, {})

    @staticmethod
    def _entry(message: dict[str, Any]) -> dict[str, Any]:
        names = ("key", "id", "own", "t", "type", "edit", "reactions")
        return {name: message[name] for name in names if name in message}

    def _content(self, key: str) -> dict[str, Any] | None:
        for chat_id, messages in self.chats.items():
            for message in messages:
                if message["key"] == key:
                    return {"who": self._who(chat_id)} | message
        return None


class Receiving:
    """A linked session that reads a played store."""

    def __init__(self, *, deliveries: Deliveries | None = None, linked: datetime = NOW - timedelta(days=1)) -> None:
        self.now = NOW
        self.linked = linked
        self.page = PlayedStore()
        numbers = itertools.count(1)
        self.parts = make_parts(clock=lambda: self.now, random_bytes=lambda size: next(numbers).to_bytes(size))
        base = self.parts.base
        self.door, self.metrics, self.store, self.linked_page = base.commands, base.metrics, base.store, base.page
        self.door.open(self.page)
        self.inbox = self.parts.receiving.inbox
        if deliveries is not None:
            self.inbox._deliveries = deliveries

    def mark(self, reading: ReadMarking) -> None:
        """Have what comes marked as read, or not, from now on."""
        self.parts.base.live.replace(LiveSettings(read_marks=reading))

    def say(
        self, state: RunnerState, *, linked: bool | None = True, reason: StateReason = StateReason.AS_EXPECTED
    ) -> None:
        """What the monitor publishes."""
        self.store.publish(
            state=state,
            reason=reason,
            message="",
            linked_time=self.linked if linked else None,
            durable_time=None,
            round=0,
            linked=linked,
        )

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    def put(self, chat_id: str, identifier: str, *, own: bool = False, **content: Any) -> None:
        """Store a message in the page, which tells that something happened."""
        self.page.noted.append((chat_id, self.page.put(chat_id, identifier, own=own, **content)))
        self.inbox.something_happened()


async def published(outbox: Outbox) -> list[Event]:
    """Give all events but those of the state."""
    rows = await outbox.run(events.after, 0, most=10_000)
    return [read_event(row.body) for row in rows if row.kind not in ("state", "link-needed")]


async def ids(outbox: Outbox) -> list[tuple[str, str]]:
    """Give type and message of all events."""
    return [(event.type, event.data.id) for event in await published(outbox) if hasattr(event.data, "id")]


async def becomes(outbox: Outbox, *expected: tuple[str, str]) -> None:
    """Wait for these events, and see that they stay all."""
    await async_until(f"{expected}", lambda: ids(outbox), lambda found: len(found) >= len(expected), within=20)
    await asyncio.sleep(0.05)
    assert list(expected) == await ids(outbox)


@contextlib.asynccontextmanager
async def receiving(session: Receiving, folder: Path) -> AsyncIterator[Outbox]:
    """Have the inbox read into an outbox on this folder."""
    async with open_outbox(folder / "messages.sqlite") as outbox, at_work(session.inbox.work(outbox)):
        yield outbox
