"""Follows what becomes of messages that the page has: its store is asked for their acks, as WhatsApp Web calls receipts.

An event of the page says that there are new ones and carries nothing. Now and then it is asked without one: what happened
while it was not connected, or was loaded anew, it tells nobody.
"""

from collections.abc import Callable
from typing import Final

from session_runner.linked_page import LinkedPage, PageRefusedError
from session_runner.messages.errors import RefusedError
from session_runner.messages.progress import Progress, progress_after
from session_runner.metrics.messages import MessageMetrics
from session_runner.outbox import requests
from session_runner.outbox.outbox import Outbox

AT_ONCE: Final = 50
""" Keys in one question to the page. """
MOST_WATCHED: Final = 500
""" Messages that the page is asked about without an event; an event is about one of the newest, as a rule. """
INTERVAL: Final = 30.0
""" Seconds between two questions without an event. """


class Receipts:
    """The receipts of one session's messages; used from one event loop only."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        now: Callable[[], float],
        metrics: MessageMetrics,
        failed: Callable[[int], None],
        further: Callable[[], None],
    ) -> None:
        self._page = page
        self._now = now
        self._metrics = metrics
        self._failed = failed
        """ Called with the code of each message that turns out to have failed. """
        self._further = further
        """ Called when messages have come further. """
        self._changed = False
        self._ask_all_at = 0.0
        """ When the page is asked about all messages, on the loop's clock. """

    def changed(self) -> None:
        """Handle the page's event that there are new ones."""
        self._changed = True

    def all_due(self, *, now: float) -> bool:
        """Whether it is time to look at everything."""
        return now >= self._ask_all_at

    def disconnected(self, *, now: float) -> None:
        """Ask about everything once the page is back: what happens meanwhile it tells nobody."""
        self._ask_all_at = now

    async def follow(self, outbox: Outbox, *, now: float) -> None:
        """Ask the page, if that is due.

        :raises CommandError: the page cannot be asked.
        :raises CallFailedError: it did not answer.
        """
        if self.all_due(now=now):
            await self._ask(outbox, most=MOST_WATCHED)
            self._ask_all_at = now + INTERVAL
        elif self._changed:
            self._changed = False
            await self._ask(outbox, most=AT_ONCE)

    async def _ask(self, outbox: Outbox, *, most: int) -> None:
        watched = await outbox.run(requests.watched, since=self._now() - requests.KEPT, most=most)
        for start in range(0, len(watched), AT_ONCE):
            some = watched[start : start + AT_ONCE]
            acks = await self._page.call("acks.js", {"keys": [message.page_key for message in some]})
            if not isinstance(acks, list) or len(acks) != len(some):
                raise PageRefusedError
            changes = []
            for message, ack in zip(some, acks, strict=True):
                if not isinstance(ack, int):
                    continue  # a page that does not have it has not failed to send it
                progress = progress_after(message.progress, ack)
                if progress is not message.progress:
                    error = RefusedError.code if progress is Progress.FAILED else None
                    self._count(message.progress, error)
                    changes.append((message.identifier, progress, error))
            if changes:
                self._further()
                await outbox.note(requests.record_all, changes, time=self._now())

    def _count(self, before: Progress, error: int | None) -> None:
        if error is not None:
            self._failed(error)
        elif before is Progress.HANDED_OVER:
            self._metrics.sent.inc()
