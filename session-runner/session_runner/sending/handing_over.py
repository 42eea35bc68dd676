"""Hands messages over to the page: those that go quickly together in one call, in the order of each chat, others alone.

A call into the page costs as much as several messages do in it. The page tells of each what came of it: one that it does
not take holds up its own chat, and is tried again. It looks whether it has a message before it is handed over, but for one
that this runner has accepted itself and has told no page of.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from session_runner.commands import CommandTimeoutError, NoPageError, PageDiedError, TooManyCommandsError
from session_runner.linked_page import LinkedPage
from session_runner.messages.contents import Content, File, Forward, concerned, for_page, kind_of
from session_runner.messages.errors import BadParameterError, MediaError, NotReadyError, UnsupportedKindError
from session_runner.messages.progress import gives_up
from session_runner.outbox import marks, requests
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.requests import Results, Waiting
from session_runner.page.errors import CallFailedError
from session_runner.sending.pacer import Pacer
from session_runner.sending.preparing import Preparer

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50
""" Messages of one look at what waits, and of one call into the page. """
_FAILED: Final = {"failed": True}
""" What the page answers for a message that it did not take. """
_HELD: Final = {"held": True}
""" The same for one that it was not told of. """


class HandingOver:
    """Hands over the messages of one session; used from one event loop only."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        pacer: Pacer,
        preparer: Preparer,
        now: Callable[[], float],
        failed: Callable[[int], None],
    ) -> None:
        self._page = page
        self._pacer = pacer
        self._now = now
        self._failed = failed
        """ Called with the code of each message that failed. """
        self._preparer = preparer
        self._tried: dict[str, float] = {}
        """ Since when, of what this runner was the first to try: it may have waited for its turn for long before. """
        self._untold: set[str] = set()
        """ What this runner has accepted, and has told no page of: none can have it. """

    def accepted(self, identifier: str) -> None:
        """Handle that a message was stored."""
        self._untold.add(identifier)

    async def hand_over(self, outbox: Outbox, account: str | None) -> tuple[bool, float]:
        """Hand over what can go; return whether something is to be tried again, and the seconds to the next turn.

        :raises CommandError: there is no page, or it was not told.
        :raises CallFailedError: it did not say who has ever written.
        """
        held: set[str] = set()
        own = self._page.own  # whose page is told: while it waits for its turn another phone may be linked
        while True:
            found = await self._pacer.begin_round(outbox, most=AT_ONCE, but=held)
            if not found.waiting and not held:
                self._tried.clear()
                self._untold.clear()
            together = [message for message in found.waiting if message.identifier in found.together]
            if not self._is_for(account):  # another phone may be linked meanwhile, or none
                await self._note(outbox, [(message, _HELD) for message in together])
                return False, 0.0
            if together:
                held |= await self._hand_over_together(outbox, together, own=own)
            for message in found.waiting:
                if message.identifier in found.together or message.digits in held:  # the order within a chat is kept
                    continue
                if not self._is_for(account):
                    return False, 0.0
                held |= await self._hand_over_alone(outbox, message, own=own)
            if len(found.waiting) < AT_ONCE:
                return bool(held), found.next_turn
            if not held:
                return False, 0.0
            # What waits in held chats has filled this round; the next one leaves them out.

    async def _hand_over_together(self, outbox: Outbox, messages: Sequence[Waiting], *, own: str | None) -> set[str]:
        """Tell the page of messages, which is noted; return the chats of those that are not settled."""
        wanted = [self._wanted(message, look=self._gives_up(message)) for message in messages]
        answers = await self._call_page(outbox, messages, wanted, own=own)
        return await self._note(outbox, list(zip(messages, answers, strict=True)))

    async def _hand_over_alone(self, outbox: Outbox, message: Waiting, *, own: str | None) -> set[str]:
        """Tell the page of a message, which may take long; return its chat if that is not settled."""
        file = await self._file_of(message.content)
        lost = file is None and isinstance(message.content, File)
        look = lost or self._gives_up(message)
        wanted = self._wanted(message, look=look)
        if isinstance(message.content, Forward):
            wanted["chats"] = await outbox.run(marks.chats, message.content.message)
        if not look:
            await outbox.note(requests.begin_handing_over, message.identifier)
        (answer,) = await self._call_page(outbox, [message], [wanted], own=own, file=None if look else file)
        held = await self._note(outbox, [(message, answer)], lost=lost)
        if not held and isinstance(message.content, File):
            await self._preparer.media.release(message.content.media)
        return held

    async def _call_page(
        self,
        outbox: Outbox,
        messages: Sequence[Waiting],
        wanted: Sequence[dict[str, Any]],
        *,
        own: str | None,
        file: Path | None = None,
    ) -> list[Any]:
        """Tell the page of messages; return what came of each."""
        self._untold.difference_update(one["id"] for one in wanted)
        try:
            answers = await self._page.call("send.js", {"own": own, "messages": wanted}, file=file)
        except (CommandTimeoutError, CallFailedError) as error:
            # The error's text could repeat the messages'.
            logger.warning("The page was not told of messages", extra={"error": type(error).__name__})
            return [_FAILED] * len(wanted)
        except (TooManyCommandsError, NoPageError) as error:
            if not isinstance(error, PageDiedError):  # else it was not told
                await self._note(outbox, [(message, _HELD) for message in messages])
            raise
        return answers if isinstance(answers, list) and len(answers) == len(wanted) else [_FAILED] * len(wanted)

    async def _note(self, outbox: Outbox, answered: Sequence[tuple[Waiting, Any]], *, lost: bool = False) -> set[str]:
        """Note what came of messages; return the chats of those that are not settled."""
        results = results_of(answered, lost=lost)
        await outbox.note(requests.settle, results, time=self._now())
        if results.tried:
            logger.warning("The page did not take messages", extra={"count": len(results.tried)})
        for _, code in results.failed:
            self._failed(code)
        settled = {identifier for identifier, _ in (*results.handed_over, *results.failed)}
        for identifier in settled:
            self._tried.pop(identifier, None)
        return {message.digits for message, _ in answered if message.identifier not in settled}

    def _wanted(self, message: Waiting, *, look: bool) -> dict[str, Any]:
        return {
            "id": message.identifier,
            "to": f"{message.digits}@c.us",
            "kind": kind_of(message.content),
            "content": for_page(message.content),
            "about": message.reply_to or concerned(message.content),
            "chats": [],
            "look": look,
            "untold": not look and message.identifier in self._untold,
        }

    def _gives_up(self, message: Waiting) -> bool:
        now = self._now()
        if message.tries == 0:
            self._tried.setdefault(message.identifier, now)
        since = self._tried.get(message.identifier, message.accepted)
        return gives_up(tries=message.tries, age=now - message.accepted, tried=now - since)

    async def _file_of(self, content: Content) -> Path | None:
        """Return where the file of a content is, or None where it has none, or it is gone."""
        return await self._preparer.media.path_of(content) if isinstance(content, File) else None

    def _is_for(self, account: str | None) -> bool:
        return self._page.account == account and self._page.can_send


def results_of(answered: Sequence[tuple[Waiting, Any]], *, lost: bool = False) -> Results:
    """Return what the page's answers mean; `lost`: the file that they are about is gone."""
    handed_over, failed, tried, kept_back = [], [], [], []
    for message, answer in answered:
        match answer:
            case {"key": key}:
                handed_over.append((message.identifier, key))
            case {"failed": _}:
                tried.append(message.identifier)
            case {"held": _}:
                if not message.begun:
                    kept_back.append(message.identifier)
            case {"pending": _}:
                pass
            case {"unsupported": _}:
                failed.append((message.identifier, UnsupportedKindError.code))
            case _:  # it is not in the page, and was never sent
                error = BadParameterError if answer else MediaError if lost else NotReadyError
                failed.append((message.identifier, error.code))
    return Results(handed_over=tuple(handed_over), failed=tuple(failed), tried=tuple(tried), kept_back=tuple(kept_back))
