"""A session's messaging over a real outbox and a page that is played, for the tests of it and of its routes."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from session_protocol.public_addresses import Address
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.messages.contents import Content, Text, stored
from session_runner.messages.requests import SendRequest
from session_runner.outbox.outbox import Outbox
from session_runner.page.errors import CallFailedError
from session_runner.webhooks.connections import Guard
from session_runner.webhooks.guard import Destinations, Target, refusal
from support.at_work import at_work
from support.runner_parts import make_parts
from support.waiting import async_until

NOW = datetime(2026, 11, 30, tzinfo=UTC)
FRIEND = "15550100777"


@dataclass
class PlayedPage:
    """A page by what its scripts answer."""

    acks: dict[str, int] = field(default_factory=dict)
    """ Its store: the ack of each message, by id. """
    given: list[tuple[str, str, str]] = field(default_factory=list)
    """ What it was handed over and did not have: id, chat and text. """
    asked: list[dict[str, Any]] = field(default_factory=list)
    """ What else it was told of each: kind, content, and which message it is about. """
    marked: list[tuple[str, bool]] = field(default_factory=list)
    """ Which messages were read, and whether an answer is being written. """
    named: list[list[str]] = field(default_factory=list)
    """ In which chats each of them was said to be. """
    others: set[str] = field(default_factory=set)
    """ The ids of messages that other people wrote. """
    people: dict[str, str | None] = field(default_factory=dict)
    """ What a number is found as; None: nobody. Others cannot be asked about. """
    strangers: set[str] | None = field(default_factory=set)
    """ The numbers that have never written; None: it does not know. """
    broken: set[str] = field(default_factory=set)
    """ Texts that it does not take. """
    lacks_functions: bool = False
    """ It neither quotes nor marks. """
    hangs: set[str] = field(default_factory=set)
    """ Texts that it is still at, however often it is asked. """
    dies_with: set[str] = field(default_factory=set)
    """ Texts that it takes, and whose caller does not learn that. """
    calls: list[int] = field(default_factory=list)
    """ Of how many messages it was told at once, each time. """
    own: str | None = None
    """ The digits of its account, if they matter. """
    about: str | None = None
    """ Its about text. """

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script."""
        match script:
            case "send.js":
                return self._send_all(**argument)
            case "acks.js":
                return [self.acks.get(key.rpartition("_")[2]) for key in argument["keys"]]
            case "mark.js":
                return self._mark(**argument)
            case "lookup.js":
                return self._look_up(argument["digits"], about=argument["about"])
            case "strangers.js":
                return [self._is_stranger(digits) for digits in argument["numbers"]]
            case "profile.js" | "set_profile.js":
                self.about = (argument or {}).get("about", self.about)
                return {"name": "Shop", "about": self.about}
        raise AssertionError(script)

    def _look_up(self, digits: str, *, about: str | None) -> Any:
        if digits not in self.people:
            return None
        found = self.people[digits]
        if found is None:
            return {"nobody": True}
        missing = about is not None and about not in self.others
        return {"digits": found, "missing": missing, "stranger": self._is_stranger(found)}

    def _is_stranger(self, digits: str) -> bool | None:
        return None if self.strangers is None else digits in self.strangers

    def _mark(self, *, id: str, chats: list[str], typing: bool, own: str | None) -> str:  # noqa: A002 -- the script's word
        assert own is None or own.isdecimal()
        self.named.append(chats)
        if id in self.broken:
            raise CallFailedError("Execution context was destroyed")
        if id not in self.others:
            return "missing"
        if self.lacks_functions:
            return "unsupported"
        self.marked.append((id, typing))
        return "marked"

    def _send_all(self, *, own: str | None, messages: list[dict[str, Any]]) -> list[Any]:
        if self.own is not None and own not in (None, self.own):
            raise CallFailedError("another account is linked")
        self.calls.append(len(messages))
        answers: list[Any] = []
        stuck: set[str] = set()
        for message in messages:
            answers.append({"held": True} if message["to"] in stuck else self._send(**message))
            if isinstance(answers[-1], dict) and not {"failed", "pending"}.isdisjoint(answers[-1]):
                stuck.add(message["to"])
        return answers

    def _send(self, *, id: str, to: str, content: dict[str, Any], look: bool, untold: bool, **more: Any) -> Any:  # noqa: A002 -- the script's word
        text = content.get("body", "")
        if text in self.hangs:
            return {"pending": True}
        if text in self.broken and not look:
            return {"failed": True}
        assert not (untold and id in self.acks)
        if id not in self.acks:
            if look:
                return None
            if more["about"] not in (None, *self.acks, *self.others):
                return {"missing": True}
            if more["about"] is not None and self.lacks_functions:
                return {"unsupported": True}
            self.given.append((id, to, text))
            self.asked.append(more | {"content": content})
            self.acks[id] = 0
        if text in self.dies_with:
            self.dies_with.discard(text)
            raise CallFailedError("Execution context was destroyed")
        return {"key": f"true_{to}_{id}"}


class Session:
    """A linked session with its page open, unless a test says something else."""

    def __init__(self) -> None:
        self.now = NOW
        self.page = PlayedPage()
        self.guard: Guard = refusal
        numbers = itertools.count(1)
        self.parts = make_parts(
            clock=lambda: self.now,
            random_bytes=lambda size: next(numbers).to_bytes(size),
            guard=self._refusal,
        )
        base, sending = self.parts.base, self.parts.sending
        self.door, self.store, self.live = base.commands, base.store, base.live
        self.media, self.preparer, self.messaging = sending.media, sending.preparer, sending.messaging

    def _refusal(self, address: Address, target: Target, destinations: Destinations) -> str | None:
        return self.guard(address, target, destinations)

    def say(
        self, state: RunnerState, *, linked: bool | None = True, reason: StateReason = StateReason.AS_EXPECTED
    ) -> None:
        """What the monitor publishes."""
        self.store.publish(
            state=state,
            reason=reason,
            message="",
            linked_time=None,
            durable_time=None,
            round=0,
            linked=linked,
        )

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    async def send(self, text: str, *, to: str = FRIEND, key: str | None = None, reply_to: str | None = None) -> str:
        """Ask for a text; gives its id."""
        return await self.ask(Text(body=text), to=to, key=key, reply_to=reply_to)

    async def ask(
        self, content: Content, *, to: str = FRIEND, key: str | None = None, reply_to: str | None = None
    ) -> str:
        """Ask for anything; gives its id."""
        request = SendRequest(given=to, digits=to, content=content, reply_to=reply_to)
        return (await self.messaging.accept(request, key=key, digest=str(stored(content)))).identifier

    async def status(self, identifier: str) -> str:
        """How far a message has come."""
        found = await self.messaging.find(identifier)
        assert found is not None
        return found.progress

    async def becomes(self, identifier: str, status: str) -> None:
        """Wait for it."""
        await async_until(
            f"{identifier} {status}", lambda: self.status(identifier), lambda now: now == status, within=20
        )


@contextlib.asynccontextmanager
async def running(session: Session, folder: Path, *, works: bool = True) -> AsyncIterator[Outbox]:
    """Have the session's outbox open, and its loop running."""
    async with contextlib.AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(session.messaging.opened(folder / "messages.sqlite"))
        if works:
            await stack.enter_async_context(at_work(session.messaging.work(outbox)))
        yield outbox
