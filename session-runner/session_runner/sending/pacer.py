"""Finds whose turn it is among the messages that wait, and refuses what would wait for too long or WhatsApp forbids.

`messaging` has it store requests, and asks it before it hands messages over. What is decided is in `messages.pacing`, and
in the outbox's own transaction (`outbox.turns`): that tells what went and what waits, the page who has ever written, the
monitor what the account may not do.
"""

import logging
import math
from collections.abc import Callable, Collection
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
    Turn,
    pace_of,
)
from session_runner.outbox import pacing, turns
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.requests import NewMessage
from session_runner.outbox.turns import Round, Terms
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

    def terms(self) -> Terms:
        """Return by what turns are planned now."""
        return Terms(
            account=self._page.account,
            pace=self._pace,
            now=self._now(),
            forbids_first_contacts=self._forbids_first_contacts,
        )

    async def take_in(self, outbox: Outbox, message: NewMessage, *, most: int) -> None:
        """Store a message that can go out, and in time.

        :raises FirstContactsForbiddenError: WhatsApp does not let this account write to somebody new.
        :raises PacedError: its turn would be too far off.
        :raises FullError: so many wait already.
        """
        if message.to_stranger and kind_of(message.content) not in FREE_KINDS:
            self._check_restriction()
        terms = self.terms()
        turn = await outbox.run(turns.take_in, message, terms=terms, most=most)
        if turn is not None:
            raise _refusal(turn, now=terms.now)

    async def paced(self, outbox: Outbox) -> dict[str, Turn]:
        """Return what waits for its turn, and when that is."""
        return await outbox.run(turns.paced, terms=self.terms())

    async def begin_round(self, outbox: Outbox, *, most: int, but: Collection[str]) -> Round:
        """Settle what cannot go out; return whose turn it is, in their order.

        :raises CommandError: the page was not asked who has ever written, or not in time.
        :raises CallFailedError: it did not tell.
        """
        while True:
            # What the page is about to be told is asked for anew if that is lost, so this need not wait for the disk.
            found = await outbox.note(turns.begin_round, terms=self.terms(), most=most, but=but)
            for code in found.failed:
                self._failed(code)
            if not found.unknown:
                return found
            await self._classify(outbox, list(found.unknown[:_ASKED_AT_ONCE]))

    @property
    def _pace(self) -> Pace | None:
        linked = self._store.snapshot.linked_time
        age = None if linked is None else self._now() - linked.timestamp()
        return pace_of(self._live.settings.pacing, linked_for=age)

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
