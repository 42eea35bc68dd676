"""What a run died of: the page, the browser, or the kernel for want of memory, which explains every other death."""

import asyncio
from typing import Protocol

from session_runner.exits import RunEnded, died, out_of_memory
from session_runner.host.memory import KillCounter, killed_since


class Mortal(Protocol):
    """What may die; `page.browser.BrowserPage` is the real one."""

    died: asyncio.Future[str]


class Deaths:
    """The kernel's count of our killed processes, as it was when the run began, and what it says of a death."""

    def __init__(self, kills: KillCounter) -> None:
        self._kills = kills
        self.before = kills()

    def killed(self) -> bool:
        """Whether the kernel has killed one of our processes, out of memory, since we began."""
        return killed_since(self.before, self._kills())

    def check(self) -> None:
        """Look at the count.

        :raises RunEnded: the kernel has killed one of our processes.
        """
        if self.killed():
            raise out_of_memory()

    async def of(self, browser: Mortal) -> RunEnded:
        """Return what died: the browser's event may come a moment after the failed call."""
        await asyncio.wait({browser.died}, timeout=1.0)
        if self.killed():
            return out_of_memory()
        return died(browser.died.result() if browser.died.done() else "browser")
