"""Finds whose turn it is among the messages that wait, and refuses what would wait for too long or WhatsApp forbids.

`messaging` asks before it stores a request and before it hands messages over. What is decided is in `messages.pacing`; the
outbox tells what went and what waits, the page who has ever written, the monitor what the account may not do.
"""

import logging
import math
from collections.abc import Callable
from typing import Final

from session_protocol.vocabulary import StateReason, WaitReason

from session_runner.linked_page import LinkedPage
from session_runner.live import Live
from session_runner.messages.contents import kind_of
from session_runner.messages.errors import FirstContactsForbiddenError, MessageError, PacedError, PacedToOneError
from session_runner.messages.pacing import (
    FREE_KINDS,
    LONGEST_EXPECTED,
    Pace,
    Queued,
    Turn,
    has_waited_too_long,
    is_too_far,
    pace_of,
    plan,
)
from session_runner.messages.progress import Progress
from session_runner.outbox import pacing, requests
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.pacing import View
from session_runner.outbox.requests import NewMessage
from session_runner.states.verdicts import until_text
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

_FORBID_FIRST_CONTACTS: Final = (StateReason.TIME_LOCK, StateReason.MESSAGES_CAPPED)
_ASKED_AT_ONCE: Final = 50
_WHY: Final = {
    WaitReason.FIRST_CONTACTS: "This session has written to many people who have never written to it",
    WaitReason.FIRST_CONTACTS_PER_DAY: "Today this session has written to as many people who have never written to it as it may",
    WaitReason.ONE_PERSON: "Many messages wait for this person, or went to them just now",
    WaitReason.MESSAGES: "Many messages wait, or went out just now",
}


class Pacer:
    """One session's pace; used from one event loop only."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        store: StateStore,
        live: Live,
        now: Callable[[], float],
        failed: Callable[[int], None],
    ) -> None:
        self._page = page
        self._store = store
        self._live = live
        self._now = now
        self._failed = failed
        """ Called with the code of each message that failed. """

    async def admit(self, outbox: Outbox, message: NewMessage) -> None:
        """Look whether a message that is to be stored can go out, and in time.

        :raises FirstContactsForbiddenError: WhatsApp does not let this account write to somebody new.
        :raises PacedError: its turn would be too far off.
        """
        if kind_of(message.content) in FREE_KINDS:
            return
        if message.to_stranger:
            self._check_restriction()
        if self._pace is None:
            return
        view = await self._view(outbox, adding=True)
        new = Queued(
            identifier=message.identifier,
            chat=message.digits,
            accepted=message.accepted,
            to_stranger=message.to_stranger or False,  # of whom nothing is known, the page is asked before their turn
            held=message.to_prepare or any(one.held and one.chat == message.digits for one in view.queue),
        )
        if message.to_stranger is False and any(one.chat == new.chat and one.to_stranger for one in view.queue):
            await outbox.run(pacing.is_known, new.chat)
            view = await self._view(outbox, adding=True)
        now = self._now()
        turn = plan((*view.queue, new), view.spent, pace=self._pace, now=now)[new.identifier]
        if is_too_far(turn, now=now):
            raise _refusal(turn, now=now)

    async def paced(self, outbox: Outbox) -> dict[str, Turn]:
        """Return what waits for its turn, and when that is."""
        view, now = await self._view(outbox), self._now()
        turns = plan(view.queue, view.spent, pace=self._pace, now=now)
        return {identifier: turn for identifier, turn in turns.items() if turn.at > now}

    async def due(self, outbox: Outbox) -> tuple[list[str], float]:
        """Settle what cannot go out; return whose turn it is, in their order, and the seconds until the next one's.

        :raises CommandError: the page was not asked who has ever written, or not in time.
        :raises CallFailedError: it did not tell.
        """
        view = await self._view(outbox)
        while unknown := [one.chat for one in view.queue if one.to_stranger is None and not one.is_free]:
            await self._classify(outbox, list(dict.fromkeys(unknown))[:_ASKED_AT_ONCE])
            view = await self._view(outbox)
        now = self._now()
        turns = plan(view.queue, view.spent, pace=self._pace, now=now)
        for message in view.queue:
            if (code := self._over(message, turns[message.identifier], now=now)) is not None:
                turns.pop(message.identifier)
                self._failed(code)
                await outbox.run(requests.record, message.identifier, Progress.FAILED, time=now, error=code)
        ready = [name for name, turn in turns.items() if turn.at <= now]
        return ready, min((turn.at - now for turn in turns.values() if turn.at > now), default=math.inf)

    def _over(self, message: Queued, turn: Turn, *, now: float) -> int | None:
        """Return the code of a message that will not go out; None: it will."""
        if message.begun or message.is_free:
            return None
        if message.to_stranger and self._forbids_first_contacts:
            return FirstContactsForbiddenError.code
        return _refusal(turn, now=now).code if has_waited_too_long(message, turn, now=now) else None

    @property
    def _pace(self) -> Pace | None:
        linked = self._store.snapshot.linked_time
        age = None if linked is None else self._now() - linked.timestamp()
        return pace_of(self._live.settings.pacing, linked_for=age)

    async def _view(self, outbox: Outbox, *, adding: bool = False) -> View:
        memory = None if self._pace is None else self._pace.memory
        account, now = self._page.account, self._now()
        return await outbox.run(pacing.view, account=account, memory=memory, now=now, adding=adding)

    async def _classify(self, outbox: Outbox, numbers: list[str]) -> None:
        """Ask the page who of these has ever written; who is not known there has not."""
        found = await self._page.call("strangers.js", {"numbers": numbers})
        answers = found if isinstance(found, list) and len(found) == len(numbers) else [None] * len(numbers)
        strangers = {digits: answer is not False for digits, answer in zip(numbers, answers, strict=True)}
        await outbox.run(pacing.classify, strangers)

    @property
    def _forbids_first_contacts(self) -> bool:
        restriction = self._store.restriction
        return restriction is not None and restriction.reason in _FORBID_FIRST_CONTACTS

    def _check_restriction(self) -> None:
        restriction = self._store.restriction
        if restriction is None or not self._forbids_first_contacts:
            return
        left = 0 if restriction.ends is None else math.ceil(restriction.ends - self._now())
        until = until_text(restriction.ends) if left > 0 else ""
        error = FirstContactsForbiddenError(
            f"WhatsApp does not let this account write to people who have never written to it{until}; others get its messages."
        )
        if until:
            error.retry_after = left
        raise error


def _refusal(turn: Turn, *, now: float) -> MessageError:
    reason = turn.reason or WaitReason.MESSAGES
    left = max(1, math.ceil(turn.at - now - LONGEST_EXPECTED))
    why = f"{_WHY[reason]}: send again in {left} s. spec.messaging.pacing of the session sets how fast it sends."
    error = (PacedToOneError if reason is WaitReason.ONE_PERSON else PacedError)(why)
    error.retry_after = left
    return error
