"""Asks the page, and measures for how long it has given no answer.

The monitor has one `Answers` for its page. `healthCheck` is the time that a page may leave a question unanswered: it
begins when the question is put, so a page that is busy for less than that is never taken for a dead one, and it begins
anew when the page's next document was asked for or has arrived, since the browser holds all questions back meanwhile.
Until a document arrives nobody can tell more of the page, and nothing is wrong with it: the fault is the network's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from session_runner.page.errors import ProbeTimeoutError
from session_runner.states.facts import Facts

TICK = 1.0
""" Seconds between two looks at the clock while the page does not answer. """
QUIET_SECONDS = 10.0
""" A page that has not answered for so long is reported, or for half of the health check if that is shorter. """


class Page(Protocol):
    """What is asked; `page.browser.BrowserPage` is the real one."""

    async def probe(self, *, deadline: float) -> Facts:
        """Return the facts of one probe.

        :raises ProbeTimeoutError: it took too long.
        :raises PageGoneError: the page is dead.
        """
        ...

    async def ask(self, name: str, argument: Any = None, *, deadline: float) -> str | None:
        """Run a script and return the text that it answers, or None."""
        ...


@dataclass(kw_only=True)
class Answers:
    """The questions to one page and how long they have been open. Times are seconds."""

    health_check: float
    protocol: float
    """ For one order; see there. """
    monotonic: Callable[[], float]
    silent: Callable[[], None]
    """ Called once, when the page has been silent for a while. """
    pending: Callable[[float], None]
    """ Called again and again with the time for which the next document is on its way; may raise. """
    _order_began: float | None = None
    """ When the page was given an order that it has not answered; None: it has answered since. """
    _navigation_began: float | None = None
    _moved: float = float("-inf")
    """ When a navigation last began or ended. """

    def navigating(self, *, is_pending: bool) -> None:
        """Note that the page's next document was asked for, or that it has arrived or was given up."""
        if is_pending or self._navigation_began is not None:
            self._moved = self.monotonic()
        self._navigation_began = self._moved if is_pending else None

    @property
    def order_deadline(self) -> float:
        """Seconds for one order: the next probe waits for it, and with it everything that the page shows."""
        return min(self.protocol, self.health_check / 5)

    async def order(self, page: Page, name: str, argument: Any = None) -> str | None:
        """Give an order; one that runs out of time is the beginning of a silence, if the page stays silent."""
        began, deadline = self.monotonic(), self.order_deadline
        answer = await page.ask(name, argument, deadline=deadline)
        if answer is None and self.monotonic() - began >= deadline:
            self._order_began = began
        return answer

    async def probe(self, page: Page) -> Facts:
        """Return the facts of one probe.

        :raises ProbeTimeoutError: the page has given no answer for the whole health check.
        :raises PageGoneError: the page is dead.
        """
        now = self.monotonic()
        asked = now if self._order_began is None else self._order_began
        while True:
            since = max(asked, self._moved)
            # A machine that stood still has taken the page's time, too; so some is always left.
            within = max(self.health_check - (self.monotonic() - since), self.health_check / 5)
            probe = asyncio.create_task(page.probe(deadline=within))
            try:
                await self._wait_for(probe)
                facts = probe.result()
            except ProbeTimeoutError:
                if self._navigation_began is None and self._moved <= since:
                    raise
            else:
                self._order_began = None
                # What was answered before the page was left says nothing of what comes.
                is_left = self._navigation_began is not None or self._moved > since
                return Facts() if is_left else facts
            finally:
                probe.cancel()

    async def _wait_for(self, probe: "asyncio.Task[Facts]") -> None:
        ticks, quiet = 0, min(QUIET_SECONDS, self.health_check / 2)
        while not (await asyncio.wait({probe}, timeout=TICK))[0]:
            if self._navigation_began is not None:
                ticks = 0
                self.pending(self.monotonic() - self._navigation_began)
                continue
            ticks += 1
            if quiet <= ticks * TICK < quiet + TICK:
                self.silent()
