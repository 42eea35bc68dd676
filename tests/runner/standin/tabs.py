"""A browser tab on the stand-in page, as the tests of this folder use it: open, wait for a fact, read facts.

Facts are read through the page's own modules (`window.require`), as a runner without wa-js would; tests that need wa-js
ask for a tab with it. Waiting polls with a deadline and tells the last facts when it gives up.
"""

from typing import Any

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError
from support.waiting import async_until

__all__ = ["Tab", "wait_for_value"]

DEADLINE = 30.0  # nothing here takes seconds; a machine busy with other things may
_POLL = 0.03

_FACTS = """() => {
  const find = (id) => { try { return window.require(id) } catch { return null } };
  const socket = find('WAWebSocketModel')?.Socket, stream = find('WAWebStreamModel')?.Stream;
  const mutex = find('WAWebUserPrefsTabMutex'), comms = find('WAComms');
  return {
    state: socket?.state, stream: socket?.stream, synced: socket?.hasSynced, mode: stream?.mode, info: stream?.info,
    needsUpdate: stream?.needsUpdate, registered: find('WAWebUserPrefsMultiDevice')?.isRegistered(),
    online: find('WAWebNetworkStatus')?.default.online,
    comms: comms ? comms.getComms() !== null : undefined,
    hasMutex: mutex?.currentTabHasMutex(), mutex: mutex?.getMutex(),
    qr: document.querySelector('[data-ref]')?.getAttribute('data-ref') ?? null,
    dialog: document.querySelector('[role=dialog]')?.innerText ?? null,
    title: document.querySelector('h1')?.innerText ?? null,
    full: window.WPP?.isFullReady,
  };
}"""


class Tab:
    """One page of a browser context."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def open(cls, context: BrowserContext, url: str) -> "Tab":
        """Open a new page of the context on the stand-in."""
        tab = cls(await context.new_page())
        await tab.page.goto(url)
        return tab

    async def facts(self) -> dict[str, Any]:
        """Read what the page knows about itself; empty while it is being replaced by a reload."""
        try:
            facts: dict[str, Any] = await self.page.evaluate(_FACTS)
        except PlaywrightError as error:
            if "Execution context was destroyed" in str(error):
                return {}
            raise
        return facts

    async def wait_for_facts(self, **wanted: Any) -> dict[str, Any]:
        """Wait until all these facts hold and return all facts; `...` stands for anything but None."""

        def hold(facts: dict[str, Any]) -> bool:
            return all(
                facts.get(name) is not None if value is ... else facts.get(name) == value
                for name, value in wanted.items()
            )

        return await async_until(f"{wanted}", self.facts, hold, within=DEADLINE, every=_POLL)

    async def qr(self) -> str:
        """Wait for a code and return its text."""
        return str((await self.wait_for_facts(state="UNPAIRED", qr=...))["qr"])

    async def connected(self) -> None:
        """Wait until the page is linked, connected and synchronised."""
        await self.wait_for_facts(state="CONNECTED", stream="CONNECTED", synced=True, registered=True)

    async def record(self, *names: str) -> None:
        """Note these wa-js events, with their arguments as text, for `recorded`."""
        await self.page.evaluate(
            """(names) => { window.__seen = []; for (const name of names) {
              WPP.on(name, (...args) => window.__seen.push([name, ...args.map((one) => {
                try { return JSON.stringify(one) ?? 'undefined' } catch { return String(one) } })])) } }""",
            list(names),
        )

    async def recorded(self) -> list[list[str]]:
        """Give the events noted so far."""
        seen: list[list[str]] = await self.page.evaluate("window.__seen")
        return seen


async def wait_for_value(read: Any, expected: Any) -> None:
    """Wait until `await read()` equals `expected`."""
    await async_until(f"{expected}", read, lambda actual: actual == expected, within=DEADLINE, every=_POLL)
